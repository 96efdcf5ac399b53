package sched

// findRunnable searches for a task, and sleeps until there is one; nil means that m is to end.
// It runs on g0, with a P, and returns with one (maybe another) unless it returns nil.
//
// The order is the runtime's: local queue, global queue, network, other Ps; then the P is given up
// and everything is looked at once more, since work may have come while it was given up and nobody
// would have been woken for it (idle.md). Two looks are left out where they would be in vain: at the network before
// the P is given up (pollFirst), and at other Ps while none is in use (findByStealing). The same in Go: runtime/proc.go,
// findRunnable.
func (m *M) findRunnable() *G {
	for {
		if m.p == nil && !m.stopm() {
			return nil
		}
		if m.p.attn.Load() != 0 {
			if m.attend(nil); m.p == nil {
				continue
			}
		}
		gp, ok := m.findFast(), true
		if gp == nil {
			gp = m.findByStealing()
		}
		if gp == nil {
			gp, ok = m.giveUp()
		}
		if gp != nil || !ok {
			m.sleeps = 0
			return gp
		}
		if m.p != nil { // the last check has found something
			continue
		}
		if gp := m.sleepForEvents(); gp != nil {
			return gp
		}
	}
}

// findFast looks where work is cheap to find: the P's own queue, the global one, the network,
// what tasks offer in a Join.
func (m *M) findFast() *G {
	s, p := m.s, m.p
	if p.timers.any() {
		m.runTimers(&p.timers)
	}
	if p.fair--; p.fair <= 0 {
		p.fair = int32(p.tun.FairTicks)
		if gp := m.fairShare(); gp != nil {
			return gp
		}
	}
	if gp := p.runqget(); gp != nil {
		return gp
	}
	if s.globVisible(p) {
		if gp := s.globrunqtake(p, 0); gp != nil {
			return gp
		}
	}
	if gp := m.pollFirst(); gp != nil {
		return gp
	}
	// What a task has offered in a Join, and then parked: it may wait for just that.
	return m.stealFork()
}

// fairShare is outOfTurn's look for a g0: where outOfTurn has left it to us, and for tasks that are all chosen by
// a g0, as wired ones are.
func (m *M) fairShare() *G {
	s, p := m.s, m.p
	if s.pollDue() {
		if gp := m.pollNow(); gp != nil {
			return gp
		}
	}
	if s.globqsize.Load() > 0 {
		if gp := s.globrunqtake(p, 1); gp != nil {
			return gp
		}
	}
	return p.runq.get()
}

// giveUp releases m's P and looks at everything once more. It returns a task, with a P; or nothing,
// with a P if there is something to search for; or nothing and no P. ok is false when m is to end.
func (m *M) giveUp() (gp *G, ok bool) {
	s := m.s
	s.lock.Lock()
	if s.ended {
		m.releasep()
		s.lock.Unlock()
		return nil, false
	}
	if s.globVisible(m.p) {
		if gp = s.globrunqget(m.p, 0); gp != nil {
			s.lock.Unlock()
			return gp, true
		}
	}
	// Somebody has counted on us, or has taken a P since we found none in use.
	if !m.spinning && (s.needspinning || m.noVictim && s.nprun > 1) {
		s.needspinning = false
		m.spinning = true
		s.nmspinning.Add(1)
		m.p.search()
		s.lock.Unlock()
		return nil, true
	}
	if m.spinning {
		m.p.n.vainSearches.add(1)
	}
	m.releasep()
	s.lock.Unlock()
	if !m.spinning {
		return nil, true
	}
	m.spinning = false
	if s.nmspinning.Add(-1) < 0 {
		panic("sched: negative nmspinning")
	}
	// From here on whoever makes work wakes somebody. What was made before is seen by this look.
	if s.workVisible() && m.tryAcquire() {
		m.spinning = true
		s.nmspinning.Add(1)
		m.p.search()
	}
	return nil, true
}

// busy returns how many Ps are in use, without those that SetProcs has taken away and that still run. It changes under s.lock.
func (s *Scheduler) busy() int32 { return s.procs.Load() - s.npidle.Load() }

// workVisible reports whether any P's ring or the global queue holds something, or some task
// offers a part of a Join.
// runnext is left out: it is the next task of a worker that runs, which sysmon looks after.
func (s *Scheduler) workVisible() bool {
	if s.globVisible(nil) || s.forks.visible() {
		return true
	}
	if s.tun.NoStealing {
		return false
	}
	for _, p := range *s.allp.Load() {
		if p.worthStealing() {
			return true
		}
	}
	return false
}

// tryAcquire gives m an idle P for work that has been found, or one that is lent, and reports whether there was one. The same in Go:
// runtime/proc.go, pidlegetSpinning.
func (m *M) tryAcquire() bool {
	s := m.s
	s.lock.Lock()
	defer s.lock.Unlock()
	p := s.pidleget(m.now())
	if p == nil {
		p = s.takeLent()
	}
	if p == nil {
		s.needspinning = true // the next worker that is about to give up its P searches first
		return false
	}
	m.acquirep(p)
	return true
}
