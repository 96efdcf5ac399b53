package locks

import (
	"context"
	"sync"

	"github.com/userrt/userrt/internal/procyield"
	"github.com/userrt/userrt/sched"
)

// Mutex when it is not just free: waiting, waking, handing over. The same in Go: internal/sync/mutex.go, lockSlow,
// unlockSlow. There the waiters are counted in the state word and lie in a table of the runtime's (runtime/sema.go, semaRoot);
// here the queue is the lock's own, so under its lock the word and the queue always agree.

// starvingNS is how long a waiter may lose against newcomers.
const starvingNS = 1_000_000

// How long a newcomer spins before it parks, if that may help: rounds of pauses, with a look at the word after each.
const (
	spinRounds = 4
	spinPauses = 30
)

// take tries once to go from old, which is neither locked nor starving, to locked, without the bits in less, and
// notes the caller as the holder where that is wanted.
func (m *Mutex) take(old, less int32) bool {
	if !m.state.CompareAndSwap(old, (old|locked)&^(less|noted)) {
		return false
	}
	m.hold()
	if sched.NotingHolders() {
		m.note(sched.Self())
	}
	return true
}

// note notes gp, which has just been given m, and only then says in the word that somebody is noted: until now that
// may have been the one before.
func (m *Mutex) note(gp *sched.G) {
	m.holder.Set(gp)
	m.state.Or(noted)
}

// await locks m for the caller, or waits until that has come to be. w is the Waiter of a wait with a context; nil: the
// caller's own will do.
func (m *Mutex) await(w *sched.Waiter, why sched.WaitReason) result { return m.compete(w, 0, why) }

// compete is await. awake is woken if an Unlock has just woken the caller, which has waited in m's queue as w since w.N: it
// then owns that bit, and clears it. Else it is 0.
func (m *Mutex) compete(w *sched.Waiter, awake int32, why sched.WaitReason) result {
	var gp *sched.G
	var since int64     // when the wait began
	again := awake != 0 // the caller has been in the queue
	if again {
		gp, since = w.G, w.N
	}
	spun := 0
	if !again && sched.Clashed() && m.state.Load()&(locked|woken) == woken {
		// m is free, but a waiter that has been woken may be queued on this P. Until it runs every Lock comes here, sets m.quiet back, and
		// so keeps m from becoming calm. Not Yield, which may end the task: callers must hear that from the result.
		sched.Cede()
	}
	for {
		old := m.state.Load()
		switch {
		case old&(locked|starving) == 0:
			if m.take(old, awake) {
				m.quiet = 0
				return got
			}
			continue
		case old&starving == 0 && spun < spinRounds && sched.MaySpin():
			if awake == 0 && old&(woken|waiting) == waiting && m.state.CompareAndSwap(old, old|woken) {
				awake = woken
			}
			procyield.Pause(spinPauses)
			spun++
			continue
		}
		if gp == nil {
			if gp = sched.Self(); w == nil {
				w = gp.Waiter()
			}
			w.Given = false
			since = gp.Nanotime()
		}
		starved := int64(0)
		if again {
			if now := gp.Nanotime(); now-since > starvingNS {
				starved = now
			}
		}
		m.lock.Lock()
		if w.Cancelled {
			m.giveUp(awake)
			return gaveUp
		}
		if !m.enqueue(awake, starved) {
			m.lock.Unlock()
			continue
		}
		if again {
			m.queue.PushFront(w)
		} else {
			w.N = since
			m.queue.PushBack(w)
		}
		leave := gp.BeginPark(why, &m.lock)
		leave()
		if !gp.EndPark() {
			m.lock.Lock()
			w.Remove()
			m.giveUp(0)
			return unwound
		}
		if w.Given {
			m.quiet = 0
			return got
		}
		// Woken by an Unlock; or by the end of the context, which makes no difference if m is free, and is seen above if not.
		awake, spun, again = woken, 0, true
	}
}

