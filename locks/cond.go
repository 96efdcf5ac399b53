package locks

import (
	"context"
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/nocopy"
	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/sched"
)

// Cond is where tasks and goroutines wait for an event that others announce; see sync.Cond. Waiters are woken in the order
// in which they have called Wait. A Cond must not be copied after its first use: go vet sees that, and the calls
// panic with "sync.Cond is copied". The same in Go: sync/cond.go, runtime/sema.go, notifyList.
//
// A Signal or Broadcast happens before the return of each Wait that it ends.
//
// With a Mutex of this package as L, a waiter goes into the queue, unlocks and parks under the Cond's lock, so whoever is found in the
// queue can be woken. Another Locker's Unlock may be any code, which may itself wait: there a waiter is in the queue before,
// and marked as parked once it is. Who finds it unmarked only takes it out.
type Cond struct {
	_ nocopy.NoCopy

	// L is locked by who looks at or changes what is waited for.
	L Locker

	early hb.Word // for the race detector: of those whom the one who wakes them does not make runnable: not parked yet, or moved
	self  atomic.Uintptr

	lock  rawlock.Mutex // guards queue and of
	queue sched.WaitQueue
	of    *Mutex // that those in queue have unlocked; nil if that is not the same for all

	crowd crowd // whether a Broadcast is to move them
}

// What N of a Waiter says: 0, it is parked; one of these; or, above notParked, when it was moved into L's queue.
const (
	withContext = -1
	notParked   = 1 // it is not to be claimed
)

// NewCond returns a Cond with the Locker l.
func NewCond(l Locker) *Cond { return &Cond{L: l} }

// Wait unlocks c.L, waits for a Signal or Broadcast, and locks c.L again. When it returns, what was waited for need not be
// so any more: call it in a loop. A task that is unwound in Wait has c.L locked when its deferred calls run, as they
// expect. Only if that can't be had within a second, because somebody has ended without an Unlock or holds it for so long, they run without it.
// An Unlock of theirs then does nothing if nobody has the lock. For a Locker of another kind Wait calls Lock,
// and again for as long if the task is unwound in it; what an Unlock without a lock does there is up to that Locker.
func (c *Cond) Wait() { c.wait() } // inlined: a call less whose return crosses the switch

func (c *Cond) wait() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	c.check()
	m, ok := c.L.(*Mutex)
	if !ok {
		if c.waitOther(&sched.Waiter{G: sched.Self()}) == unwound {
			runtime.Goexit()
		}
		return
	}
	w := sched.Self().Waiter()
	c.lock.Lock()
	c.enter(m, w, 0)
	leave := w.G.BeginPark(sched.WaitReasonCondWait, &c.lock)
	leave()
	if c.leave(m, w) == unwound {
		runtime.Goexit()
	}
}

// WaitContext is Wait that gives up when ctx ends, and then returns ctx.Err(). It returns with c.L locked in either case,
// which it waits for however ctx is. If it returns nil a Signal or Broadcast was for the caller, also when ctx has
// ended meanwhile.
func (c *Cond) WaitContext(ctx context.Context) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	c.check()
	if err := ended(ctx); err != nil {
		return err
	}
	w, stop := waiter(ctx, &c.lock)
	defer stop()
	if m, ok := c.L.(*Mutex); ok {
		return c.waitMutex(m, w).err(ctx)
	}
	if never(ctx) { // L may be anything, and wait with the caller's own
		w = &sched.Waiter{G: w.G}
	}
	return c.waitOther(w).err(ctx)
}

// waitMutex waits with a context, where L is one of ours.
func (c *Cond) waitMutex(m *Mutex, w *sched.Waiter) result {
	c.lock.Lock()
	if w.Cancelled {
		c.lock.Unlock()
		return gaveUp
	}
	c.enter(m, w, withContext)
	leave := w.G.BeginPark(sched.WaitReasonCondWait, &c.lock)
	leave()
	return c.leave(m, w)
}

// enter puts w, the caller's, into the queue and unlocks m, which is L. kind is 0 or withContext. Needs lock.
func (c *Cond) enter(m *Mutex, w *sched.Waiter, kind int64) {
	c.crowd.comes(w)
	if c.queue.Empty() {
		c.of = m
	} else if c.of != m {
		c.of = nil
	}
	w.Given, w.N = false, kind
	c.queue.PushBack(w)
	if hb.On {
		hb.ReleaseStore(m.word.Addr())
	}
	m.unlockQuietly()
}

