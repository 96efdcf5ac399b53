package sched

import (
	"context"

	"github.com/userrt/userrt/internal/hb"
)

// Contexts, for primitives that wait for one as well. The runtime knows none; context/context.go has AfterFunc.

// WhenDone calls f, in a goroutine of its own, once ctx is done, unless stop has been called before; it is
// context.AfterFunc for primitives that park with a context. Until then no deadlock is reported (see DeadlockError): what ends
// the context is out of a Scheduler's sight. stop must be called when the wait is over. It returns false if f has been called
// or stop has. WhenDone and stop may run functions of ctx: neither may be called with a lock held.
func WhenDone(ctx context.Context, f func()) (stop func() bool) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if detecting.Load() == 0 {
		return ofUser(afterFunc(ctx, f))
	}
	done := expectOutside()
	ofCtx := ofUser(afterFunc(ctx, func() {
		f()
		done()
	}))
	return func() bool {
		done()
		return ofCtx()
	}
}

// ofUser makes f, which our code is going to call, one of the user's to the race detector.
func ofUser(f func() bool) func() bool {
	if !hb.On {
		return f
	}
	return func() bool {
		hb.Out()
		defer hb.Back()
		return f()
	}
}

// expectOutside holds deadlock reports back until done is called: those of the calling task's scheduler, as Expect
// does, or all, if it is a plain goroutine that waits.
func expectOutside() (done func()) {
	if st := self(); st != nil {
		return st.m.s.Expect()
	}
	return enterCall()
}
