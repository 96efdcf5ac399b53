package sched

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/thread"
)

func TestBadAffinityIsRefused(t *testing.T) {
	for _, cpus := range [][]int{{-1}, {1 << 20}, {0, 1023}, {-1 << 31}} {
		s, err := New(Config{Affinity: cpus})
		require.Nil(t, s)
		var ce *ConfigError
		require.ErrorAs(t, err, &ce)
		require.Equal(t, "Affinity", ce.Field)
	}
	if !thread.Exists {
		_, err := New(Config{Affinity: []int{0}})
		require.ErrorContains(t, err, "sched: Config.Affinity: not possible on this system")
		return
	}
	_, err := New(Config{Affinity: []int{-3}})
	require.EqualError(t, err, "sched: Config.Affinity: -3 is negative")
	_, err = New(Config{Affinity: []int{1 << 20}})
	require.EqualError(t, err, "sched: Config.Affinity: 1048576 is no CPU on which this process may run")
}
