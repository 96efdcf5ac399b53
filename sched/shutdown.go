package sched

import (
	"context"
	"runtime"
	"time"
	"unsafe"

	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/futex"
	"github.com/userrt/userrt/internal/getg"
)

// The end of a Scheduler: tasks are unwound, workers end, stacks are buried.
//
//	open ---- Shutdown ----> draining ---- no task left, or its context is done, or Close ----> closing ----> ended
//	  +------------------------------- Close ------------------------------------------------------^
//
// open      everybody may start tasks
// draining  s's own tasks may; for all others s has closed
// closing   nobody may; parked tasks are unwound, unstarted ones dropped, running ones unwound when they park
// ended     no task is left, and the workers end (Scheduler.ended)
//
// From draining on one goroutine, the ender, sees to all of it, and tells the callers. It sleeps on idleSeq, which
// counts the moments at which there may be something for it to do.
//
// Unwinding a parked task is a wake-up that nobody else asked for: whoever wins the CAS out of
// gWaiting decides. The unwound task's Park returns false, it takes itself out of its queue,
// and Goexit runs its deferred calls. Those may park again; such a wait is unwound only when no
// task can run any more.

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

// endState is the Scheduler's part. Guarded by Scheduler.lock, but for what is atomic.
type endState struct {
	draining bool // Shutdown was called
	enderOn  bool // the ender has been started
	gaveUp   bool // the ender no longer waits for tasks that run on
	over     bool // the ender has nothing left to do
	cause    error
	cut      int           // tasks that were unwound or dropped
	waits    []*endWait    // who waits for the ender
	stops    []func() bool // what ends the watch over Shutdown's contexts
}

// endWait is where one call of Close or Shutdown waits.
type endWait struct {
	event
	op   string
	late bool // s was closing before the call: what was cut short is none of its business
	err  error
}

// Close ends s: tasks that have not started never run, parked ones are unwound (their deferred calls
// run), running ones end when they next park or yield. It waits for that; when for a second no task
// has parked, yielded or ended (or after ten seconds in all) it returns a *CloseError that names the
// tasks which are still running; these end later, in the same way. All workers and their threads end. A second
// Close returns nil at once. From a task of s itself Close does not wait, and that task ends when it next parks.
//
// Close during a Shutdown ends its wait.
func (s *Scheduler) Close() error {
	w := &endWait{op: "Close"}
	if ownTask(s) {
		w = nil
	}
	if !s.beginClose(ErrClosed, w) || w == nil {
		return nil
	}
	return w.wait()
}

// Shutdown waits until all tasks of s have ended, then ends s as Close does. From now on only tasks of s may
// start others, as they may have to in order to finish; for everybody else s has closed: Go panics with
// "sched: Go on closed Scheduler", Run returns ErrClosed. Timers that have not fired start nothing any more once
// the last task has ended.
//
// If ctx ends first, s closes there and then: tasks that have not started never run, parked ones are unwound (their
// deferred calls run), running ones end when they next park or yield, and Go panics in them too. Shutdown waits
// for that as Close does, and returns a *CloseError that wraps ctx.Err() and names the tasks which could not be
// unwound; nil if none had to be cut short. So too when Close is called meanwhile; the error then wraps ErrClosed.
// And with Config.DetectDeadlock when the tasks can never end by themselves; it then wraps a *DeadlockError.
//
// Of several calls the context that ends first counts, and all return the same. A Shutdown after a Close waits,
// until ctx ends, for tasks that Close has left running. From a task of s itself, whose end it would have to wait
// for, Shutdown returns nil at once, and all the rest happens as described. A nil ctx panics with
// "sched: Shutdown with nil Context".
func (s *Scheduler) Shutdown(ctx context.Context) error {
	if ctx == nil {
		panic("sched: Shutdown with nil Context")
	}
	w := &endWait{op: "Shutdown"}
	own := ownTask(s)
	if !s.beginDrain(w, own) {
		return nil // s has ended
	}
	stop := context.AfterFunc(ctx, func() { s.shutdownNow(ctx.Err(), w) })
	s.lock.Lock()
	over := s.over
	if !over {
		s.stops = append(s.stops, stop)
	}
	s.lock.Unlock()
	if over {
		stop()
	}
	if own {
		return nil
	}
	return w.wait()
}

// ownTask reports whether the caller is a task of s, maybe within Block.
func ownTask(s *Scheduler) bool {
	st := (*stack)(unsafe.Pointer(coro.Self()))
	return st != nil && (st.m != nil && st.m.s == s || st.blockM != nil && st.blockM.s == s)
}

