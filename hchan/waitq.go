package hchan

import (
	"runtime"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// sudog is one G in one wait queue. The same in Go: runtime/runtime2.go, sudog; but there elem points
// into the waiter's stack, which a library must not do, so here the value itself lies in the sudog.
type sudog[T any] struct {
	user hb.Ctx // of the waiter, for the race detector; first, since behind the others nothing would take room

	g          *sched.G
	elem       T // the waiting sender's value, or what the receiver was given
	next, prev *sudog[T]
	success    bool // woken by a value, not by close
	queued     bool // in a queue; guarded by the channel's lock
	// busy is 1 from acquire until the waiter has read what it was given; see spares.
	busy atom.Uint32
}

// waitq is a list of waiting Gs, first in first out. Guarded by the channel's lock.
// The same in Go: runtime/chan.go, waitq.
type waitq[T any] struct{ first, last *sudog[T] }

func (q *waitq[T]) enqueue(sg *sudog[T]) {
	sg.queued = true
	sg.next, sg.prev = nil, q.last
	if q.last == nil {
		q.first = sg
	} else {
		q.last.next = sg
	}
	q.last = sg
}

func (q *waitq[T]) remove(sg *sudog[T]) {
	if sg.prev == nil {
		q.first = sg.next
	} else {
		sg.prev.next = sg.next
	}
	if sg.next == nil {
		q.last = sg.prev
	} else {
		sg.next.prev = sg.prev
	}
	sg.next, sg.prev = nil, nil
	sg.queued = false
}

// dequeue takes out the first waiter that can still be woken, and wins the right to: what it is
// given is not lost to a G that is being unwound.
func (q *waitq[T]) dequeue() *sudog[T] {
	for {
		sg := q.first
		if sg == nil {
			return nil
		}
		q.remove(sg)
		if sg.g.Claim() {
			return sg
		}
	}
}

// spares is a channel's free list of sudogs, guarded by its lock. A waiter needs its sudog for a
// moment after it was woken, to read what it was given; to come back for the lock only to free it
// would cost as much as a send. So whoever dequeues a sudog puts it here at once, still busy; the
// waiter clears busy when it is through, with one store; and the oldest entry is used again once
// that has happened.
type spares[T any] struct {
	first, last *sudog[T]
	n           int32
}

// maxSpares bounds what a channel keeps after a crowd has waited on it.
const maxSpares = 128

func (s *spares[T]) put(sg *sudog[T]) {
	if s.n >= maxSpares {
		return
	}
	s.n++
	if s.last == nil {
		s.first = sg
	} else {
		s.last.next = sg
	}
	s.last = sg
}

// get returns a sudog for gp, the caller.
func (s *spares[T]) get(gp *sched.G) *sudog[T] {
	sg := s.first
	if sg == nil || sg.busy.Load() != 0 {
		sg = &sudog[T]{}
	} else {
		if s.first = sg.next; s.first == nil {
			s.last = nil
		}
		s.n--
		sg.next = nil
	}
	sg.busy.StoreRel(1)
	sg.g, sg.success = gp, false
	return sg
}

// free ends the waiter's use of sg.
func (sg *sudog[T]) free() {
	var zero T
	sg.elem = zero
	sg.g = nil
	sg.busy.StoreRel(0)
}

// unwound takes sg, whose G is being unwound, out of q if it is still there, and ends the task.
func (c *Chan[T]) unwound(q *waitq[T], sg *sudog[T]) {
	c.lock.Lock()
	if sg.queued {
		q.remove(sg)
	}
	c.lock.Unlock()
	runtime.Goexit()
}

// forever parks the caller on nothing, as an operation on a nil channel does.
func forever(why sched.WaitReason) {
	sched.Park(why, nil, nil)
	panic("hchan: woken from an operation on a nil channel")
}
