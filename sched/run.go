package sched

import "github.com/userrt/userrt/internal/callerpc"

// Run starts fn in a new task of s and waits for that task to end, not for those that it started.
// It may be called from a task of any scheduler and from a plain goroutine. It returns the
// *PanicError that Config.PanicHandler took, ErrExited after an Exit or Goexit, ErrClosed when s was
// or has been closed. It panics with "sched: Go of nil func".
//
//go:noinline
func (s *Scheduler) Run(fn func()) error {
	if fn == nil {
		panic(nilFuncText)
	}
	e := &ending{}
	if !s.spawn(fn, e, callerpc.Get(), nil) {
		return ErrClosed
	}
	return e.wait().err()
}
