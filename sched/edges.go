package sched

import (
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
)

// What the race detector is told of tasks; package hb has the table of edges. Nothing of it is compiled without the
// detector. The same in Go: the calls of racerelease and its neighbours all over the runtime.

// joined is an Ender whose task's end happens before something else than the Ender's own waiting.
type joined interface{ endsBefore() unsafe.Pointer }

// endsBefore is where gp's end is released for its Ender; nil if it has none.
func (gp *G) endsBefore() unsafe.Pointer {
	if j, ok := gp.end.(joined); ok {
		return j.endsBefore()
	}
	return (*[2]unsafe.Pointer)(unsafe.Pointer(&gp.end))[1]
}

// handle calls h, the PanicHandler, for gp, which has ended, and before anybody is told of that.
func (gp *G) handle(h func(*PanicError), e *PanicError) {
	if hb.On {
		at := gp.endsBefore()
		if at == nil {
			at = gp.s.allEnds()
		}
		hb.OutFor(at)
		defer hb.BackFor()
	}
	h(e)
}

// parked is where Ready releases and Park acquires.
func (gp *G) parked() unsafe.Pointer { return unsafe.Pointer(&gp.native) }

// committed calls commit for gp, which has left; apart if it is the user's.
func (gp *G) committed(commit func(*G, unsafe.Pointer) bool, arg unsafe.Pointer, apart bool) bool {
	if hb.On && apart {
		hb.OutFor(gp.parked())
		defer hb.BackFor()
	}
	return commit(gp, arg)
}

// outside calls fn, a function of the user's, from our code.
func outside(fn func()) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	fn()
}

// The detector takes what is done to an atomic variable at an address for what is stated there, so none of these is one.

// settings is where Set releases and what t calls acquires.
func (t *timer) settings() unsafe.Pointer { return unsafe.Pointer(&t.seq) }

// happened is where tell, or the end of the task that e is the ending of, releases and await acquires.
func (e *event) happened() unsafe.Pointer { return unsafe.Pointer(&e.waiters) }

// endsBefore implements joined.
func (e *ending) endsBefore() unsafe.Pointer { return e.happened() }

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
