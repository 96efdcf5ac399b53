package sched

// gQueue is a list of Gs linked through schedlink, first in first out. It has no lock of its own.
// The same in Go: runtime/proc.go, gQueue.
type gQueue struct {
	head, tail *G
	n          int32
}

func (q *gQueue) pushBack(gp *G) {
	gp.schedlink = nil
	if q.tail == nil {
		q.head = gp
	} else {
		q.tail.schedlink = gp
	}
	q.tail = gp
	q.n++
}

func (q *gQueue) pushBackAll(o *gQueue) {
	if o.head == nil {
		return
	}
	if q.tail == nil {
		q.head = o.head
	} else {
		q.tail.schedlink = o.head
	}
	q.tail = o.tail
	q.n += o.n
	*o = gQueue{}
}

func (q *gQueue) pop() *G {
	gp := q.head
	if gp == nil {
		return nil
	}
	q.head = gp.schedlink
	if q.head == nil {
		q.tail = nil
	}
	gp.schedlink = nil
	q.n--
	return gp
}

// The global queue: tasks spawned or readied by plain goroutines and by other schedulers' tasks,
// and what overflows from the rings. s.lock guards it; globqsize can be read without.

// globrunqput moves all of q to the end. Needs s.lock.
func (s *Scheduler) globrunqput(q *gQueue) {
	s.globFrom.Store(nil)
	s.globq.pushBackAll(q)
	s.globqsize.Store(s.globq.n)
}

// globrunqspill is globrunqput for what has overflowed from p's ring. While p runs its tasks in less time
// than it takes to move them, they are left to it; see worthMoving.
func (s *Scheduler) globrunqspill(p *P, q *gQueue) {
	s.globrunqput(q)
	s.globFrom.Store(p)
}

// spill moves all that waits for p, which the caller holds, to the global queue. Needs s.lock.
func (s *Scheduler) spill(p *P) {
	var q gQueue
	for gp := p.runqget(); gp != nil; gp = p.runqget() {
		q.pushBack(gp)
	}
	s.globrunqput(&q)
}

// globVisible reports whether the global queue holds something that p should take when it has nothing
// else; p nil asks for a P that has nothing to do with it.
func (s *Scheduler) globVisible(p *P) bool {
	if s.globqsize.Load() == 0 {
		return false
	}
	from := s.globFrom.Load()
	return from == nil || from == p || from.worthMoving()
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
	before := s.globq.n
	gp := s.globq.pop()
	for n--; n > 0; n-- {
		g := s.globq.pop()
		if !p.runq.put(g) {
			s.globq.pushBack(g)
			break
		}
	}
	p.n.globalPicks.add(1)
	p.n.global.add(uint32(before - s.globq.n))
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
