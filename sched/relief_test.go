package sched

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLateReliefExchangesWorkers: with one native P the monitor is late for a task that never calls, and starts new workers for
// those in the cache, which end, once the native scheduler lets them.
func TestLateReliefExchangesWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	s := newTest(t, Config{Procs: 1})
	const most, many = 4, 10 // workers that stay: two at work, one in the cache, one that stands in for a monitor that was not late
	until(t, "workers have been exchanged", func() bool {
		var ran atomic.Bool
		require.NoError(t, s.Run(func() {
			Go(func() { ran.Store(true) })
			for !ran.Load() {
			}
		}))
		return s.Stats().ThreadsCreated >= many
	}, s)
	until(t, "those in whose place others are have ended", func() bool { return s.Stats().Threads <= most }, s)
	require.Positive(t, s.Stats().Reliefs)
	until(t, "those that end have ended, and the sums are right", func() bool {
		st := s.Stats()
		return int(st.ThreadsCreated+st.ThreadsReused) == int(st.ThreadParks)+st.Threads-st.IdleThreads+int(st.ThreadsEndedWired)
	}, s)
}
