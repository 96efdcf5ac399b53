package sched

import (
	"context"
	"io"
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
)

// What the race detector is told of tasks; package hb has the table of edges. Nothing of it is compiled without the
// detector. The same in Go: the calls of racerelease and its neighbours all over the runtime.

// ownEnder is an Ender of this package's, which states by itself what comes after the end.
type ownEnder interface{ ours() }

func (*ending) ours() {}
func (*frame) ours()  {}

// callEnder calls TaskEnded of end: a user's own as part of the task that has ended.
func callEnder(end Ender, how End) {
	if hb.On {
		if _, own := end.(ownEnder); !own {
			hb.Out()
			defer hb.Back()
		}
	}
	end.TaskEnded(how)
}

// parked is where Ready releases and Park acquires.
func (gp *G) parked() unsafe.Pointer { return unsafe.Pointer(&gp.native) }

// Woken is for a primitive whose wake-ups are in order, each before what the woken one does next: called after EndPark,
// it tells the race detector so of the Ready that has ended the wait of gp, the caller.
func (gp *G) Woken() {
	if hb.On {
		hb.Acquire(gp.parked())
	}
}

// apart is a user's commit that runs for who has left, and not as our own code.
func apart(commit func(*G, unsafe.Pointer) bool) func(*G, unsafe.Pointer) bool {
	if commit == nil {
		return nil
	}
	return func(gp *G, arg unsafe.Pointer) bool {
		hb.OutFor(gp.parked())
		defer hb.BackFor()
		return commit(gp, arg)
	}
}

// outside calls fn, a function of the user's, from our code.
func outside(fn func()) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	fn()
}

// writeOut gives text, which our code has made, to a user's Writer.
func writeOut(w io.Writer, text []byte) error {
	if hb.On {
		fresh(text)
		hb.Out()
		defer hb.Back()
	}
	_, err := w.Write(text)
	return err
}

// fresh makes text look as if nobody had touched it.
func fresh(text []byte) {
	hb.Fresh(unsafe.Pointer(unsafe.SliceData(text)), uintptr(cap(text)))
}

// watch calls f when ctx ends, until unwatch.
func (w *endWait) watch(ctx context.Context, f func()) {
	w.stop = afterFunc(ctx, f)
	if hb.On {
		hb.Release(w.happened()) // for unwatch
	}
}

// afterFunc is context.AfterFunc, which may call methods of a user's Context.
func afterFunc(ctx context.Context, f func()) (stop func() bool) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	return context.AfterFunc(ctx, f)
}

// unwatch is called by whoever sees that the watch is over, for the one who has called Shutdown and waits.
func (w *endWait) unwatch() {
	stop := w.stop
	if hb.On {
		hb.OutFor(w.happened())
		defer hb.BackFor()
	}
	stop()
}

// The detector takes what is done to an atomic variable at an address for what is stated there, so none of these is one.

// settings is where Set releases and what t calls acquires.
func (t *timer) settings() unsafe.Pointer { return unsafe.Pointer(&t.seq) }

// happened is where tell, or the end of the task that e is the ending of, releases and await acquires.
func (e *event) happened() unsafe.Pointer { return unsafe.Pointer(&e.waiters) }

// endCalls is where Close and Shutdown release when they begin, and the Close of a poller acquires.
func (s *Scheduler) endCalls() unsafe.Pointer { return unsafe.Pointer(&s.waits) }

// made is where New releases.
func (s *Scheduler) made() unsafe.Pointer { return unsafe.Pointer(&s.tun) }

// allEnds is where each task of s releases its end and Close and Shutdown acquire.
func (s *Scheduler) allEnds() unsafe.Pointer { return unsafe.Pointer(&s.cfg) }

// call calls f, the function of an Alarm, after what who set that has done.
func (t *timer) call(f func(seq uint64, nowNS int64), seq uint64, nowNS int64) {
	hb.OutFor(t.settings())
	defer hb.BackFor()
	f(seq, nowNS)
}

// placed orders who has been given one of a limited number of places after those who have left theirs.
func (sc *Scope) placed() {
	if sc.limit >= 0 {
		hb.Acquire(unsafe.Pointer(sc))
	}
}
