package sched

import (
	"runtime"

	"github.com/userrt/userrt/internal/callerpc"
	"github.com/userrt/userrt/internal/rawlock"
)

// Run starts fn in a new task of s and waits for that task to end, not for those that it started.
// It may be called from a task of any scheduler and from a plain goroutine. It returns the
// *PanicError that Config.PanicHandler took, ErrExited after an Exit or Goexit, ErrClosed when s was
// or has been closed.
//
//go:noinline
func (s *Scheduler) Run(fn func()) error {
	if fn == nil {
		panic(nilFuncText)
	}
	r := &runWait{}
	if !s.spawn(fn, r, callerpc.Get(), nil) {
		return ErrClosed
	}
	r.wait()
	switch {
	case r.how.Panic != nil:
		return r.how.Panic
	case r.how.Dropped:
		return ErrClosed
	case r.how.Exited:
		return ErrExited
	}
	return nil
}

// runWait is where one G waits for one task.
type runWait struct {
	lock   rawlock.Mutex // guards all
	done   bool
	how    End
	waiter *G
}

// TaskEnded implements Ender.
func (r *runWait) TaskEnded(how End) {
	r.lock.Lock()
	r.done, r.how = true, how
	gp := r.waiter
	won := gp != nil && gp.Claim()
	r.lock.Unlock()
	if won {
		gp.Ready()
	}
}

func (r *runWait) wait() {
	r.lock.Lock()
	if r.done {
		r.lock.Unlock()
		return
	}
	gp := Self()
	r.waiter = gp
	leave := gp.BeginPark(WaitReasonTaskWait, &r.lock)
	leave()
	if !gp.EndPark() {
		r.lock.Lock()
		r.waiter = nil
		r.lock.Unlock()
		runtime.Goexit()
	}
}
