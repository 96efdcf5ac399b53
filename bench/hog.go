// Pairs for hogs: how long a task waits that is started when each processor has one that does not stop by itself.
//
// What is measured is the scheduler's patience, 10 ms on both sides: then a hog that makes calls is asked to give way at one of them, and for one that
// makes none another worker stands in, where the runtime interrupts it by a signal (runtime/proc.go, retake, preemptone).

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/locks"
	"github.com/userrt/userrt/waitgroup"
)

const (
	hogLimit = 100 * time.Millisecond // a hog ends then, should nothing stop it
	hogSpins = 1000                   // rounds of its work between two looks: about a microsecond
)

func hogPairs() []Pair {
	return []Pair{
		{
			Name: "sched/hog-calls", Unit: nsPerOp, Step: 1, AtMost: fewRounds,
			Doc:    "start a task while each processor has one that computes, and locks a Mutex now and then; until it has run",
			Native: func(r *Round) error { return hogsNative(r, true) },
			Userrt: func(r *Round) error { return hogsUserrt(r, true) },
		},
		{
			Name: "sched/hog-silent", Unit: nsPerOp, Step: 1, AtMost: fewRounds,
			Doc:    "the same with hogs that make no call of the scheduler's",
			Native: func(r *Round) error { return hogsNative(r, false) },
			Userrt: func(r *Round) error { return hogsUserrt(r, false) },
		},
	}
}

// hogs is one operation. Whichever hog is the last to begin starts the task that ends them all.
type hogs struct {
	missing atomic.Int32
	ran     atomic.Bool
	work    atomic.Uint64 // so that the compiler keeps it
}

// hog calls late, if it is the last to begin, and then computes, and calls call, until the late task has run.
func (h *hogs) hog(late, call func()) {
	begun := time.Now()
	if h.missing.Add(-1) == 0 {
		late()
	}
	for !h.ran.Load() && time.Since(begun) < hogLimit {
		x := h.work.Load()
		for range hogSpins {
			x = x*6364136223846793005 + 1442695040888963407
		}
		h.work.Store(x)
		call()
	}
}

func hogsNative(r *Round, calls bool) error {
	ran := 0
	for range r.N {
		var h hogs
		var wg sync.WaitGroup
		h.missing.Store(int32(runtime.GOMAXPROCS(0)))
		for range runtime.GOMAXPROCS(0) {
			var mu sync.Mutex
			turns, call := 0, func() {}
			if calls {
				call = func() { mu.Lock(); turns++; mu.Unlock() }
			}
			wg.Go(func() { h.hog(func() { wg.Go(func() { ran++; h.ran.Store(true) }) }, call) })
		}
		wg.Wait()
	}
	return mismatch("tasks run", int64(ran), int64(r.N))
}

func hogsUserrt(r *Round, calls bool) error {
	ran := 0
	for range r.N {
		var h hogs
		var wg waitgroup.WaitGroup
		h.missing.Store(int32(runtime.GOMAXPROCS(0)))
		for range runtime.GOMAXPROCS(0) {
			var mu locks.Mutex
			turns, call := 0, func() {}
			if calls {
				call = func() { mu.Lock(); turns++; mu.Unlock() }
			}
			wg.Go(func() { h.hog(func() { wg.Go(func() { ran++; h.ran.Store(true) }) }, call) })
		}
		wg.Wait()
	}
	return mismatch("tasks run", int64(ran), int64(r.N))
}
