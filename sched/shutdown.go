package sched

import (
	"context"
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/hb"
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
// counts the moments at which there may be something for it to do (ender.go). The runtime has no counterpart: there
// the end of a process is the end of its goroutines.

// endState is the Scheduler's part. Guarded by Scheduler.lock, but for what is atomic.
type endState struct {
	draining atomic.Bool // Shutdown was called; written under lock
	enderOn  bool        // the ender has been started
	again    int         // rounds in a row in which only those were unwound who had been before; the ender's
	gaveUp   bool        // the ender no longer waits for tasks that run on
	over     bool        // the ender has nothing left to do
	cause    error
	cut      int        // tasks that were unwound or dropped
	waits    []*endWait // who waits for the ender
	watches  []*endWait // of calls of Shutdown whose contexts are watched
}

// endWait is where one call of Close or Shutdown waits.
type endWait struct {
	event
	op   string
	late bool // the Scheduler was closing before the call: what was cut short is none of its business
	err  error
	stop func() bool // ends the watch over Shutdown's context
}

// Close ends s: tasks that have not started never run, parked ones are unwound (their deferred calls
// run), running ones end when they next park or yield. It waits for that; when for a second no task
// has parked, yielded or ended (or after ten seconds in all) it returns a *CloseError that names the
// tasks which are still running; these end later, in the same way. All workers and their threads end. A second
// Close returns nil at once. From a task of s itself Close does not wait, and that task ends when it next parks.
//
// Close during a Shutdown ends its wait.
func (s *Scheduler) Close() error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Release(s.endCalls())
	}
	w := &endWait{op: "Close"}
	if ownTask(s) {
		w = nil
	}
	if !s.beginClose(ErrClosed, w) || w == nil {
		return nil
	}
	return s.awaitEnd(w)
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
// "sched: Shutdown with nil Context". When all tasks have ended, ctx is no longer watched once Shutdown has returned.
func (s *Scheduler) Shutdown(ctx context.Context) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Release(s.endCalls())
	}
	if ctx == nil {
		panic("sched: Shutdown with nil Context")
	}
	w := &endWait{op: "Shutdown"}
	own := ownTask(s)
	if !s.beginDrain(w, own) {
		if hb.On {
			hb.Acquire(s.allEnds())
		}
		return nil // s has ended
	}
	w.watch(ctx, func() { s.shutdownNow(ctx.Err(), w) })
	s.lock.Lock()
	over := s.over
	if !over {
		s.watches = append(s.watches, w)
	}
	s.lock.Unlock()
	if over {
		w.unwatch()
	}
	if own {
		return nil
	}
	return s.awaitEnd(w)
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
	s.draining.Store(true)
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

// shutdownNow is called when the context of the Shutdown that waits by w has ended.
func (s *Scheduler) shutdownNow(cause error, w *endWait) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
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

// awaitEnd waits until the ender has told w how s has ended.
func (s *Scheduler) awaitEnd(w *endWait) error {
	if !w.await() {
		runtime.Goexit() // the caller is a task of a scheduler that closes itself
	}
	if hb.On {
		hb.Acquire(s.allEnds())
		if w.err != nil || s.hooks != nil { // hooks run as our own code
			hb.Tell()
		}
	}
	return w.err
}
