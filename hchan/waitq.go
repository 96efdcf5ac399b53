package hchan

import (
	"runtime"
	"unsafe"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// sudog is one G in one wait queue; a select has one for each of its cases. The same in Go:
// runtime/runtime2.go, sudog; but there elem points into the waiter's stack, which a library must not
// do, so here the value itself lies behind the sudog, in a sudogOf.
type sudog struct {
	user hb.Ctx // of the waiter, for the race detector; first, since behind the others nothing would take room

	g          *sched.G
	next, prev *sudog
	success    bool // woken by a value
	closed     bool // woken by Close
	queued     bool // in a queue; guarded by the channel's lock
	// busy is 1 from get until the waiter has read what it was given; see spares.
	busy atom.Uint32
}

// sudogOf is a whole sudog. Every sudog in a queue or a free list of a Chan[T] is the head of one.
type sudogOf[T any] struct {
	elem T // the waiting sender's value, or what the receiver was given; first, for behind the others an empty T would take room
	sudog
}

// whole returns the sudogOf that sg, of a Chan[T], is the head of.
func whole[T any](sg *sudog) *sudogOf[T] {
	return (*sudogOf[T])(unsafe.Add(unsafe.Pointer(sg), -int(unsafe.Offsetof(sudogOf[T]{}.sudog))))
}

// waitq is a list of waiting Gs, first in first out. Guarded by the channel's lock.
// The same in Go: runtime/chan.go, waitq.
type waitq struct{ first, last *sudog }

// waited reports, also without the lock, whether anybody is in q, or was a moment ago.
func (q *waitq) waited() bool {
	return atom.PeekPointer((*unsafe.Pointer)(unsafe.Pointer(&q.first))) != nil
}

func (q *waitq) enqueue(sg *sudog) {
	sg.queued = true
	sg.next, sg.prev = nil, q.last
	if q.last == nil {
		q.first = sg
	} else {
		q.last.next = sg
	}
	q.last = sg
}

func (q *waitq) remove(sg *sudog) {
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
func (q *waitq) dequeue() *sudog {
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
type spares struct {
	first, last *sudog
	n           int32
}

// maxSpares bounds what a channel keeps after a crowd has waited on it.
const maxSpares = 128

func (s *spares) put(sg *sudog) {
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

// get returns a sudog that is not in use, or nil.
func (s *spares) get() *sudog {
	sg := s.first
	if sg == nil || sg.busy.Load() != 0 {
		return nil
	}
	if s.first = sg.next; s.first == nil {
		s.last = nil
	}
	s.n--
	sg.next = nil
	return sg
}

// sudog returns a sudog for gp, the caller. Needs lock.
func (c *Chan[T]) sudog(gp *sched.G) *sudogOf[T] {
	var sg *sudogOf[T]
	if spare := c.spare.get(); spare != nil {
		sg = whole[T](spare)
	} else {
		sg = new(sudogOf[T])
	}
	sg.busy.StoreRel(1)
	sg.g, sg.success = gp, false
	return sg
}

// free ends the waiter's use of sg.
func (c *Chan[T]) free(sg *sudogOf[T]) {
	c.wipe(&sg.elem)
	sg.g = nil
	sg.busy.StoreRel(0)
}

// unwound takes sg, whose G is being unwound, out of q if it is still there, and ends the task.
func (c *hchan) unwound(q *waitq, sg *sudog) {
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
