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
// do, so here the value itself lies behind the sudog, in a sudogOf. Two of its fields are not needed here: c, since a
// sudog is always reached by its channel; and isSelect, since every waiter, not only a select's, may be unwound by somebody else, and so is won by Claim (there
// by selectDone, for selects only).
type sudog struct {
	user hb.Ctx // of the waiter, for the race detector; first, since behind the others nothing would take room

	who        unsafe.Pointer // the *sched.G, or, if watched, the *selection: one word more would be 16 bytes more for a waiter on a Chan[struct{}]
	next, prev *sudog
	success    bool // woken by a value
	closed     bool // woken by Close
	queued     bool // in a queue; guarded by the channel's lock
	watched    bool // of a select that waits for contexts too; see over
	// busy is 1 from get until the waiter has read what it was given; see spares.
	busy atom.Uint32
}

// g returns the G that waits, as long as it does.
func (sg *sudog) g() *sched.G {
	if sg.watched {
		return (*selection)(sg.who).gp
	}
	return (*sched.G)(sg.who)
}

// over reports whether sg is of a select one of whose contexts is done.
func (sg *sudog) over() bool { return sg.watched && (*selection)(sg.who).over() }

// sudogOf is a whole sudog. Every sudog of a Chan[T] is part of one.
type sudogOf[T any] struct {
	elem T // the waiting sender's value, or what the receiver was given; first, for behind the others an empty T would take room
	sudog
}

// whole returns the sudogOf that sg, of a Chan[T], is part of.
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
// given is not lost to a G that is being unwound, nor to a select one of whose contexts is done.
func (q *waitq) dequeue() *sudog {
	for {
		sg := q.first
		if sg == nil {
			return nil
		}
		if q.first = sg.next; q.first == nil { // remove for the first
			q.last = nil
		} else {
			q.first.prev = nil
		}
		sg.next = nil
		sg.queued = false
		if !sg.over() && sg.g().Claim() {
			return sg
		}
	}
}

// spares holds the sudogs that a channel has made, to be used again, guarded by its lock. A waiter needs its sudog for a
// moment after it was woken, to read what it was given; to come back for the lock only to hand it back
// would cost as much as a send. So it clears busy when it is through, with one store, and who needs a sudog looks for
// one that is not busy. It looks at a few, the next time at the next few: some stay busy for long, when their waiters have been woken and
// do not get to run. With as many again as those are, nearly every look is enough, and more are not made.
type spares struct {
	first *sudog  // most channels need no other
	rest  *others // a pointer, so that a Chan fills two cache lines
}

// others are all but the first: as many as make up maxSpareBytes, and at least spareLooks.
type others struct {
	all  []*sudog
	hand uint32 // where the next look begins
}

const (
	spareLooks    = 8
	maxSpareBytes = 64 << 10 // what a channel keeps after a crowd has waited on it
)

// get returns a sudog that is not in use, or nil.
func (s *spares) get() *sudog {
	sg := s.first
	if sg != nil && sg.busy.Load() != 0 {
		return s.getOther()
	}
	return sg
}

func (s *spares) getOther() *sudog {
	r := s.rest
	if r == nil {
		return nil
	}
	n := uint32(len(r.all))
	for range min(n, spareLooks) {
		if r.hand++; r.hand >= n {
			r.hand = 0
		}
		if sg := r.all[r.hand]; sg.busy.Load() == 0 {
			return sg
		}
	}
	return nil
}

// add keeps sg, of size bytes, which has just been made, unless there are enough.
func (s *spares) add(sg *sudog, size uintptr) {
	switch {
	case s.first == nil:
		s.first = sg
	case s.rest == nil:
		s.rest = &others{all: []*sudog{sg}}
	case uintptr(len(s.rest.all)) < max(maxSpareBytes/size, spareLooks):
		s.rest.all = append(s.rest.all, sg)
	}
}

// sudog returns a sudog for gp, the caller. Needs lock.
func (c *Chan[T]) sudog(gp *sched.G) *sudogOf[T] {
	var sg *sudogOf[T]
	if spare := c.spare.get(); spare != nil {
		sg = whole[T](spare)
	} else {
		sg = new(sudogOf[T])
		c.spare.add(&sg.sudog, unsafe.Sizeof(*sg))
	}
	sg.busy.StoreRel(1)
	sg.who, sg.watched, sg.success = unsafe.Pointer(gp), false, false
	return sg
}

// free ends the waiter's use of sg.
func (c *Chan[T]) free(sg *sudogOf[T]) {
	c.wipe(&sg.elem)
	sg.who = nil
	sg.busy.StoreRel(0)
}

// unwound takes sg, whose G is being unwound, out of q if it is still there, and ends the task.
func (c *Chan[T]) unwound(q *waitq, sg *sudogOf[T]) {
	c.lock.Lock()
	if sg.queued {
		q.remove(&sg.sudog)
		if c.timer {
			c.disarm()
		}
	}
	c.lock.Unlock()
	c.free(sg)
	runtime.Goexit()
}

// forever parks the caller on nothing, as an operation on a nil channel does.
func forever(why sched.WaitReason) {
	sched.Park(why, nil, nil)
	panic("hchan: woken from an operation on a nil channel")
}
