package sched

import (
	"time"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/futex"
	"github.com/userrt/userrt/internal/getg"
	"github.com/userrt/userrt/internal/hb"
)

// The ender: the goroutine that brings a Scheduler to its end, through the states that shutdown.go shows, and then
// ends its workers and buries their stacks. The runtime has no counterpart.

// How long tasks that run on hold up the end: since one has last reached a call of ours, and in all.
const (
	closeGraceNS = int64(time.Second)
	closeMaxNS   = 10 * closeGraceNS
)

// The longest pause between two looks at what is parked: usually whoever parks sees that it has to go, and who
// gives up the last P wakes the ender.
const (
	roundNS     = 1_000_000
	lateRoundNS = 100_000_000 // once nobody waits any more
)

// startEnder makes sure that there is one, and that it looks. It releases s.lock, which the caller holds.
func (s *Scheduler) startEnder() {
	start := !s.enderOn
	s.enderOn = true
	s.wakeEnder()
	s.lock.Unlock()
	if start {
		startWorker(s.ender)
	}
}

// wakeEnder tells the ender, if there is one, to look.
func (s *Scheduler) wakeEnder() {
	s.idleSeq.Add(1)
	futex.Wake(s.idleSeq.Addr(), 1)
}

// ender is the goroutine that ends s.
func (s *Scheduler) ender() {
	if hb.On {
		hb.Register()
		defer hb.Unregister()
	}
	getg.SetLabels(nil)
	s.awaitDrained()
	if left := s.finish(); len(left) > 0 {
		s.tellEnd(left)
		for !s.unwindRound(lateRoundNS) {
		}
	}
	s.endWorkers()
	if s.cfg.DetectDeadlock {
		detecting.Add(-1)
		noteHolders(-1)
	}
	s.tellEnd(nil)
}

// awaitDrained waits until no task is left, or s is to close in any case.
func (s *Scheduler) awaitDrained() {
	for {
		seq := s.idleSeq.Load()
		s.lock.Lock()
		if !s.closing.Load() && s.nprun == 0 && s.globq.n == 0 && s.live() == 0 {
			s.closeLocked(nil)
		}
		closing := s.closing.Load()
		s.lock.Unlock()
		if closing {
			return
		}
		futex.Wait(s.idleSeq.Addr(), seq, -1)
	}
}

// tellEnd tells all that wait how s has ended; left are tasks that could not be unwound.
func (s *Scheduler) tellEnd(left []TaskRef) {
	s.lock.Lock()
	waits, watches := s.waits, s.watches
	s.waits = nil
	cause, cut := s.cause, s.cut
	if len(left) > 0 {
		s.gaveUp, watches = true, nil
	} else {
		s.over, s.watches = true, nil
	}
	s.lock.Unlock()
	for _, w := range watches { // before its Shutdown returns
		w.unwatch()
	}
	for _, w := range waits {
		var err error
		switch {
		case w.op == "Shutdown" && (len(left) > 0 || cut > 0 && !w.late):
			err = &CloseError{Op: w.op, Tasks: left, Cut: cut, Err: cause}
		case len(left) > 0:
			err = &CloseError{Op: w.op, Tasks: left}
		}
		w.tell(func() { w.err = err })
	}
}

// finish brings all tasks to their end, but for those that run on, which it returns.
func (s *Scheduler) finish() []TaskRef {
	start := s.nanotime()
	last, ticks := start, s.ticks()
	for !s.unwindRound(roundNS) {
		now := s.nanotime()
		if t := s.ticks(); t != ticks && now-start < closeMaxNS {
			last, ticks = now, t // tasks are being run and ended: no reason to give up
		}
		if now-last < closeGraceNS {
			continue
		}
		if left := s.runningTasks(); len(left) > 0 {
			return left
		}
	}
	return nil
}

// ticks counts the tasks that have been chosen to run; it stands still when all that run are stuck.
func (s *Scheduler) ticks() (n uint32) {
	for _, p := range *s.allp.Load() {
		n += p.schedtick.Load()
	}
	return n
}

// unwindRound unwinds what is parked, waits until all is idle, or roundNS, and reports
// whether all tasks have ended.
func (s *Scheduler) unwindRound(roundNS int64) bool {
	seq := s.idleSeq.Load()
	idle, live := s.endIfIdle()
	if idle && live == 0 {
		return true
	}
	if s.unwindParked(false) != 0 || !idle || s.unwindParked(true) == 0 {
		s.again = 0
		futex.Wait(s.idleSeq.Addr(), seq, roundNS)
	} else if s.again++; s.again > quickRounds { // they may wait for somebody who is not a task, or in vain
		var never atom.Uint32
		futex.Wait(never.Addr(), 0, roundNS)
	}
	return false
}

// quickRounds is how often in a row those who wait in their deferred calls are unwound again at once.
const quickRounds = 16

// endIfIdle reports whether every P is idle and how many tasks have not ended; if there are none it
// decides the end of the workers, under the same lock.
func (s *Scheduler) endIfIdle() (idle bool, live uint32) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.nprun > 0 || s.globq.n > 0 {
		return false, 0
	}
	live = s.live()
	s.ended = live == 0
	return true, live
}

// live returns how many tasks have not ended. Needs s.lock, with no P in use.
func (s *Scheduler) live() uint32 {
	live := s.nSpawn - s.nDrop
	for _, p := range *s.allp.Load() {
		live += p.nSpawn.Load() - p.nEnd.Load()
	}
	return live
}

// allIdle is called when the last P has been given up. Needs s.lock.
func (s *Scheduler) allIdle() {
	if s.closing.Load() || s.draining.Load() && s.live() == 0 {
		s.wakeEnder()
	}
}

// runningTasks returns the tasks that have a worker to themselves.
func (s *Scheduler) runningTasks() (list []TaskRef) {
	for gp := range gsOf(s.slabs()) {
		if v, ok := gp.look(); ok && (v.state == gRunning || v.state == gSyscall) {
			list = append(list, TaskRef{v.id, v.name})
		}
	}
	return list
}

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
		s.breakPoll()
		futex.Wait(s.workersUp.Addr(), n, int64(time.Millisecond))
	}
	if p := s.poller.Load(); p != nil {
		s.closePoller(*p)
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
