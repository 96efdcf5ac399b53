package sched

// The global queue: tasks spawned or readied by plain goroutines and by other schedulers' tasks, and what
// overflows from the rings. s.lock guards it; globqsize can be read without. The lists of which it is made
// are in gqueue.go. The same in Go: runtime/proc.go, globrunqput and its neighbours.

// globrunqput moves all of q to the end. Needs s.lock.
func (s *Scheduler) globrunqput(q *gQueue) {
	s.globFrom.Store(nil)
	for gp := q.pop(); gp != nil; gp = q.pop() {
		s.globq.pushBack(gp)
	}
	s.globqsize.Store(s.globq.n)
}

// globrunqspill is globrunqput for n tasks that have overflowed from p's ring, from index h on, and gp. While
// p runs its tasks in less time than it takes to move them, they are left to it; see worthMoving.
func (s *Scheduler) globrunqspill(p *P, h, n uint32, gp *G) {
	s.globq.pushRing(&p.runq, h, n)
	s.globq.pushBack(gp)
	s.globqsize.Store(s.globq.n)
	s.globFrom.Store(p)
}

// spill moves all that waits for p, which the caller holds, to the global queue. Needs s.lock.
func (s *Scheduler) spill(p *P) {
	s.globFrom.Store(nil)
	for gp := p.runqget(); gp != nil; gp = p.runqget() {
		s.globq.pushBack(gp)
	}
	s.globqsize.Store(s.globq.n)
}

// globVisible reports whether the global queue holds something that p should take when it has nothing
// else; p nil asks for a P that has nothing to do with it.
func (s *Scheduler) globVisible(p *P) bool {
	if s.globqsize.Load() == 0 {
		return false
	}
	from := s.globFrom.Load()
	return from == nil || from == p || from.worthMoving() && !from.keepsAny()
}

// globrunqget takes p's share of the global queue, at most max of it if max > 0: returns one task
// and leaves the others in p's ring. Needs s.lock; only p's worker. The same in Go: runtime/proc.go,
// globrunqget.
func (s *Scheduler) globrunqget(p *P, max int32) *G {
	n := s.globq.n/s.procs.Load() + 1
	n = min(n, s.globq.n, runqSize/2)
	if max > 0 {
		n = min(n, max)
	}
	if n <= 0 {
		return nil
	}
	n = min(n, 1+p.runq.room())
	gp := s.globq.pop()
	s.globq.popRing(&p.runq, uint32(n-1))
	p.n.globalPicks.add(1)
	p.n.global.add(uint32(n))
	s.globqsize.Store(s.globq.n)
	return gp
}

// globrunqtake is globrunqget for a caller that does not hold s.lock.
func (s *Scheduler) globrunqtake(p *P, max int32) *G {
	s.lock.Lock()
	gp := s.globrunqget(p, max)
	s.lock.Unlock()
	return gp
}

// inject makes all of q runnable from outside of the scheduler's workers, or from one that has no P.
// The same in Go: runtime/proc.go, injectglist.
func (s *Scheduler) inject(q *gQueue) {
	if q.n == 0 {
		return
	}
	s.lock.Lock()
	s.globrunqput(q)
	s.lock.Unlock()
	s.wakep() // one is enough: the last to stop spinning wakes the next
}

// injectOne is inject of a single G.
func (s *Scheduler) injectOne(gp *G) {
	var q gQueue
	q.pushBack(gp)
	s.inject(&q)
}
