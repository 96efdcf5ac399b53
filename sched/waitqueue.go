package sched

import (
	"context"
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rawlock"
)

// Queues of Gs that wait for a primitive. The same in Go: runtime/runtime2.go, sudog, of which a P keeps a
// store; here each G has one that stays with it, since it waits in one place at a time.

// Waiter is the place of a G in a WaitQueue. But for G it is guarded by the lock that guards the queue.
type Waiter struct {
	G *G // never changes

	N         int64 // the primitive's own
	Given     bool  // the same: whoever has taken it out of the queue has given it what it waits for
	Cancelled bool  // the context of CancelOn has ended; never true of (*G).Waiter's

	queue      *WaitQueue // in which it is; nil: in none
	next, prev *Waiter
}

// Waiter returns gp's own Waiter, for the calls that gp, which must be Self(), makes: for one wait at a time. A wait
// with a context takes a Waiter of its own, since that context may be slow to learn that the wait is over.
func (gp *G) Waiter() *Waiter {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if gp.waiter == nil {
		gp.waiter = &Waiter{G: gp}
	}
	if hb.On { // each time: the last wait may have been in another's queue, in another context
		hb.Fresh(unsafe.Pointer(gp.waiter), unsafe.Sizeof(Waiter{}))
	}
	return gp.waiter
}

// WaitQueue is a list of Waiters, usually first in first out. The zero value is empty. It has no lock: that of the
// primitive guards it.
type WaitQueue struct{ first, last *Waiter }

// Empty reports whether nobody is in q.
func (q *WaitQueue) Empty() bool { return q.first == nil }

// First returns the first of q, nil if there is none.
func (q *WaitQueue) First() *Waiter { return q.first }

// Next returns the Waiter behind w in its queue, nil if w is the last.
func (w *Waiter) Next() *Waiter { return w.next }

// Queued reports whether w is in a queue.
func (w *Waiter) Queued() bool { return w.queue != nil }

// PushBack puts w, which is in no queue, at the end of q.
func (q *WaitQueue) PushBack(w *Waiter) {
	w.queue = q
	w.next, w.prev = nil, q.last
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
}

// PushFront puts w, which is in no queue, before all others.
func (q *WaitQueue) PushFront(w *Waiter) {
	w.queue = q
	w.next, w.prev = q.first, nil
	if q.first == nil {
		q.last = w
	} else {
		q.first.prev = w
	}
	q.first = w
}

// Remove takes w out of its queue, and reports whether it was in one.
func (w *Waiter) Remove() bool {
	q := w.queue
	if q == nil {
		return false
	}
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.queue, w.next, w.prev = nil, nil, nil
	return true
}

// MoveTo takes w, whose G is parked, out of its queue and puts it at the end of to, as if its G had parked there with that reason
// and lock. The caller holds the locks of both queues. It never blocks. Not for a Waiter of CancelOn, which would go on looking under
// the old lock. False means that w's G is being unwound: then w is in neither queue, as with (*WaitQueue).Claim. The lock is of a kind that
// only userrt's own packages have.
func (w *Waiter) MoveTo(to *WaitQueue, reason WaitReason, lock *rawlock.Mutex) bool {
	w.Remove()
	gp := w.G
	if !gp.claimUnwind() { // for a moment, in which it is neither unwound nor looked at for a dump: its note is being written
		return false
	}
	gp.reason = reason
	if st := gp.stk; st != nil {
		st.wait.begin(unsafe.Pointer(lock), st.wait.since)
	} else {
		gp.native.waitsFor(unsafe.Pointer(lock))
	}
	to.PushBack(w)
	gp.state.StoreRel(gWaiting)
	return true
}

// Claim takes the first Waiter out that can still be woken and wins the right to; nil if there is none. Those that
// are being unwound are taken out as well: they find that out under the lock. Who has claimed w must call w.G.Ready
// once the lock is released, and not touch w after that.
func (q *WaitQueue) Claim() *Waiter {
	for {
		w := q.first
		if w == nil {
			return nil
		}
		w.Remove()
		if w.G.Claim() {
			return w
		}
	}
}

// ClaimAll is Claim for all that are in q: it returns them in a queue of their own, for ReadyAll, and how many
// could not be claimed.
func (q *WaitQueue) ClaimAll() (won WaitQueue, lost int) {
	for w := q.first; w != nil; w = q.first {
		w.Remove()
		if w.G.Claim() {
			won.Chain(w)
		} else {
			lost++
		}
	}
	return won, lost
}

// Chain puts w, which has been claimed and is in no queue, at the end of q, for ReadyAll. It is not in q as one that
// waits is: Queued is false, and Remove does nothing.
func (q *WaitQueue) Chain(w *Waiter) {
	w.next = nil
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
}

// ReadyAll makes all runnable that ClaimAll or Chain has put into q, the first one first. Not to be called with a lock
// held that they want at once.
func (q *WaitQueue) ReadyAll() {
	for w := q.first; w != nil; {
		next := w.next
		w.next = nil
		w.G.Ready() // from here on w is its G's
		w = next
	}
	q.first, q.last = nil, nil
}

// CancelOn lets the end of ctx end the wait of w, a Waiter made for this one wait: w.Cancelled is set, and if w is in a
// queue then, it is taken out and its G made runnable. lock is what guards the queue; the caller must not hold it.
// stop, to be called when the wait is over, whoever has ended it, ends the watch over ctx.
//
// The waiter looks at Cancelled under lock before it enqueues itself, and afterwards: one that was given what it waits
// for (Given, or what the primitive has for it) keeps that, although Cancelled may be true as well.
//
// A deadlock is not reported while such a wait goes on, since nobody knows when ctx ends. The lock is of a kind that only
// userrt's own packages have; with any other, use WhenDone.
func (w *Waiter) CancelOn(ctx context.Context, lock *rawlock.Mutex) (stop func()) {
	off := WhenDone(ctx, func() {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}
		w.cancel(lock)
	})
	return func() { off() }
}

func (w *Waiter) cancel(lock *rawlock.Mutex) {
	lock.Lock()
	w.Cancelled = true
	if w.queue == nil || !w.G.Claim() {
		lock.Unlock()
		return
	}
	w.Remove()
	lock.Unlock()
	w.G.Ready()
}
