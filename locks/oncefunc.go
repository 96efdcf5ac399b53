package locks

import (
	"fmt"
	"runtime"

	"github.com/userrt/userrt/sched"
)

// Functions that do their work once. The same in Go: sync/oncefunc.go. Nothing here is ours to the race detector: what the
// returned functions share is in order by their Once.

// onceCall is what such a function shares between its calls.
type onceCall struct {
	once     Once
	returned bool
	panicked any // what the function panicked with, if it has not returned
}

// errOnceUnwound is what calls panic with after a first one whose task was unwound.
var errOnceUnwound = fmt.Errorf("locks: the task that made the only call of this function was unwound in it: %w", sched.ErrClosed)

// do calls f if it is the first call, and panics, this time and each time, with what f panicked with. f must let go
// of what it need not keep.
func (c *onceCall) do(f func()) {
	c.once.Do(func() {
		defer func() {
			if c.returned {
				return
			}
			c.panicked = recover()
			if c.panicked == nil && sched.Self().Unwound() { // nobody to tell: a panic would end the process
				c.panicked = errOnceUnwound
				return
			}
			panic(c.panicked) // at once, so that the first caller's report shows where it came from
		}()
		f()
		c.returned = true
	})
	if !c.returned {
		if c.panicked == errOnceUnwound {
			endIfClosing()
		}
		panic(c.panicked)
	}
}

// endIfClosing ends a caller that is a task whose Scheduler closes.
func endIfClosing() {
	sched.Yield() // ends it if it has not been unwound before
	if sched.Self().Unwound() {
		runtime.Goexit()
	}
}

// OnceFunc returns a function that calls f the first time it is called, and does nothing any more after that. If f panics
// the function panics with the same value each time. It may be called by many at the same time. If the task of the first
// call is unwound in f, since its Scheduler closes, later calls panic with an error that wraps sched.ErrClosed, but for
// those from tasks of a Scheduler that closes too, which end.
func OnceFunc(f func()) func() {
	c := &struct {
		onceCall
		f func()
	}{f: f}
	return func() {
		c.do(func() {
			f := c.f
			c.f = nil // it need not be kept any longer
			f()
		})
	}
}

// OnceValue returns a function that returns what f returned when it was called, which it is once. If f panics the
// function panics with the same value each time. It may be called by many at the same time. For tasks that are unwound see
// OnceFunc.
func OnceValue[T any](f func() T) func() T {
	c := &struct {
		onceCall
		f func() T
		v T
	}{f: f}
	return func() T {
		c.do(func() {
			f := c.f
			c.f = nil
			c.v = f()
		})
		return c.v
	}
}

// OnceValues is OnceValue for a function with two results.
func OnceValues[T1, T2 any](f func() (T1, T2)) func() (T1, T2) {
	c := &struct {
		onceCall
		f  func() (T1, T2)
		v1 T1
		v2 T2
	}{f: f}
	return func() (T1, T2) {
		c.do(func() {
			f := c.f
			c.f = nil
			c.v1, c.v2 = f()
		})
		return c.v1, c.v2
	}
}
