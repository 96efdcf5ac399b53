package sched

import (
	"sync/atomic"
	"unsafe"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/fence"
	"github.com/userrt/userrt/internal/rawlock"
)

// forkq is what one stack's task has offered to thieves: its frames, innermost last. The task pushes
// and pops at the bottom, where the smallest pieces are, thieves take from the top. It belongs to the stack
// and not to the P, so that calls that nest are a stack here too, whatever other tasks do between them and
// wherever this one goes on after it has parked.
//
//	slots  [ f0   f1   f2   f3   f4 | old  old ]     f0, f1 stolen; f2 to f4 on offer;
//	              top=limit          bottom          the rest keep their frames for the next push
//
// After Frigo, Leiserson, Randall ("The Implementation of the Cilk-5 Multithreaded Language", 1998, the
// THE protocol) with the asymmetric fence of package fence in the place of theirs. To pop slot i:
//
//	owner:  bottom = i; if limit <= i { it's mine }      thief, under lock:  limit = noLimit; Heavy()
//	        else { look under lock }                                         take slots[top], if top < bottom
//	                                                                         limit = top
//
// The owner's store and load are not fenced; the thief's Heavy does it for both. After it, either the
// thief sees the new bottom and leaves slot i alone; or the owner loads a limit that sends it to the
// lock. A thief that has come and gone leaves limit above the slots that it took. So a fork that
// nobody steals costs two plain stores, and no locked instruction.
//
// Where package fence is not ready, limit stays noLimit and the owner always takes the lock.
//
// A For's loop in slot 0 is split without Heavy, as its owner has a fence of its own for each piece (forFrame). Thieves
// find it by loop, since without Heavy they may read no slot; loops further in have to wait for Heavy.
//
// Invariants:
//
//	F1  limit is top or noLimit; it and top are written under lock.
//	F2  slots[i] for i >= bottom, and what lies there, is touched by the owner only; a thief that has seen
//	    an older bottom holds lock, and the owner could not have popped slot i without it. Not so the bounds
//	    of the forFrame in loop: thieves read them at any time, under lock, and are right whatever has become
//	    of it (forFrame, setRange).
//	F3  bottom < top only while the owner waits for slots[bottom], which is stolen.
//
// The runtime has nothing like it.
type forkq struct {
	bottom atom.Uint32 // written by the owner only
	limit  atom.Uint32
	slots  []*frame // none is nil; grown under lock

	st     *stack
	gp     atom.Ptr[G] // the task at the last push into an empty queue; nil from rest on until the next
	epoch  atom.Uint32 // counts pushes into an empty queue; written by the owner only
	spare  []spare     // frames of other types than a slot now holds; the owner's
	skip   uint32      // the back-off of futile wake-ups; see wakeThief. The owner's
	backed uint32
	seen   uint32 // steals at the last wake-up

	// slots[0], if that is a loop's frame, also of one that has ended; else nil. Written by the owner only. The
	// collector sees it: a thief may hold what the owner drops.
	loop atomic.Pointer[forFrame]

	lock   rawlock.Mutex
	top    atom.Uint32
	steals atom.Uint32 // wraps
	inVain uint32      // vain visits since the last fence; guarded by lock

	// The list of all that may hold something; see forkList.
	listed    atom.Uint32
	link      *forkq
	misses    uint8
	sysEpoch  uint32 // sysmon's: epoch at its last look, if the queue wasn't empty then
	sysQueued bool
}

type spare struct {
	tag  unsafe.Pointer
	head *frame
}

const (
	noLimit   = 1<<32 - 1
	forkSlots = 16
	forkKeep  = 1024 // slots that an idle queue keeps
)

// forkq returns the queue of st, which is the caller's.
func (st *stack) forkq() *forkq {
	q := st.forks
	if q == nil {
		q = newForkq(st)
		st.forks = q
	}
	return q
}

func newForkq(st *stack) *forkq {
	q := &forkq{st: st}
	q.grow()
	q.limit.Store(q.openLimit())
	return q
}

// openLimit is what limit is when no thief is inside.
func (q *forkq) openLimit() uint32 {
	if fence.Ready() {
		return q.top.Load()
	}
	return noLimit
}

// empty may be called by anyone; the answer may be old by the time it is read.
func (q *forkq) empty() bool { return int32(q.bottom.Load()-q.top.Load()) <= 0 }

// push offers slots[i], which is filled; i is bottom. Owner only.
func (q *forkq) push(i uint32) {
	q.bottom.StoreRel(i + 1)
	if q.limit.Load() >= i {
		q.pushed(i)
	}
}

// pop takes slots[i], the innermost, back, and reports whether it is the caller's to run; if not, it must
// be awaited. Owner only.
func (q *forkq) pop(i uint32) bool {
	q.bottom.StoreRel(i)
	return q.limit.Load() <= i || q.popSlow(i)
}

func (q *forkq) popSlow(i uint32) bool {
	q.lock.Lock()
	mine := q.top.Load() <= i
	q.limit.Store(q.openLimit())
	q.lock.Unlock()
	return mine
}

