package sched

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSpilledTasksAreLeftToTheirP: what has overflowed from a ring of tiny tasks is for its own P, until
// something else is queued behind it or the P gets slow.
func TestSpilledTasksAreLeftToTheirP(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	all := *s.allp.Load()
	p, other := all[0], all[1]
	require.False(t, s.globVisible(nil), "empty")

	spill := func(n int) {
		gs := newGs(n)
		for i, gp := range gs[1:] {
			p.runq.ring[i].StoreRel(gp)
		}
		s.lock.Lock()
		s.globrunqspill(p, 0, uint32(n-1), gs[0])
		s.lock.Unlock()
	}
	see := func() [3]bool { return [3]bool{s.globVisible(p), s.globVisible(other), s.globVisible(nil)} }
	spill(3)
	require.Equal(t, [3]bool{true, true, true}, see(), "its pace is not known")
	p.setPace(moveWorthNS - 1)
	require.Equal(t, [3]bool{true, false, false}, see())
	p.setPace(moveWorthNS)
	require.Equal(t, [3]bool{true, true, true}, see())
	p.setPace(1)
	var q gQueue
	q.pushBack(newGs(1)[0])
	s.lock.Lock()
	s.globrunqput(&q)
	s.lock.Unlock()
	require.Equal(t, [3]bool{true, true, true}, see(), "something has come from elsewhere")
	s.lock.Lock()
	s.globq = globQueue{} // they were no tasks
	s.globqsize.Store(0)
	s.lock.Unlock()
}

// TestSpilledTasksAreTakenFromASlowP: tiny tasks overflow, then their P gets stuck; the others run them.
func TestSpilledTasksAreTakenFromASlowP(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	const tasks = 2000
	run(t, s, func() {
		for range 50 { // learn the pace
			var ran atomic.Int32
			for range tasks {
				Go(func() { ran.Add(1) })
			}
			for ran.Load() < tasks {
				Yield()
			}
		}
		var ran atomic.Int32
		for range tasks {
			Go(func() { ran.Add(1) })
		}
		for ran.Load() < tasks { // without a call of ours
			runtime.Gosched()
		}
	})
}
