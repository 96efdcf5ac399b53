package nap

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSleepIsNeverShort(t *testing.T) {
	n := New()
	defer n.Close()
	for _, d := range []time.Duration{0, 1, time.Microsecond, 100 * time.Microsecond, 3 * time.Millisecond} {
		start := time.Now()
		n.Sleep(int64(d))
		require.GreaterOrEqual(t, time.Since(start), d)
	}
}

// TestSleepAllocatesNothing, also under the race detector: the monitor sleeps so ten thousand times a second.
func TestSleepAllocatesNothing(t *testing.T) {
	n := New()
	defer n.Close()
	require.Zero(t, testing.AllocsPerRun(100, func() { n.Sleep(1000) }))
}
