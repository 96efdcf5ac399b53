package sched

import (
	"github.com/userrt/userrt/internal/procyield"
	"github.com/userrt/userrt/internal/rng"
)

// Work stealing. The same in Go: runtime/proc.go, stealWork, runqsteal, runqgrab.

// stealRounds is how often a spinning worker goes round all Ps before it gives up; in the last round
// it also takes what a P was going to run next.
const stealRounds = 4

// runnextPause is how many processor pauses a thief waits before it takes a running P's runnext,
// and only if that P has chosen nothing meanwhile: a task that has just readied another is mostly
// about to park. About 3 µs, as in runtime/proc.go, runqgrab.
const runnextPause = 100

// findByStealing searches the other Ps, if not too many workers search already: at most half as many
// as there are busy Ps.
func (m *M) findByStealing() *G {
	s := m.s
	if !m.spinning {
		if 2*s.nmspinning.Load() >= s.procs.Load()-s.npidle.Load() {
			return nil
		}
		m.spinning = true
		s.nmspinning.Add(1)
		m.p.search()
	}
	all := *s.allp.Load()
	n := uint32(len(all))
	for round := range stealRounds {
		last := round == stealRounds-1
		// A random start and a stride that has no factor in common with n visit every P once.
		at, stride := m.p.rng.N(n), coprime(&m.p.rng, n)
		for range n {
			if p := all[at]; p != m.p {
				if gp := m.stealFrom(p, last); gp != nil {
					m.p.n.steals.add(1)
					return gp
				}
			}
			at = (at + stride) % n
		}
		if s.globVisible(m.p) {
			return nil // giveUp takes it, under the lock
		}
	}
	return nil
}

// stealFrom takes half of p's ring, a Join frame, or, if last, its runnext.
func (m *M) stealFrom(p *P, last bool) *G {
	self := m.p
	if !p.runq.empty() && p.worthMoving() {
		self.n.stealTries.add(1)
		if gp := p.stealHalf(self); gp != nil {
			return gp
		}
	}
	if !p.joinq.empty() {
		self.n.stealTries.add(1)
		if f := p.joinq.steal(); f != nil {
			self.n.stolen.add(1)
			return f.task(self)
		}
	}
	if !last {
		return nil
	}
	gp := p.runnext.Load()
	if gp == nil {
		return nil
	}
	self.n.stealTries.add(1)
	tick := p.schedtick.Load()
	procyield.Pause(runnextPause)
	if p.schedtick.Load() != tick || p.waking.Load() != 0 || !p.gate.enter() {
		return nil
	}
	won := p.runnext.CompareAndSwap(gp, nil)
	p.gate.leave()
	if !won {
		return nil
	}
	self.n.stolen.add(1)
	return gp
}

// stealHalf moves half of p's ring to that of thief, and returns the newest of them, to be run at once.
func (p *P) stealHalf(thief *P) *G {
	if !p.gate.enter() {
		return nil
	}
	t := thief.runq.tail.Load()
	n := p.runq.grab(&thief.runq, t)
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
