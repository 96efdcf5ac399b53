package waitgroup

import (
	"context"
	"runtime"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// Waiting with a context. Package sync has no counterpart; the nearest is Acquire of golang.org/x/sync/semaphore.

// WaitContext is Wait that gives up when ctx ends, and then returns ctx.Err(). If the counter is zero it does not look at
// ctx; if it returns nil the counter has been zero, also when ctx has ended meanwhile, and Done happens before its return.
// After an error nothing is known of what is waited for. It panics as Wait does.
func (wg *WaitGroup) WaitContext(ctx context.Context) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if counter(wg.state.Load()) == 0 {
		giveWay()
	} else if !wg.waitContext(ctx) {
		return errOf(ctx)
	}
	if hb.On {
		wg.acquire()
	}
	return nil
}

// waitContext waits; false means that ctx has ended.
func (wg *WaitGroup) waitContext(ctx context.Context) bool {
	if errOf(ctx) != nil {
		return counter(wg.state.Load()) == 0
	}
	w := &sched.Waiter{G: sched.Self()}
	stop := w.CancelOn(ctx, &wg.lock)
	alive, zero := wg.park(w)
	stop()
	if !alive {
		runtime.Goexit()
	}
	if w.Given && wg.state.Load() != 0 {
		panic(reusedText)
	}
	return zero
}

// park waits until the counter is zero, or w is cancelled; alive is false when the caller is being unwound.
func (wg *WaitGroup) park(w *sched.Waiter) (alive, zero bool) {
	wg.lock.Lock()
	if w.Cancelled || !wg.count() {
		zero = counter(wg.state.Load()) == 0
		wg.lock.Unlock()
		return true, zero
	}
	w.N = wg.round
	wg.queue.PushBack(w)
	leave := w.G.BeginPark(sched.WaitReasonWaitGroupWait, &wg.lock)
	leave()
	if !w.G.EndPark() {
		wg.unwound(w)
		return false, false
	}
	if w.Given {
		return true, true
	}
	// The end of ctx has taken w out of the queue, but it counts until now, or until a Done has made an end of all.
	wg.lock.Lock()
	if w.N == wg.round {
		wg.uncount()
	}
	wg.lock.Unlock()
	return true, false
}

// errOf returns ctx.Err(), which may be the user's own code.
func errOf(ctx context.Context) error {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	return ctx.Err()
}