// leave is what follows the wait of who has entered: it locks m again.
func (c *Cond) leave(m *Mutex, w *sched.Waiter) result {
	if !w.G.EndPark() {
		c.lock.Lock()
		m.lock.Lock() // it may be in either's queue
		w.Remove()
		c.lock.Unlock()
		m.giveUp(0)
		m.lockAnyway()
		return unwound
	}
	r, have := gaveUp, false
	if w.N > notParked {
		r, have = got, c.lockMoved(m, w)
	} else {
		if w.Given {
			r = got
			w.G.Woken()
		}
		have = m.takeFree() || m.await(nil, sched.WaitReasonMutexLock) == got
	}
	if !have {
		m.lockAnyway()
		return unwound
	}
	c.crowd.goes(w)
	if hb.On {
		hb.Acquire(m.word.Addr())
	}
	return r
}

// waitOther waits, whatever L is.
func (c *Cond) waitOther(w *sched.Waiter) result {
	c.lock.Lock()
	if w.Cancelled {
		c.lock.Unlock()
		return gaveUp
	}
	w.N = notParked
	c.queue.PushBack(w)
	c.lock.Unlock()
	left := false
	defer func() {
		if !left { // Unlock has panicked, or the task has been unwound in it
			c.lock.Lock()
			w.Remove()
			c.lock.Unlock()
		}
	}()
	outside(c.L.Unlock)
	left = true
	r := c.park(w)
	if !c.lockOther() {
		return unwound
	}
	return r
}

// lockOther locks c.L again, whatever it is; false if the caller has been unwound meanwhile, or it ends there and then.
func (c *Cond) lockOther() bool {
	switch l := c.L.(type) {
	case *RWMutex:
		return l.lockAnyway()
	case *rlocker:
		return (*RWMutex)(l).rlockAnyway()
	}
	lockForeign(c.L, new(tries))
	return true
}

// park parks the caller, whose place in the queue w has been, unless it has been woken since.
func (c *Cond) park(w *sched.Waiter) result {
	c.lock.Lock()
	switch {
	case w.Given:
		c.lock.Unlock()
		if hb.On {
			hb.Acquire(c.early.Addr())
		}
		return got
	case w.Cancelled:
		w.Remove()
		c.lock.Unlock()
		return gaveUp
	}
	w.N = 0
	leave := w.G.BeginPark(sched.WaitReasonCondWait, &c.lock)
	leave()
	if !w.G.EndPark() {
		c.lock.Lock()
		w.Remove()
		c.lock.Unlock()
		return unwound
	}
	if w.Given {
		w.G.Woken()
		return got
	}
	return gaveUp
}

// Signal wakes the one that has waited longest, if any waits. The caller may, but need not, have c.L locked.
func (c *Cond) Signal() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	c.check()
	c.lock.Lock()
	w, parked := c.next()
	c.lock.Unlock()
	if parked {
		w.G.Ready()
	}
	giveWay()
}

// next takes out the first waiter that can be woken, and reports whether it is parked and must be made runnable; nil if
// there is none. Needs lock.
func (c *Cond) next() (w *sched.Waiter, parked bool) {
	for w = c.queue.First(); w != nil; w = c.queue.First() {
		w.Remove()
		switch {
		case w.N == notParked:
			w.Given = true
			if hb.On {
				hb.Release(c.early.Addr())
			}
			return w, false
		case w.G.Claim():
			w.Given = true
			return w, true
		}
	}
	return nil, false
}

// Broadcast wakes all that wait. The caller may, but need not, have c.L locked. Of many that do no more than look and wait again, some may be
// left in c.L's queue until it is their turn: a dump shows them waiting for c.L.
func (c *Cond) Broadcast() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	c.check()
	c.lock.Lock()
	if m, ok := c.L.(*Mutex); ok && c.crowd.stays() && c.movable(m) {
		c.moveTo(m)
	} else {
		c.wakeAll()
	}
	giveWay()
}

// wakeAll makes all runnable. Needs lock, and releases it.
func (c *Cond) wakeAll() {
	var woken sched.WaitQueue
	for w, parked := c.next(); w != nil; w, parked = c.next() {
		if parked {
			woken.Chain(w)
		}
	}
	c.lock.Unlock()
	woken.ReadyAll()
}

// check panics if c has been copied since its first use: it keeps its own address.
func (c *Cond) check() {
	me := uintptr(unsafe.Pointer(c))
	if c.self.Load() != me && !c.self.CompareAndSwap(0, me) && c.self.Load() != me {
		panic("sync.Cond is copied")
	}
}
