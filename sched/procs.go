package sched

import (
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rng"
)

// The number of Ps. The same in Go: runtime/proc.go, procresize, which stops the world for it; here a
// P that has become one too many is given up by its worker before the next task, and nobody waits.

// SetProcs sets how many tasks may run at a time and returns the old number; n < 1 changes nothing.
// More than that many tasks may still run for as long as those on withdrawn Ps neither block nor
// yield. It never blocks for long. The same as runtime.GOMAXPROCS(n).
func (s *Scheduler) SetProcs(n int) (old int) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	s.lock.Lock()
	old = s.wantProcs
	if n < 1 || n == old || s.closing.Load() {
		s.lock.Unlock()
		return old
	}
	n = min(n, maxProcs)
	s.wantProcs = n
	s.setProcsLocked(min(int(s.procs.Load())+n-old, maxProcs)) // the others stand in for stuck ones
	s.lock.Unlock()
	if n > old {
		s.wakep()
	}
	return old
}

// setProcsLocked makes n Ps count. Needs s.lock.
func (s *Scheduler) setProcsLocked(n int) {
	var all []*P
	if a := s.allp.Load(); a != nil {
		all = *a
	}
	if len(all) < n {
		grown := append([]*P(nil), all...) // thieves go on reading the old one
		for id := len(all); id < n; id++ {
			p := &P{
				id: int32(id), cpu: s.cpuOf(id), s: s, state: pDead,
				fair: int32(s.tun.FairTicks), tun: &s.tun, hooks: s.hooks, noRunnext: s.tun.NoRunnext, childPace: s.tun.childPace(),
				rng: rng.New(s.seed + uint64(id)*0x9e3779b97f4a7c15),
			}
			p.gate.init()
			p.runq.less, p.runq.aheadFrom = uint32(runqSize-s.tun.RunqSize), s.tun.aheadFrom()
			if s.closing.Load() {
				p.setAttn(attnClosing)
			}
			p.phase.begin(phaseIdle, s.nanotime())
			p.setPace(unknownPace)
			grown = append(grown, p)
		}
		all = grown
		s.allp.Store(&all)
	}
	s.procs.Store(int32(n))
	// Rebuild the idle list; mark or unmark the running ones.
	s.pidle = nil
	s.npidle.Store(0)
	for i := len(all) - 1; i >= 0; i-- {
		switch p := all[i]; {
		case p.state == pRunning && i >= n:
			p.setAttn(attnRetire)
		case p.state == pRunning:
			p.attn.And(^uint32(attnRetire))
		case i < n:
			p.attn.And(^uint32(attnRetire)) // given up in the usual way, before its worker saw the bit
			s.pidleput(p)
		default:
			s.pdead(p)
		}
	}
}

// retire gives up m's P, which SetProcs has taken away, with all that is queued there, and gp.
func (m *M) retire(gp *G) {
	s, p := m.s, m.p
	var q gQueue
	if gp != nil {
		q.pushBack(gp)
	}
	for g := p.runqget(); g != nil; g = p.runqget() {
		q.pushBack(g)
	}
	wasSpinning := m.spinning
	m.spinning = false
	if wasSpinning {
		p.n.vainSearches.add(1)
	}
	s.lock.Lock()
	p.attn.And(^uint32(attnRetire))
	if p.id < s.procs.Load() { // SetProcs has changed its mind
		s.globrunqput(&q)
		if m.spinning = wasSpinning; wasSpinning {
			p.search()
		}
		s.lock.Unlock()
		return
	}
	s.globrunqput(&q)
	m.releasep()
	s.lock.Unlock()
	if wasSpinning {
		s.nmspinning.Add(-1)
	}
	s.wakep()
}