// beginDrain lets nobody but s's tasks start tasks, and the ender tell w of the end unless own; false means that
// there is nothing left to tell.
func (s *Scheduler) beginDrain(w *endWait, own bool) bool {
	s.lock.Lock()
	if s.over {
		s.lock.Unlock()
		return false
	}
	if !own {
		s.waits = append(s.waits, w)
	}
	w.late = s.closing.Load()
	s.draining = true
	s.startEnder()
	if s.wantsDeadlocks() {
		s.wakep() // who goes to rest next looks whether the tasks can end at all
	}
	return true
}

// beginClose brings all tasks to their end, because of cause, and lets the ender tell w, if that is not nil. It
// does nothing and returns false when s is closing already.
func (s *Scheduler) beginClose(cause error, w *endWait) bool {
	s.lock.Lock()
	if s.closing.Load() {
		s.lock.Unlock()
		return false
	}
	if w != nil {
		s.waits = append(s.waits, w)
	}
	s.closeLocked(cause)
	s.startEnder()
	return true
}

// closeLocked makes s closing. Needs s.lock.
func (s *Scheduler) closeLocked(cause error) {
	for _, p := range *s.allp.Load() { // before closing: who sees that may rely on its worker seeing this
		p.setAttn(attnClosing)
	}
	s.cause = cause
	s.closing.Store(true)
}

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

func (s *Scheduler) wakeEnder() {
	s.idleSeq.Add(1)
	futex.Wake(s.idleSeq.Addr(), 1)
}

// shutdownNow is called when the context of the Shutdown that waits by w has ended.
func (s *Scheduler) shutdownNow(cause error, w *endWait) {
	if s.beginClose(cause, nil) {
		return
	}
	s.lock.Lock()
	gaveUp := s.gaveUp
	s.lock.Unlock()
	if gaveUp { // the ender waits for tasks that may run on for ever
		e := &CloseError{Op: w.op, Tasks: s.runningTasks(), Err: cause}
		w.tell(func() { w.err = e })
	}
}

// wait waits until the ender has told w how s has ended.
func (w *endWait) wait() error {
	if !w.await() {
		runtime.Goexit() // the caller is a task of a scheduler that closes itself
	}
	return w.err
}

// ender is the goroutine that ends s.
func (s *Scheduler) ender() {
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
	waits, stops := s.waits, s.stops
	s.waits = nil
	cause, cut := s.cause, s.cut
	if len(left) > 0 {
		s.gaveUp, stops = true, nil
	} else {
		s.over, s.stops = true, nil
	}
	s.lock.Unlock()
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
	for _, stop := range stops {
		stop()
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
	if s.unwindParked(false) == 0 && idle && s.unwindParked(true) > 0 {
		return false
	}
	futex.Wait(s.idleSeq.Addr(), seq, roundNS)
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
	if s.closing.Load() || s.draining && s.live() == 0 {
		s.wakeEnder()
	}
}

// unwindParked unwinds every parked task that has not been unwound before, or, if again, those too,
// and returns how many.
func (s *Scheduler) unwindParked(again bool) (n int) {
	var q gQueue
	cut := 0
	for gp := range gsOf(s.slabs()) {
		if gp.state.Load() == gWaiting && (again || gp.dying.Load() == 0) && gp.claimUnwind() {
			if gp.dying.Load() == 0 {
				cut++
			}
			gp.unwind()
			s.hookReadied(gp)
			q.pushBack(gp)
			n++
		}
	}
	s.countCut(cut)
	s.inject(&q)
	return n
}

// countCut counts n tasks that are cut short, before they end.
func (s *Scheduler) countCut(n int) {
	s.lock.Lock()
	s.cut += n
	s.lock.Unlock()
}

// unwindFirst unwinds gp, which has just parked while s closes, unless it has been unwound before.
func (s *Scheduler) unwindFirst(gp *G) {
	if gp.dying.Load() == 0 && gp.claimUnwind() {
		gp.unwind()
		s.hookReadied(gp)
		s.countCut(1)
		s.injectOne(gp)
	}
}

// drop ends gp, which never started, on m's g0.
func (m *M) drop(gp *G) {
	gp.fn, gp.labels, gp.name, gp.extras = nil, nil, "", 0
	gp.tellEnd(End{Dropped: true})
	m.s.hookEnded(gp)
	m.s.countCut(1)
	gp.state.StoreRel(gDead)
	m.p.nEnd.StoreRel(m.p.nEnd.Load() + 1)
	m.p.gfput(gp)
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
