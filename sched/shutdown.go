package sched

import (
	"time"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/futex"
)

// The end of a Scheduler: tasks are unwound, workers end, stacks are buried.
//
// Unwinding a parked task is a wake-up that nobody else asked for: whoever wins the CAS out of
// gWaiting decides. The unwound task's Park returns false, it takes itself out of its queue,
// and Goexit runs its deferred calls. Those may park again; such a wait is unwound only when no
// task can run any more.

// Close ends s: tasks that have not started never run, parked ones are unwound (their deferred calls
// run), running ones end when they next park or yield. It waits for that; when for a second no task
// has parked, yielded or ended (or after ten seconds in all) it returns a *CloseError that names the
// tasks which are still running; these end later, in the same way. All workers and their threads end. A second Close returns nil at once. From a task of s
// itself Close does not wait, and that task ends when it next parks.
func (s *Scheduler) Close() error {
	s.lock.Lock()
	if s.closing.Load() {
		s.lock.Unlock()
		return nil
	}
	for _, p := range *s.allp.Load() { // before closing: who sees that may rely on its worker seeing this
		p.setAttn(attnClosing)
	}
	s.closing.Store(true)
	s.lock.Unlock()
	st := self()
	if st == nil {
		return s.finish()
	}
	var err error
	r := &runWait{}
	startWorker(func() {
		err = s.finish()
		r.TaskEnded(End{})
	})
	if st.m.s == s {
		return nil
	}
	r.wait()
	return err
}

// finish brings all tasks to their end, then the workers.
func (s *Scheduler) finish() error {
	start := clock.Nanotime()
	last, ticks := start, s.ticks()
	for !s.unwindRound() {
		now := clock.Nanotime()
		if t := s.ticks(); t != ticks && now-start < closeMaxNS {
			last, ticks = now, t // tasks are being run and ended: no reason to give up
		}
		if now-last < closeGraceNS {
			continue
		}
		if ids := s.runningTasks(); len(ids) > 0 {
			startWorker(func() {
				for !s.unwindRound() {
				}
				s.endWorkers()
			})
			return &CloseError{Tasks: ids}
		}
	}
	s.endWorkers()
	return nil
}

// ticks counts the tasks that have been chosen to run; it stands still when all that run are stuck.
func (s *Scheduler) ticks() (n uint32) {
	for _, p := range *s.allp.Load() {
		n += p.schedtick.Load()
	}
	return n
}

// unwindRound unwinds what is parked, waits until all is idle, or a millisecond, and reports
// whether all tasks have ended.
func (s *Scheduler) unwindRound() bool {
	seq := s.idleSeq.Load()
	idle, live := s.endIfIdle()
	if idle && live == 0 {
		return true
	}
	if s.unwindParked(false) == 0 && idle && s.unwindParked(true) > 0 {
		return false
	}
	futex.Wait(s.idleSeq.Addr(), seq, int64(time.Millisecond))
	return false
}

// endIfIdle reports whether every P is idle and how many tasks have not ended; if there are none it
// decides the end of the workers, under the same lock.
func (s *Scheduler) endIfIdle() (idle bool, live uint32) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.nprun > 0 || s.globq.n > 0 {
		return false, 0
	}
	live = s.nSpawn - s.nDrop
	for _, p := range *s.allp.Load() {
		live += p.nSpawn.Load() - p.nEnd.Load()
	}
	s.ended = live == 0
	return true, live
}

// allIdle is called when the last P has been given up. Needs s.lock.
func (s *Scheduler) allIdle() {
	if s.closing.Load() {
		s.idleSeq.Add(1)
		futex.Wake(s.idleSeq.Addr(), 1)
	}
}

// unwindParked unwinds every parked task that has not been unwound before, or, if again, those too,
// and returns how many.
func (s *Scheduler) unwindParked(again bool) (n int) {
	s.lock.Lock()
	slabs := s.allgs
	s.lock.Unlock()
	var q gQueue
	for _, slab := range slabs {
		for i := range slab {
			gp := &slab[i]
			if gp.state.Load() == gWaiting && (again || gp.dying.Load() == 0) && gp.claimUnwind() {
				gp.unwind()
				q.pushBack(gp)
				n++
			}
		}
	}
	s.inject(&q)
	return n
}

// unwindFirst unwinds gp, which has just parked while s closes, unless it has been unwound before.
func (s *Scheduler) unwindFirst(gp *G) {
	if gp.dying.Load() == 0 && gp.claimUnwind() {
		gp.unwind()
		s.injectOne(gp)
	}
}

// drop ends gp, which never started, on m's g0.
func (m *M) drop(gp *G) {
	gp.fn, gp.labels, gp.labelled = nil, nil, false
	gp.tellEnd(End{Dropped: true})
	gp.state.StoreRel(gDead)
	m.p.nEnd.StoreRel(m.p.nEnd.Load() + 1)
	m.p.gfput(gp)
}

// runningTasks returns the ids of the tasks that have a worker to themselves.
func (s *Scheduler) runningTasks() (ids []uint64) {
	s.lock.Lock()
	slabs := s.allgs
	s.lock.Unlock()
	for _, slab := range slabs {
		for i := range slab {
			if gp := &slab[i]; running(gp.state.Load()) {
				ids = append(ids, gp.id)
			}
		}
	}
	return ids
}

func running(state uint32) bool { return state == gRunning || state == gSyscall }

// endWorkers wakes all workers to end and waits until they have. s.ended is set.
func (s *Scheduler) endWorkers() {
	s.lock.Lock()
	for m := s.midle; m != nil; {
		next := m.link
		m.link = nil
		m.exit = true
		m.note.wakeup()
		m = next
	}
	s.midle = nil
	s.sysmonWake()
	s.lock.Unlock()
	for n := s.workersUp.Load(); n > 0; n = s.workersUp.Load() {
		if p := s.poller.Load(); p != nil {
			(*p).Break()
		}
		futex.Wait(s.workersUp.Addr(), n, int64(time.Millisecond))
	}
	if p := s.poller.Load(); p != nil {
		_ = (*p).Close()
	}
	s.gone.Store(true)
	s.traceEnd()
}

// workerGone is the last act of a worker's goroutine.
func (s *Scheduler) workerGone() {
	s.workersUp.Add(^uint32(0))
	futex.Wake(s.workersUp.Addr(), 1)
}

// lastOut is called by each worker that ends with its scheduler, on its g0. The last one buries all
// stacks: none of them runs now, and all other g0s have left their cells.
func (s *Scheduler) lastOut(m *M) {
	var all stackPool
	s.lock.Lock()
	s.nm--
	if s.nm == 0 {
		s.takeStacks(&all)
	}
	s.lock.Unlock()
	m.buryAll(&all)
}
