//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/sched"
)

// fdMutex guards the life of a descriptor: it counts who uses it, makes readers take turns and
// writers take turns, and lets one closer in for good. The descriptor is closed by whoever drops the
// last reference after that, so its number is never given away under somebody's hands.
//
// One word of state:
//
//	bit 0        fdClosed   set once; from then on nobody new comes in
//	bit 1, 2     fdLock     the reader's lock is held; the writer's
//	bit 3, 4     fdQueued   somebody is queued for the reader's lock; the writer's
//	bits 5..31   references: one for each lock held, each call under way, and the closer
//
// Invariants:
//
//	F1  a queued bit is changed under mu only, and is set exactly while that queue is not empty.
//	F2  a queued bit implies the lock bit: a caller sets it and queues itself only where it finds
//	    the lock held, in one CAS.
//	F3  unlocking with somebody queued hands lock and reference to the first in the queue that can
//	    still be woken; the lock bit stays set meanwhile. So turns come in order of arrival.
//	F4  after fdClosed is set nobody is queued once close has emptied the queues.
//
// Lock order: mu is a leaf, nothing blocks under it.
//
// The same in Go: internal/poll/fd_mutex.go. There an unlock frees the lock and wakes one waiter, who
// competes for it again; handing it over is simpler to prove, and nobody starves.
type fdMutex struct {
	state atom.Uint32
	mu    rawlock.Mutex // guards queue
	queue [2]struct{ first, last *fdWaiter }
}

const (
	fdClosed = 1 << 0
	fdLock   = 1 << 1 // << direction
	fdQueued = 1 << 3 // << direction
	fdRef    = 1 << 5
	fdRefs   = ^uint32(fdRef - 1)
)

// direction says which of an fdMutex's two locks is meant.
type direction uint

const (
	reading direction = 0
	writing direction = 1
)

// fdWaiter is a caller that waits for its turn. It lives on the heap, since others write to it.
type fdWaiter struct {
	word waitWord
	next *fdWaiter
	got  bool       // the lock is the waiter's; written under mu, before word is made ready
	by   *canceller // may end the wait; nil mostly
}

// incref adds a reference; false means that the descriptor is closed.
func (f *fdMutex) incref() bool {
	for {
		old := f.state.Load()
		if old&fdClosed != 0 {
			return false
		}
		if f.state.CompareAndSwap(old, f.plusRef(old)) {
			return true
		}
	}
}

// plusRef returns the state with one reference more.
func (f *fdMutex) plusRef(old uint32) uint32 {
	if old&fdRefs == fdRefs {
		panic("netpoll: too many concurrent operations on one connection (max 134217727)")
	}
	return old + fdRef
}

// decref drops a reference and reports whether it was the last one of a closed descriptor: then the
// caller must close it.
func (f *fdMutex) decref() (last bool) {
	state := f.state.Add(^uint32(fdRef - 1))
	return state&fdClosed != 0 && state&fdRefs == 0
}

// lock adds a reference and takes d's lock; it parks the caller while another holds it. When held is
// false, nothing is: the descriptor is closed. When unwound is true the caller unlocks what it holds and
// calls runtime.Goexit.
func (f *fdMutex) lock(d direction) (held, unwound bool) { return f.lockUnless(d, nil) }

// lockUnless is lock for a caller whom by, if not nil, may send away: then nothing is held either.
func (f *fdMutex) lockUnless(d direction, by *canceller) (held, unwound bool) {
	for {
		old := f.state.Load()
		if old&fdClosed != 0 || by.cancelled() {
			return false, false
		}
		if old&(fdLock<<d) != 0 {
			if w := f.enqueue(d, by); w != nil {
				return f.await(d, w)
			}
			continue
		}
		if f.state.CompareAndSwap(old, f.plusRef(old)|fdLock<<d) {
			return true, false
		}
	}
}

// tryLock is lock for a caller that does not wait: busy means that another holds the lock.
func (f *fdMutex) tryLock(d direction) (held, busy bool) {
	for {
		old := f.state.Load()
		switch {
		case old&fdClosed != 0:
			return false, false
		case old&(fdLock<<d) != 0:
			return false, true
		case f.state.CompareAndSwap(old, f.plusRef(old)|fdLock<<d):
			return true, false
		}
	}
}

