package sched

import (
	"github.com/userrt/userrt/internal/callerpc"
	"github.com/userrt/userrt/internal/hb"
)

// Tasks with a result. The runtime has no counterpart; golang.org/x/sync/errgroup is the nearest.

// Task is a task that comes to a value or an error, which any number of callers may wait for. It is made by Spawn or
// SpawnOn: nobody ever ends the zero value, and its Wait blocks for ever.
type Task[T any] struct {
	end   result
	value T // set by the task before it ends
	err   error
}

// result is the ending of a task whose panic belongs to who waits for it.
type result struct{ ending }

// panicTaker is an Ender that is told of a panic in place of Config.PanicHandler.
type panicTaker interface {
	Ender
	takesPanic()
}

func (*result) takesPanic() {}

// Spawn starts fn in a new task, as Go does, and returns at once. What fn comes to is to be had from Wait.
//
// A panic in fn goes there too, as a *PanicError: it neither ends the process nor is it shown to
// Config.PanicHandler, which is for panics that nobody else takes. So somebody should call Wait.
// On a closed scheduler Spawn returns a Task whose Wait returns ErrClosed. It panics with
// "sched: Go of nil func".
//
//go:noinline
func Spawn[T any](fn func() (T, error)) *Task[T] {
	return spawnTask(Current(), fn, callerpc.Get())
}

// SpawnOn is Spawn for a task of s. (A method can't have a type parameter of its own.)
//
//go:noinline
func SpawnOn[T any](s *Scheduler, fn func() (T, error)) *Task[T] {
	return spawnTask(s, fn, callerpc.Get())
}

func spawnTask[T any](s *Scheduler, fn func() (T, error), pc uintptr) *Task[T] {
	if fn == nil {
		panic(nilFuncText)
	}
	t := &Task[T]{}
	if !s.spawn(func() { t.value, t.err = fn() }, &t.end, pc, nil) {
		t.end.TaskEnded(End{Dropped: true})
	}
	return t
}

// Wait blocks until the task has ended, and returns what its function has returned. If that did not return,
// the value is zero and the error a *PanicError after a panic, ErrExited after an Exit or
// runtime.Goexit, ErrClosed if the task's scheduler closed before it ran or while it was parked.
//
// It may be called by any number of tasks and goroutines, any number of times. All that the task did
// happens before Wait returns.
func (t *Task[T]) Wait() (T, error) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	how := t.end.wait()
	if Preempting() {
		GiveWay()
	}
	if err := how.err(); err != nil {
		var zero T
		return zero, err
	}
	return t.value, t.err
}
