package sched

import (
	"github.com/userrt/userrt/internal/procyield"
	"github.com/userrt/userrt/internal/rng"
)

// Work stealing. The same in Go: runtime/proc.go, stealWork, runqsteal, runqgrab.

// runnextPause is how many processor pauses a thief waits before it takes a running P's runnext,
// and only if that P has chosen nothing meanwhile: a task that has just readied another is mostly
// about to park. About 3 µs, as in runtime/proc.go, runqgrab.
const runnextPause = 100

// findByStealing searches the other Ps, if any of them is in use, and if not too many workers search already: at most half as many
// as there are busy Ps. The runtime searches idle Ps, too, for their timers; ours are seen by sleepForEvents.
func (m *M) findByStealing() *G {
	s := m.s
	if !m.spinning {
		busy := s.busy()
		m.noVictim = busy <= 1 && !s.forks.visible() // what a parked task has offered: stealFork visits some queues only, and leaves locked ones alone
		if m.noVictim || 2*s.nmspinning.Load() >= busy {
			return nil
		}
		m.spinning = true
		s.nmspinning.Add(1)
		m.p.search()
	}
	m.at = 0 // what follows takes long
	if s.tun.NoStealing {
		return m.stealFork() // as findFast does: what a parked task has offered it may wait for
	}
	all := *s.allp.Load()
	n := uint32(len(all))
	for round := range s.tun.StealRounds {
		last := round == s.tun.StealRounds-1 // then it also takes what a P was going to run next
		// A random start and a stride that has no factor in common with n visit every P once.
		at, stride := m.p.rng.N(n), coprime(&m.p.rng, n)
		for range n {
			if p := all[at]; p != m.p {
				if gp := m.stealFrom(p, last); gp != nil {
					return gp
				}
			}
			at = (at + stride) % n
		}
		if gp := m.stealFork(); gp != nil {
			return gp
		}
		if s.globVisible(m.p) {
			return nil // giveUp takes it, under the lock
		}
	}
	return nil
}

// stealFrom takes half of p's ring, or, if last, what p seems to be in no hurry to run: that ring all the same, or its runnext.
func (m *M) stealFrom(p *P, last bool) *G {
	self := m.p
	if p.worthStealing() {
		self.n.stealTries.add(1)
		if gp := p.stealHalf(self); gp != nil {
			if h := self.hooks; h != nil {
				h.stolen(gp, p, self)
			}
			self.n.steals.add(1)
			return gp
		}
	}
	if !last {
		return nil
	}
	if p.timers.any() {
		if m.runTimers(&p.timers); self.runnext.Load() != nil || !self.runq.empty() {
			return self.runqget()
		}
	}
	gp := p.runnext.Load()
	if gp == nil && p.runq.empty() || p.keeps() {
		return nil
	}
	self.n.stealTries.add(1)
	tick, progress := p.schedtick.Load(), p.progress()
	procyield.Pause(runnextPause)
	if p.schedtick.Load() != tick || p.waking.Load() != 0 {
		return nil
	}
	if p.progress() == progress { // the pace that speaks against a theft holds no longer: p is in a long task
		if gp := p.stealHalf(self); gp != nil {
			if h := self.hooks; h != nil {
				h.stolen(gp, p, self)
			}
			self.n.steals.add(1)
			return gp
		}
	}
	if gp == nil || !p.gate.enter() {
		return nil
	}
	won := !p.keeps() && p.runnext.CompareAndSwap(gp, nil)
	p.gate.leave()
	if !won {
		return nil
	}
	if h := self.hooks; h != nil {
		h.stolen(gp, p, self)
	}
	self.n.steals.add(1)
	self.n.stolen.add(1)
	return gp
}

// stealHalf moves half of p's ring to that of thief, and returns the newest of them, to be run at once.
func (p *P) stealHalf(thief *P) *G {
	if !p.gate.enter() {
		return nil
	}
	t := thief.runq.tail.Load()
	most := uint32(runqSize / 2)
	if p.tun.StealOne {
		most = 1
	}
	n := uint32(0)
	if !p.keeps() { // asked again: to enter takes as long as dozens of tasks, and these may be others
		n = p.runq.grab(&thief.runq, t, most)
	}
	p.gate.leave()
	if n == 0 {
		return nil
	}
	thief.n.stolen.add(n)
	n--
	gp := thief.runq.ring[(t+n)%runqSize].Load()
	if n > 0 {
		thief.runq.tail.StoreRel(t + n)
	}
	return gp
}

// coprime returns a random stride in [1, n] that has no factor in common with n.
func coprime(r *rng.Source, n uint32) uint32 {
	for {
		k := 1 + r.N(n)
		a, b := k, n
		for b != 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return k
		}
	}
}
