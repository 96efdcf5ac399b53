package locks

import (
	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/fence"
)

// A calm Mutex: one that nobody has had to wait for lately is unlocked by plain stores, in place of a locked instruction, and who comes to
// wait pays for both sides (internal/fence). A Lock and its Unlock take 10 ns so, in place of 15. The runtime's locks always use the
// instruction, since they can't know who comes.
//
//	Lock:                      take the lock in state; held = calm
//	Unlock, if held:           held = false; state = 0; load calm
//	a waiter, with m.lock:     calm = false; fence.Heavy(); say waiting in state
//
// Unlock overwrites what others have said in state since. If that was a waiter, then Unlock finds that the lock is not calm any more, is late,
// and looks into the queue itself. The processor may let Unlock's load pass its store, but if it did then the fence lies behind both, and the
// waiter finds the lock free. All who set a bit in the word of a lock that another has do as the waiter does, or set one that may get lost:
// woken, which says that nobody else need be woken, and noted.
//
// held belongs to the holder, and also tells an Unlock too many: to look into state for that would cost 3 ns, since a load of what a locked
// instruction has just written waits until that is through. That Unlock is inlined is worth another 3.
//
// calm is set by a holder, with m.lock held and nobody in the queue, and cleared with m.lock held. So if it is set again before
// an Unlock that is late looks at it, then the waiter has left.

// quietEnough Unlocks in a row make a lock a calm one. They take thirty times as long as the fence, 2 µs with two busy processors.
var quietEnough uint16 = 4096 // less in a test

// unlockCalm is Unlock if the lock was calm when it was taken. Else, or if that is late, Unlock is not done.
//
//go:norace
func (m *Mutex) unlockCalm() (late, done bool) {
	if !m.held {
		return false, false
	}
	m.held = false
	m.state = 0
	return true, m.calm
}

// unlockLate looks for the waiters whose marks the caller has overwritten.
func (m *Mutex) unlockLate() (handed bool) {
	m.lock.Lock()
	if !m.queue.Empty() {
		m.state.Or(waiting)
	}
	return m.release()
}

// hold is called by who has just taken m.
//
//go:norace
func (m *Mutex) hold() { m.held = m.calm }

// count counts the Unlock that the caller is about to do, and makes m calm if that is enough.
//
//go:norace
func (m *Mutex) count() {
	if m.quiet++; m.quiet < quietEnough || !atom.Plain || m.calm {
		return
	}
	m.quiet = 0
	m.lock.Lock()
	m.calm = m.queue.Empty() && fence.Ready()
	m.lock.Unlock()
}

// stir ends the calm, before the caller says in the word of a lock that may be another's that somebody waits. Needs m.lock.
func (m *Mutex) stir() {
	if m.calm {
		m.calm = false
		fence.Heavy()
	}
}
