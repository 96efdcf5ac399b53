package sched

import (
	"os"
	"runtime"

	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/hb"
)

// Panics that no task has recovered, and tasks that end by Goexit. The same in Go:
// runtime/panic.go, fatalpanic and Goexit.

// PanicError is a panic that ended a task.
type PanicError struct {
	Value    any    // what panic was called with
	Stack    []byte // the task's stack at that moment and where it was made, as in a goroutine's traceback
	TaskID   uint64 // 0 for a function that ran on a plain goroutine
	TaskName string // as GoWith was told
}

// Error returns the value as the runtime would print it, and the stack.
func (e *PanicError) Error() string {
	return "panic: " + panicText(e.Value) + "\n\n" + e.traceback()
}

// Unwrap returns Value if it is an error, nil if not.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Exit ends the calling task, or plain goroutine, after its deferred calls: runtime.Goexit.
func Exit() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	runtime.Goexit()
}

// taskFailed is the deferred call at the bottom of a coroutine. It finds out how its task ended, if
// not by returning.
func (st *stack) taskFailed() {
	if !st.inTask {
		return // retired
	}
	st.inTask = false
	gp := st.g
	if v := recover(); v != nil {
		e := newPanicError(v, gp.id)
		if _, ok := gp.end.(panicTaker); !ok {
			st.handlePanic(e)
		}
		tellEndOrCrash(gp, End{Panic: e})
		st.goexit0(gp)
		return // to run, which goes on with the next task, or in the Goexit that was under way
	}
	tellEndOrCrash(gp, End{Exited: true})
	st.goexit0(gp)
}

// exited is the deferred call below taskFailed. A Goexit cannot be stopped, not even by recovering
// what a deferred call has panicked with meanwhile: this stack has to end, which takes a g0.
func (st *stack) exited() {
	if st.retired {
		return
	}
	m := st.m
	m.act, m.leftStk = actDead, st
	coro.Switch(&st.Stack, &m.toG0().Stack)
}

// tellEndOrCrash is tellEnd where no other deferred call would catch an Ender's own panic.
func tellEndOrCrash(gp *G, how End) {
	defer func() {
		if v := recover(); v != nil {
			crash(newPanicError(v, gp.id))
		}
	}()
	gp.tellEnd(how)
}

// handlePanic gives e to the PanicHandler, or ends the process.
func (st *stack) handlePanic(e *PanicError) {
	h := st.m.s.cfg.PanicHandler
	if h == nil {
		crash(e)
	}
	done := false
	defer func() {
		if done {
			return
		}
		if v := recover(); v != nil {
			crash(newPanicError(v, e.TaskID))
		}
		crash(e) // the handler has called Goexit
	}()
	outside(func() { h(e) })
	done = true
}

// crash ends the process by a native panic: status 2, GOTRACEBACK and debug.SetCrashOutput hold.
// It is raised on a goroutine of its own, where no recover of ours or of a library's is below it.
func crash(e *PanicError) {
	go func() { panic(fatal{e}) }()
	select {}
}

// fatal is printed by the runtime through Error.
type fatal struct{ e *PanicError }

// Error returns what the runtime prints after "panic: ".
func (f fatal) Error() string {
	text := panicText(f.e.Value)
	if level := os.Getenv("GOTRACEBACK"); level == "none" || level == "0" {
		return text
	}
	return text + "\n\n" + f.e.traceback()
}