// enqueue says in the word that the caller is about to enter the queue, unless m is to be had meanwhile, and that m is starving
// if starved, the time, is not 0. Needs lock.
func (m *Mutex) enqueue(awake int32, starved int64) bool {
	m.stir()
	for {
		old := m.state.Load()
		if old&(locked|starving) == 0 {
			return false
		}
		state := old&^awake | waiting
		if starved != 0 && old&locked != 0 {
			state |= starving
		}
		if m.state.CompareAndSwap(old, state) {
			if state&^old&starving != 0 {
				m.starved = starved
			}
			return true
		}
	}
}

// giveUp is called, with lock held, by who does not wait any more, and releases lock. If it was woken by an
// Unlock, or may have been, another waiter must be.
func (m *Mutex) giveUp(awake int32) {
	if awake != 0 {
		m.state.And(^int32(woken))
	}
	m.release()
}

// unlockSlow is Unlock where there is or may be more to do. held: the lock was calm, and is free already.
//
//go:norace
func (m *Mutex) unlockSlow(held bool) {
	if !held && !m.unlockCounted() {
		return
	}
	if held && m.unlockLate() || !held && m.unlockRest() {
		sched.Cede() // m is a waiter's: while that does not run, nobody gets on
	}
}

// unlockWaited is the rest of Unlock where no lock is calm.
func (m *Mutex) unlockWaited() {
	if m.unlockRest() {
		sched.Cede()
	}
}

// unlockQuietly is Unlock for who has a rawlock held: it does not give way to anybody.
func (m *Mutex) unlockQuietly() {
	switch held, done := m.unlockCalm(); {
	case done:
	case held:
		m.unlockLate()
	case m.unlockCounted():
		m.unlockRest()
	}
}

// unlockCounted frees a lock that was not calm, and makes it calm if it has been quiet for long enough. more: it is not just free now.
//
//go:norace
func (m *Mutex) unlockCounted() (more bool) {
	if calms {
		if m.quiet++; m.quiet >= quietEnough {
			m.calmDown()
		}
	}
	return m.state.Add(-locked) != 0
}

// unlockRest wakes a waiter or hands m over; handed reports the latter. If somebody has locked m meanwhile that is left to
// his Unlock.
func (m *Mutex) unlockRest() (handed bool) {
	state := m.state.Load()
	if state < 0 {
		return m.notLocked()
	}
	if state&waiting != 0 && state&locked == 0 && (state&woken == 0 || state&starving != 0) {
		m.lock.Lock()
		return m.release()
	}
	return false
}

// release gives m, if it is free, to a waiter or wakes one, and makes the word tell the truth about the queue. It is
// called with lock held, and releases it. handed reports that a waiter has m now.
func (m *Mutex) release() (handed bool) {
	var w *sched.Waiter
	old := m.state.Load()
	hand := old&(locked|starving) == starving
	if old&(locked|woken) == 0 || hand {
		w = m.queue.Claim()
	}
	still := int32(^0) // bits that stay
	if m.queue.Empty() {
		still &^= waiting | starving
	} else if hand && w != nil && (w.N > m.starved || w.G.Nanotime()-w.N < starvingNS) {
		still &^= starving
	}
	if hand {
		still &^= noted
	}
	for {
		state := old & still
		switch {
		case w == nil:
		case hand:
			state |= locked
		default:
			state |= woken
		}
		if state == old || m.state.CompareAndSwap(old, state) {
			break
		}
		old = m.state.Load()
	}
	if w == nil {
		m.lock.Unlock()
		return false
	}
	if hand && sched.NotingHolders() {
		m.note(w.G)
	}
	w.Given = hand
	m.lock.Unlock()
	w.G.Ready()
	return hand
}

// notLocked raises sync's own error for an Unlock without a Lock. A task that is being unwound may do that innocently: see
// (*Cond).Wait.
func (m *Mutex) notLocked() (handed bool) {
	if !sched.Self().Unwound() {
		new(sync.Mutex).Unlock()
	}
	m.lock.Lock()
	m.state.Add(locked) // what Unlock has taken; until now m looked locked
	return m.release()
}

// lockContext is LockContext when it has to wait. why is what a dump calls the wait.
func (m *Mutex) lockContext(ctx context.Context, why sched.WaitReason) error {
	if err := ended(ctx); err != nil {
		return err
	}
	w, stop := waiter(ctx, &m.lock)
	r := m.await(w, why)
	stop()
	return r.err(ctx)
}
