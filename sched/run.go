package sched

import (
	"runtime"
	"sync"

	"github.com/userrt/userrt/internal/callerpc"
	"github.com/userrt/userrt/internal/hb"
)

// Run starts fn in a new task of s and waits for that task to end, not for those that it started.
// It may be called from a task of any scheduler and from a plain goroutine. It returns the
// *PanicError that Config.PanicHandler took, ErrExited after an Exit or Goexit, ErrClosed when s was
// or has been closed, and, with Config.DetectDeadlock, a *DeadlockError: without
// it a task that waits for ever keeps Run waiting, and the runtime does not see that nothing runs any more. It panics with
// "sched: Go of nil func".
//
//go:noinline
func (s *Scheduler) Run(fn func()) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if fn == nil {
		panic(nilFuncText)
	}
	r := newRunWait()
	s.noteRun(r)
	pc := callerpc.Get()
	if !s.spawnLent(fn, r, pc) && !s.spawn(fn, r, pc, nil) {
		r.forget()
		return ErrClosed
	}
	if !r.await() {
		r.forget()
		runtime.Goexit()
	}
	err := r.how.err()
	if r.dead != nil {
		err = r.dead
	}
	if hb.On && r.dead != nil {
		hb.Tell()
	}
	r.free()
	return err
}

// runWait is where one Run waits for its task.
type runWait struct {
	ending
	dead *DeadlockError // told instead of how

	// For Config.DetectDeadlock only.
	s    *Scheduler // whose Run it is
	from *Scheduler // whose task calls Run; nil for a plain goroutine
}

// runWaits has those that are free: the allocation was a sixth of a Run.
var runWaits = sync.Pool{New: func() any { return new(runWait) }}

func newRunWait() *runWait {
	if hb.On { // an edge of one Run would be one of the next
		return new(runWait)
	}
	return runWaits.Get().(*runWait)
}

// free gives r back, whose task has told it of its end.
func (r *runWait) free() {
	if hb.On || r.s != nil { // who looks for deadlocks may still have it
		return
	}
	r.lock.Lock() // for who has told it may not have let go of it yet
	r.done.Store(0)
	r.waiters, r.how, r.dead = waitList{}, End{}, nil
	r.lock.Unlock()
	runWaits.Put(r)
}

// TaskEnded implements Ender.
func (r *runWait) TaskEnded(how End) {
	r.forget()
	r.ending.TaskEnded(how)
}