// unlock undoes lock. Its result is decref's.
func (f *fdMutex) unlock(d direction) (last bool) {
	for {
		old := f.state.Load()
		if old&(fdQueued<<d) != 0 {
			if f.handOver(d) {
				return false
			}
			continue // all those queued were being unwound; the bit is gone
		}
		state := (old &^ (fdLock << d)) - fdRef
		if f.state.CompareAndSwap(old, state) {
			return state&fdClosed != 0 && state&fdRefs == 0
		}
	}
}

// enqueue puts the caller at the end of d's queue, or returns nil when there is no need to wait any
// more (F2).
func (f *fdMutex) enqueue(d direction, by *canceller) *fdWaiter {
	w := &fdWaiter{by: by}
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		old := f.state.Load()
		if old&fdClosed != 0 || old&(fdLock<<d) == 0 || by.cancelled() {
			return nil
		}
		if f.state.CompareAndSwap(old, old|fdQueued<<d) {
			break
		}
	}
	q := &f.queue[d]
	if q.first == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	return w
}

// await parks the caller until its turn comes, which is held, or the descriptor is closed.
func (f *fdMutex) await(d direction, w *fdWaiter) (held, unwound bool) {
	if w.word.wait(sched.WaitReasonSemacquire) {
		return w.got, false
	}
	// Somebody may have handed the lock over before the wait began. Once w is not queued nobody
	// writes to it.
	f.remove(d, w)
	return w.got, true
}

// handOver gives d's lock, with the caller's reference, to the first queued waiter that can still be
// woken; false means that there was none and the queue is empty.
func (f *fdMutex) handOver(d direction) bool {
	f.mu.Lock()
	for {
		w := f.pop(d)
		if w == nil {
			f.mu.Unlock()
			return false
		}
		w.got = true
		g, lost := w.word.notify()
		if lost {
			w.got = false
			continue
		}
		f.mu.Unlock()
		if g != nil {
			g.Ready()
		}
		return true
	}
}

// pop takes the first waiter out of d's queue; mu is held.
func (f *fdMutex) pop(d direction) *fdWaiter {
	q := &f.queue[d]
	w := q.first
	if w != nil {
		q.first = w.next
		w.next = nil
	}
	if q.first == nil {
		q.last = nil                        // it may still name one that has gone
		f.state.And(^uint32(fdQueued << d)) // F1
	}
	return w
}

// remove takes w out of d's queue if it is still there.
func (f *fdMutex) remove(d direction, w *fdWaiter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unlink(d, w)
}

// dismiss sends by's waiter away if it is queued.
func (f *fdMutex) dismiss(by *canceller) {
	f.mu.Lock()
	w := f.queue[by.d].first
	for w != nil && w.by != by {
		w = w.next
	}
	if w != nil {
		f.unlink(by.d, w)
	}
	f.mu.Unlock()
	if w != nil {
		w.word.wake()
	}
}

// unlink is remove for a caller that holds mu.
func (f *fdMutex) unlink(d direction, w *fdWaiter) {
	q := &f.queue[d]
	if q.first == w {
		f.pop(d)
		return
	}
	for v := q.first; v != nil; v = v.next {
		if v.next != w {
			continue
		}
		v.next = w.next
		if q.last == w {
			q.last = v
		}
		return
	}
}

// close shuts the descriptor to newcomers, sends away those that are queued, and leaves the caller
// with a reference; false means that somebody else has closed it.
func (f *fdMutex) close() bool {
	for {
		old := f.state.Load()
		if old&fdClosed != 0 {
			return false
		}
		if f.state.CompareAndSwap(old, f.plusRef(old)|fdClosed) {
			break
		}
	}
	for _, d := range []direction{reading, writing} {
		f.mu.Lock()
		w := f.queue[d].first
		f.queue[d].first = nil
		f.pop(d) // of the empty queue: clears its bit
		f.mu.Unlock()
		for w != nil {
			next := w.next
			w.word.wake()
			w = next
		}
	}
	return true
}