// drop takes slots[i], the innermost, out, whatever thieves have done to it. Owner only.
func (q *forkq) drop(i uint32) {
	q.lock.Lock()
	q.bottom.StoreRel(i)
	q.top.Store(min(q.top.Load(), i))
	q.limit.Store(q.openLimit())
	q.lock.Unlock()
}

// await waits for slots[i], which pop has found stolen.
func (q *forkq) await(i uint32) joinResult {
	r, gone := q.slots[i].await(q.st.g)
	if gone {
		q.slots[i] = &noFrame
	}
	q.drop(i)
	return r
}

// fit makes slots[i], for i at or above bottom, a frame of the type that tag stands for, and returns it;
// noFrame if there is none to be had: then the caller makes one. Owner only.
func (q *forkq) fit(i uint32, tag unsafe.Pointer) *frame {
	if int(i) == len(q.slots) {
		q.grow()
	}
	f := q.slots[i]
	if f.tag == tag {
		return f
	}
	if f != &noFrame { // reset keeps nothing of the user's alive
		q.slots[i] = &noFrame
		if i == 0 {
			q.loop.Store(nil)
		}
		f.reset()
		f.used = false
		s := q.spares(f.tag)
		f.link, s.head = s.head, f
	}
	s := q.spares(tag)
	if f = s.head; f != nil {
		s.head, f.link = f.link, nil
		q.slots[i] = f
	}
	return q.slots[i]
}

// spares returns the list of spare frames of one type.
func (q *forkq) spares(tag unsafe.Pointer) *spare {
	for i := range q.spare {
		if q.spare[i].tag == tag {
			return &q.spare[i]
		}
	}
	q.spare = append(q.spare, spare{tag: tag})
	return &q.spare[len(q.spare)-1]
}

func (q *forkq) grow() {
	slots := make([]*frame, max(2*len(q.slots), forkSlots))
	for i := copy(slots, q.slots); i < len(slots); i++ {
		slots[i] = &noFrame
	}
	q.lock.Lock()
	q.slots = slots
	q.lock.Unlock()
}

// rest is called when the queue has become empty: what its frames still hold is forgotten, so that
// nothing of the user's is kept alive. Each was used since the last time, so it costs no more than that.
func (q *forkq) rest() {
	q.gp.StoreRel(nil) // a thief that comes before the next push has told whose it is must not ask one that has ended
	for _, f := range q.slots {
		if !f.used {
			break
		}
		f.reset()
		f.used = false
	}
	if len(q.slots) > forkKeep {
		q.lock.Lock()
		q.slots = append([]*frame(nil), q.slots[:forkKeep]...)
		q.spare = nil
		q.lock.Unlock()
	}
}

// steal takes the oldest piece on offer as a task for p, nil if there is none. The caller holds p.
func (q *forkq) steal(p *P) *G {
	if !q.lock.TryLock() {
		return nil
	}
	f := q.take(p)
	if f != nil {
		f.parent = q.gp.Load().idOf()
		q.steals.Add(1)
	}
	q.lock.Unlock()
	if f == nil {
		return nil
	}
	return f.task(p)
}

// take is steal under lock.
func (q *forkq) take(p *P) *frame {
	if q.limit.Load() == noLimit { // the owner takes the lock, too
		return q.takeOldest(p)
	}
	if q.empty() {
		return nil
	}
	q.limit.Store(noLimit)
	f := q.takeOfLoop(p)
	if f == nil && !q.empty() && !q.vain() && fence.Heavy() { // which may be refused, by a filter or for want of memory
		f = q.takeOldest(p)
	}
	q.limit.Store(q.top.Load())
	return f
}

// takeOldest takes from the top, and moves top past loops of which nothing is left. Needs lock, and Heavy if the
// owner pops without lock.
func (q *forkq) takeOldest(p *P) *frame {
	var got *frame
	t, b := q.top.Load(), q.bottom.Load()
	for int32(b-t) > 0 && got == nil {
		f := q.slots[t]
		if f.loop {
			got = (*forFrame)(unsafe.Pointer(f)).split(p)
		} else {
			got = f
			f.state.Store(frameStolen)
		}
		if !f.loop || got == nil {
			t++
		}
	}
	q.top.Store(t)
	return got
}

// vain reports whether a fence would be for nothing: all that is on offer is a loop of which nothing is left, which
// its owner mostly ends before a fence is through. After forkInVain such visits it says no: the last piece is long, and
// take is to move top past the loop. Needs lock.
func (q *forkq) vain() bool {
	l := q.loop.Load()
	if l == nil || q.top.Load() != 0 || q.bottom.Load() != 1 || l.lo.Load() < l.hi.Load() || q.inVain == forkInVain {
		q.inVain = 0
		return false
	}
	q.inVain++
	return true
}

// takeOfLoop takes a part of the loop in slot 0, if top is still 0; nil if there is none, or nothing is left of it. It
// needs no Heavy, as the owner has a fence of its own: see forFrame. Needs lock; limit is noLimit.
func (q *forkq) takeOfLoop(p *P) *frame {
	l := q.loop.Load()
	if l == nil || q.top.Load() != 0 {
		return nil
	}
	return l.split(p)
}
