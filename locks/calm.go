package locks

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/fence"
	"github.com/userrt/userrt/internal/procyield"
)

// A calm Mutex: one that nobody has had to wait for lately is unlocked by plain stores, in place of a locked instruction, and who comes to
// wait pays for both sides (internal/fence). A Lock and its Unlock take 10 ns so, in place of 17. The runtime's locks always use the
// instruction, since they can't know who comes.
//
//	Lock:                      take the lock in state; held = calm
//	Unlock, if held:           held = false; state = 0; load calm
//	a waiter, with m.lock:     calm = false; fence.Heavy(); say waiting in state
//
// A calm lock has nobody in its queue: calm is set by a holder with m.lock held, and only then, and cleared with m.lock held before anybody enters. Unlock
// overwrites what others have said in state since. If that was a waiter, then Unlock finds that the lock is not calm any more, is late,
// and looks into the queue itself; if the lock is calm again by then, the waiter has left. The processor may let Unlock's load pass its
// store, but if it did then the fence lies behind both, and the waiter finds the lock free. All who set a bit in the word of a lock that another
// has do as the waiter does, or set one that may get lost: woken, which says that nobody else need be woken, and noted.
//
// held belongs to the holder, and also tells an Unlock too many: to look into state for that would cost 3 ns, since a load of what a locked
// instruction has just written waits until that is through. That Unlock is inlined is worth another 3.
//
// Without the instruction Unlock is no full fence either. Programs that look again after Unlock for what another may have left there whose TryLock failed
// rely on one, though the memory model promises none; so a TryLock that fails ends the calm too.

// quietEnough Unlocks since somebody had to wait make a lock a calm one. A fence interrupts all processors that are at work here, so the more there are
// the rarer it is to be: with two it takes 2 µs, a thirtieth of the time of so many Unlocks. Less in a test.
var quietEnough = uint16(min(2048*runtime.NumCPU(), 1<<16-1))

// heavy is the fence; another one in a test.
var heavy = fence.Heavy

// refused is set when a fence has been refused that had been granted: no lock becomes calm any more.
var refused atomic.Bool

// hold is called by who has just taken m. It loads calm, the first of four bytes, in a way that no compiler takes for the load in Unlock: it might
// do that one no more.
//
//go:norace
func (m *Mutex) hold() {
	if calms {
		m.held = atomic.LoadUint32((*uint32)(unsafe.Pointer(&m.calm)))&1 != 0
	}
}

// unlockCalm is Unlock if the lock was calm when it was taken, which held reports. Only if done nothing is left to do.
//
//go:norace
func (m *Mutex) unlockCalm() (held, done bool) {
	if !calms || !m.held {
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

// calmDown makes m, which the caller has locked, calm if it can.
func (m *Mutex) calmDown() {
	m.quiet = 0
	if refused.Load() {
		return
	}
	fence.Start() // nobody may have asked for it
	m.lock.Lock()
	m.calm = m.queue.Empty() && fence.Ready()
	m.lock.Unlock()
}

// stir ends the calm, before the caller says in the word of a lock that may be another's that somebody waits. Needs m.lock.
func (m *Mutex) stir() {
	if !calms || !m.calm {
		return
	}
	m.calm = false
	if heavy() {
		return
	}
	// Refused, by a filter or for want of memory. A store that its thread has executed is seen by all soon, so wait for that.
	refused.Store(true)
	for end := clock.Nanotime() + drainNS; clock.Nanotime() < end; {
		procyield.Pause(spinPauses)
	}
}

// stirToSee is stir for a TryLock that has failed, which may want the lock's next Unlock to see what it has done before.
//
//go:norace
func (m *Mutex) stirToSee() (calm bool) {
	if !calms || !m.calm {
		return false
	}
	m.lock.Lock()
	m.stir()
	m.lock.Unlock()
	return true
}

// drainNS is longer than a processor keeps a store to itself.
const drainNS = 100_000
