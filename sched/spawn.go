package sched

import "github.com/userrt/userrt/internal/getg"

// Making tasks. The same in Go: runtime/proc.go, newproc.

const (
	nilFuncText = "sched: Go of nil func"
	closedText  = "sched: Go on closed Scheduler"
)

// Go starts fn in a new task: of the calling task's scheduler, or of Default() on a plain goroutine.
//
// From a task the new one goes to the calling worker's P, as the one to run next; from a plain
// goroutine it goes to the global queue. A task that has not started costs some hundred bytes and
// no stack. Go panics with "sched: Go of nil func" or "sched: Go on closed Scheduler".
func Go(fn func()) {
	if fn == nil {
		panic(nilFuncText)
	}
	if st := self(); st != nil {
		if !st.m.p.newproc(fn, nil) {
			panic(closedText)
		}
		if Preempting() {
			GiveWay()
		}
		return
	}
	Current().GoEnd(fn, nil)
}

// Go starts fn in a new task of s; see the function Go.
func (s *Scheduler) Go(fn func()) { s.GoEnd(fn, nil) }

// GoEnd is Go with somebody who is told when the task has ended, however it ended. It spares the
// closure that a deferred call in fn would take; WaitGroup.Go is built on it. If s closes before the
// task has started, end is told as well.
func (s *Scheduler) GoEnd(fn func(), end Ender) {
	if fn == nil {
		panic(nilFuncText)
	}
	if !s.spawn(fn, end) {
		panic(closedText)
	}
}

// spawn makes a task of s; false means that s is closed.
func (s *Scheduler) spawn(fn func(), end Ender) bool {
	if st := self(); st != nil && st.m.s == s {
		ok := st.m.p.newproc(fn, end)
		if ok && Preempting() {
			GiveWay()
		}
		return ok
	}
	return s.spawnOutside(fn, end)
}

// newproc makes a task on p, held by the calling task's worker, to run next there. It does nothing
// and reports false when the scheduler is closed.
func (p *P) newproc(fn func(), end Ender) bool {
	if p.attn.Load()&attnClosing != 0 {
		return false
	}
	gp := p.gfget()
	gp.fn, gp.end = fn, end
	gp.inherit(getg.Labels())
	gp.id = p.nextID()
	gp.state.StoreRel(gRunnable)
	p.nSpawn.StoreRel(p.nSpawn.Load() + 1)
	p.s.hookSpawned(gp)
	p.runqput(gp, true)
	p.wake()
	return true
}

// spawnOutside is newproc for a caller that is no worker of s.
func (s *Scheduler) spawnOutside(fn func(), end Ender) bool {
	id := s.idgen.Add(1)
	s.lock.Lock()
	if s.closing.Load() {
		s.lock.Unlock()
		return false
	}
	var l gFree
	s.gfgetBatch(&l, 1)
	gp := l.pop()
	gp.fn, gp.end = fn, end
	gp.inherit(getg.Labels())
	gp.id = id
	gp.state.StoreRel(gRunnable)
	s.nSpawn++
	s.hookSpawned(gp)
	var q gQueue
	q.pushBack(gp)
	s.globrunqput(&q)
	s.lock.Unlock()
	s.wakep()
	return true
}
