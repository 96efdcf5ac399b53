package sched

import (
	"math"
	"unsafe"

	"github.com/userrt/userrt/internal/coro"
)

// Fetching ahead what the next tasks of a ring need, so that a crowd costs little more a switch than two tasks: package coro, ahead.go, has the how and the
// why. After a task that goes on, all that the next switches touch (fetchAhead). Fresh ones run one after the other on one stack and need only their G
// (fetchNext). The runtime has no counterpart.

// aheadMin is how many tasks must wait. What fewer touch stays in the nearest cache anyway.
const aheadMin = 16

// aheadFrom is aheadMin, or never.
func (t *Tunables) aheadFrom() uint32 {
	if t.NoPrefetch || !coro.FetchesAhead {
		return math.MaxUint32
	}
	return aheadMin
}

// fetchAhead moves what the tasks need that stand two to five places behind h one step nearer. No thief is
// inside the gate, so they stay in the ring meanwhile; one that has not started, or is wired, has no stack, and the stack of any other has run.
//
//go:nosplit
func (q *runq) fetchAhead(h uint32) {
	at := func(i uint32) *coro.Stack {
		return (*coro.Stack)(unsafe.Pointer(q.ring[(h+i)%runqSize].Load().stk))
	}
	coro.FetchAhead(unsafe.Pointer(q.ring[(h+5)%runqSize].Load()), at(4), at(3), at(2))
}

// fetchNext loads from the G behind h while a fresh task runs, which needs no switch: so a mere load will do, there is no compare-and-swap for it to
// hold up. As with fetchAhead no thief is inside the gate.
//
//go:nosplit
func (q *runq) fetchNext(h uint32) { q.ring[(h+1)%runqSize].Load().state.Load() }
