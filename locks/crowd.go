package locks

import (
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// What a Broadcast does with a crowd. Waiters that only look at what is waited for and wait again need L all the time, so they can run
// one after the other only; woken at once, on several Ps, they fight for it. Such a crowd is moved into L's queue, and each Unlock
// wakes the next ("wait morphing"; FUTEX_CMP_REQUEUE of futex(2)). Waiters that unlock L and then have something to do are all woken,
// to run side by side. In Go runtime/sema.go, notifyListNotifyAll, always wakes all.

// crowd tells the two kinds apart, by how soon a few that are watched wait again. All but haste is guarded by L, a Mutex. haste is
// written with L and the Cond's lock held, and read under the latter: a Broadcast need not have L.
type crowd struct {
	turn   uint8   // counts those who leave Wait; each crowdSample-th is watched
	haste  int8    // 0 to mostHaste: up when one comes back soon, down when not
	who    uintptr // the Waiter that is watched; a number, to retain nothing
	leftAt int64   // when it has left Wait, ns
	late   bool    // one that was watched has not come back until another was to be
}

const (
	crowdMin    = 9   // fewer are not moved: there is little to win
	crowdSample = 64  // a look at the clock takes longer than the rest of goes and comes
	soonNS      = 500 // between those who only look, some 250 ns, and those with something to do, for whom a second P pays
	hasteMoves  = 4   // from here on the crowd is moved; one who is late takes off as much, so two in a row always end it
	mostHaste   = 8
)

// goes is called by w when it leaves Wait, with L locked.
func (c *crowd) goes(w *sched.Waiter) {
	if c.turn++; c.turn%crowdSample == 0 {
		c.late = c.who != 0
		c.who, c.leftAt = uintptr(unsafe.Pointer(w)), w.G.Nanotime()
	}
}

// comes is called by w when it begins to wait, with L and the Cond's lock held.
func (c *crowd) comes(w *sched.Waiter) {
	if c.late {
		c.late = false
		c.haste = max(c.haste-hasteMoves, 0)
	}
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

// movable reports whether all who wait can be moved into the queue of m, which is L, and are many: who waits with a context can't
// be, since its end looks for the waiter under the Cond's lock; who has come with another L would lock that one; and with one P there is
// nobody to fight with. Needs lock.
func (c *Cond) movable(m *Mutex) bool {
	n := 0
	for w := c.queue.First(); w != nil; w = w.Next() {
		if w.N != 0 {
			return false
		}
		n++
	}
	return n >= crowdMin && c.of == m && c.queue.First().G.Procs() > 1
}

// moveTo moves all who wait into m's queue, in their order, and wakes one if nobody has m. Needs lock, and releases it.
func (c *Cond) moveTo(m *Mutex) {
	m.lock.Lock()
	now := c.queue.First().G.Nanotime() // not Self's: a timer's function has none
	for w := c.queue.First(); w != nil; w = c.queue.First() {
		if w.MoveTo(&m.queue, sched.WaitReasonMutexLock, &m.lock) {
			w.N = now
		}
	}
	m.stir()
	m.state.Or(waiting)
	if hb.On {
		hb.Release(c.early.Addr())
	}
	c.lock.Unlock()
	m.release()
}

// lockMoved locks m for a waiter that has been moved, and that m has woken; false if it has been unwound since.
func (c *Cond) lockMoved(m *Mutex, w *sched.Waiter) bool {
	if hb.On {
		hb.Acquire(c.early.Addr())
	}
	return w.Given || m.compete(w, woken, sched.WaitReasonMutexLock) == got
}
