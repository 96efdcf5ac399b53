package sched

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLateReliefExchangesWorkers: with one native P the monitor is late for a task that never calls, and starts new workers for
// those in the cache, which end. So there are never more than the two at work, the one in the cache that is about to
// end, and one that stands in for a monitor that was not late.
func TestLateReliefExchangesWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	s := newTest(t, Config{Procs: 1})
	exchanged := func(st Stats) bool { return int(st.ThreadsCreated) >= st.Threads+3 }
	until(t, "workers have been exchanged", func() bool {
		var ran atomic.Bool
		require.NoError(t, s.Run(func() {
			Go(func() { ran.Store(true) })
			for !ran.Load() {
			}
		}))
		st := s.Stats()
		require.LessOrEqual(t, st.Threads, 4)
		return exchanged(st)
	}, s)
	require.Positive(t, s.Stats().Reliefs)
	until(t, "those that end have ended, and the sums are right", func() bool {
		st := s.Stats()
		return int(st.ThreadsCreated+st.ThreadsReused) == int(st.ThreadParks)+st.Threads-st.IdleThreads+int(st.ThreadsEndedWired)
	}, s)
}
