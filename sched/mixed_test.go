package sched

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// What has gone wrong where two features meet.

func TestHooksOfStolenFrames(t *testing.T) {
	var spawned, started, ended atomic.Int64
	s := newTest(t, Config{Procs: 2, Hooks: Hooks{
		TaskSpawned: func(_, _ uint64) { spawned.Add(1) },
		TaskStarted: func(uint64, int) { started.Add(1) },
		TaskEnded:   func(uint64) { ended.Add(1) },
	}})
	within(t, func() {
		require.NoError(t, s.Run(func() {
			for started.Load() < 5 {
				var other atomic.Bool
				Join(func() {
					for !other.Load() {
						Yield()
					}
				}, func() { other.Store(true) })
			}
		}))
	}, s)
	require.Equal(t, started.Load(), spawned.Load())
	require.Equal(t, started.Load(), ended.Load())
}
