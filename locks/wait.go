package locks

import (
	"context"
	"runtime"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/sched"
)

// What the waits of all locks share: how they end, and contexts. Package sync has no counterpart for the latter;
// golang.org/x/sync/semaphore has.

// result is how a wait has ended.
type result int

const (
	got     result = iota // what was waited for has been given
	gaveUp                // the context has ended
	unwound               // the scheduler closes, and has won the wait: the caller must end by runtime.Goexit
)

// err is the result of a wait with ctx, for the user. It ends the task if that is unwound.
func (r result) err(ctx context.Context) error {
	switch r {
	case gaveUp:
		return ended(ctx)
	case unwound:
		runtime.Goexit()
	}
	return nil
}

// waiter returns the Waiter with which the caller is to wait until ctx ends; lock is that of the queue. stop is to be called
// when the wait is over. A context that never ends needs no watch, and then the Waiter is the caller's own.
func waiter(ctx context.Context, lock *rawlock.Mutex) (w *sched.Waiter, stop func()) {
	if never(ctx) {
		return sched.Self().Waiter(), func() {}
	}
	w = &sched.Waiter{G: sched.Self()}
	return w, w.CancelOn(ctx, lock)
}

// waiterOrEnded is waiter for who has to call the wait off himself if ctx has ended already: the Waiter is cancelled then.
func waiterOrEnded(ctx context.Context, lock *rawlock.Mutex) (w *sched.Waiter, stop func()) {
	if ended(ctx) != nil {
		return &sched.Waiter{G: sched.Self(), Cancelled: true}, func() {}
	}
	return waiter(ctx, lock)
}

// never reports that ctx can't end.
func never(ctx context.Context) bool {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	return ctx.Done() == nil
}

// ended returns ctx.Err(), which may be the user's own code.
func ended(ctx context.Context) error {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	return ctx.Err()
}

// outside calls fn, a function of the user's, from our code.
func outside(fn func()) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	fn()
}
