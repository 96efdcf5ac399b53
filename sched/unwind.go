package sched

import (
	"runtime"
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
)

// Unwinding: how tasks that have not ended by themselves are brought to their end when their scheduler closes. The
// runtime has no counterpart.
//
// Unwinding a parked task is a wake-up that nobody else asked for: whoever wins the CAS out of
// gWaiting decides. The unwound task's Park returns false, it takes itself out of its queue,
// and Goexit runs its deferred calls. Those may park again; such a wait is unwound only when no
// task can run any more.

// claimUnwind wins the right to unwind gp, which waits. Not by Claim: in state gClaimed a Ready that comes
// without a claim of its own would take this one for its.
func (gp *G) claimUnwind() bool { return gp.state.CompareAndSwap(gWaiting, gRunnable) }

// unwind makes the Park of gp, which is in no queue, return false. The caller has won it by claimUnwind,
// or gp has given way by itself.
func (gp *G) unwind() {
	gp.dying.Store(1)
	gp.unwinding, gp.unwound = true, true
}

// unwindParked unwinds every parked task that has not been unwound before, or, if again, those too,
// and returns how many.
func (s *Scheduler) unwindParked(again bool) (n int) {
	var q gQueue
	cut := 0
	for gp := range gsOf(s.slabs()) {
		if gp.state.Load() == gWaiting && (again || gp.dying.Load() == 0) && gp.claimUnwind() {
			if gp.dying.Load() == 0 {
				cut++
			}
			gp.unwind()
			if h := s.hooks; h != nil {
				h.readied(gp)
			}
			q.pushBack(gp)
			n++
		}
	}
	s.countCut(cut)
	s.inject(&q)
	return n
}

// countCut counts n tasks that are cut short, before they end.
func (s *Scheduler) countCut(n int) {
	s.lock.Lock()
	s.cut += n
	s.lock.Unlock()
}

// unwindFirst unwinds gp, which has just parked while s closes, unless it has been unwound before.
func (s *Scheduler) unwindFirst(gp *G) {
	if gp.dying.Load() == 0 && gp.claimUnwind() {
		gp.unwind()
		if h := s.hooks; h != nil {
			h.readied(gp)
		}
		s.countCut(1)
		s.injectOne(gp)
	}
}

// Unwound reports whether gp, which must be Self(), has been unwound and runs its deferred calls.
func (gp *G) Unwound() bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return gp.unwound
}

// exitIfUnwound ends the calling task if that is being unwound.
func (gp *G) exitIfUnwound() {
	if gp.unwinding {
		gp.unwinding = false
		runtime.Goexit()
	}
}

// drop ends gp, which never started, on m's g0.
func (m *M) drop(gp *G) {
	gp.fn, gp.labels, gp.name, gp.extras = nil, nil, "", 0
	if hb.On { // to the detector it is one that does nothing but end
		hb.Task(gp.pc, unsafe.Pointer(gp), gp.s.hooks != nil)
		hb.TaskOver()
	}
	gp.tellEnd(End{Dropped: true})
	if hb.On {
		hb.TaskGone(gp.s.allEnds())
	}
	if h := m.s.hooks; h != nil {
		h.ended(gp)
	}
	m.s.countCut(1)
	gp.state.StoreRel(gDead)
	m.p.nEnd.StoreRel(m.p.nEnd.Load() + 1)
	m.p.gfput(gp)
}
