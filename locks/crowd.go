package locks

import (
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// What a Broadcast does with a crowd. Who does nothing but look at what is waited for, and wait again, can do so one after the other
// only: woken at once, on several Ps, the crowd fights for L. So it is moved into L's queue, and each is woken by the Unlock of the one
// before ("wait morphing"; futex(2) has FUTEX_CMP_REQUEUE for it). But who unlocks L and has something to do is to run beside the
// others, and is woken with them. The same in Go: runtime/sema.go, notifyListNotifyAll, which always wakes all.

// crowd tells those two apart, by how soon some of the waiters that have been woken wait again. Guarded by L, a Mutex.
type crowd struct {
	turn   uint8   // counts those who leave Wait; each crowdSample-th is watched
	haste  int8    // 0 to mostHaste: up when one comes back soon, down when not
	who    uintptr // the Waiter that is watched; a number, to retain nothing
	leftAt int64   // when it has left Wait, ns
}

const (
	crowdMin    = 9   // fewer are not moved
	crowdSample = 64  // the clock takes as long as three switches of a lock
	soonNS      = 500 // one after the other, 230 ns a task and what it does; on two Ps, half of 900 and what it does
	hasteMoves  = 4   // so much moves the crowd
	mostHaste   = 8
)

// goes is called by w when it leaves Wait, with L locked.
func (c *crowd) goes(w *sched.Waiter) {
	if c.turn++; c.turn%crowdSample == 0 {
		c.who, c.leftAt = uintptr(unsafe.Pointer(w)), w.G.Nanotime()
	}
}

// comes is called by w when it begins to wait, with L locked.
func (c *crowd) comes(w *sched.Waiter) {
	if c.who == uintptr(unsafe.Pointer(w)) {
		c.judge(w.G.Nanotime())
	}
}

func (c *crowd) judge(now int64) {
	c.who = 0
	if now-c.leftAt < soonNS {
		c.haste = min(c.haste+1, mostHaste)
	} else {
		c.haste = max(c.haste-hasteMoves, 0)
	}
}

// stays reports whether the waiters seem to wait again at once.
func (c *crowd) stays() bool { return c.haste >= hasteMoves }

// movable reports whether all who wait can be moved into the queue of L, a Mutex, and are many: who waits with a context can't
// be, since its end looks for the waiter under the Cond's lock; and with one P there is nobody to fight with. Needs lock.
func (c *Cond) movable() bool {
	n := 0
	for w := c.queue.First(); w != nil; w = w.Next() {
		if w.N != 0 {
			return false
		}
		n++
	}
	return n >= crowdMin && sched.Current().SetProcs(0) > 1
}

// moveTo moves all who wait into m's queue, in their order, and wakes one if nobody has m. Needs lock, and releases it.
func (c *Cond) moveTo(m *Mutex) {
	m.lock.Lock()
	now := sched.Self().Nanotime()
	for w := c.queue.First(); w != nil; w = c.queue.First() {
		if w.MoveTo(&m.queue, sched.WaitReasonMutexLock, &m.lock) {
			w.N = now
		}
	}
	m.state.Or(waiting)
	if hb.On {
		hb.Release(c.early.Addr())
	}
	c.lock.Unlock()
	m.release()
}

// lockMoved is the end of waitMutex for a waiter that has been moved, and that m has woken.
func (c *Cond) lockMoved(m *Mutex, w *sched.Waiter) result {
	if hb.On {
		hb.Acquire(c.early.Addr())
	}
	if !w.Given && m.awaitAgain(w, sched.WaitReasonMutexLock) == unwound {
		m.lockAnyway()
		return unwound
	}
	c.crowd.goes(w)
	if hb.On {
		hb.Acquire(m.word.Addr())
	}
	return got
}
