// Package testsched is what the tests of all packages above sched share: a limit for what hangs,
// schedulers and callers of all kinds that leave nothing behind, and the collector at work meanwhile. The
// tests of sched itself, which can't import what imports sched, have the like in helper_test.go.
package testsched

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/patience"
	"github.com/userrt/userrt/sched"
)

// hangLimit is how long a test may take before it counts as hanging.
var hangLimit = patience.Times(20 * time.Second)

// Within runs f on a goroutine of its own and fails with all stacks if it does not return.
//
// It looks every second. A few times, in many hundreds of runs with the collector at work all the time, nothing of a process ran, with
// goroutines runnable and processors free, until the next timer of the process fired, which was this one's; docs/reliability.md has
// what is known.
func Within(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for end := clock.Nanotime() + int64(hangLimit); ; {
		select {
		case <-done:
			return
		case <-tick.C:
			if clock.Nanotime() > end {
				t.Fatalf("hangs\n%s", stuck())
			}
		}
	}
}

// Until gives way until cond holds, and fails with all stacks if that takes too long.
func Until(t *testing.T, cond func() bool, what string, args ...any) {
	t.Helper()
	for end := clock.Nanotime() + int64(hangLimit/2); !cond(); sched.Yield() {
		if clock.Nanotime() > end {
			t.Fatalf("never so: %s\n%s", fmt.Sprintf(what, args...), stuck())
		}
	}
}

// stuck tells what all tasks and all goroutines do.
func stuck() string {
	var b strings.Builder
	_ = sched.DumpAll(&b) // a Builder takes everything
	buf := make([]byte, 1<<20)
	b.Write(buf[:runtime.Stack(buf, true)])
	return b.String()
}

// New makes a Scheduler for a test that closes it itself.
func New(t *testing.T, procs int) *sched.Scheduler {
	t.Helper()
	s, err := sched.New(sched.Config{Procs: procs, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Close closes schedulers, which must not take long.
func Close(t *testing.T, ss ...*sched.Scheduler) {
	t.Helper()
	Within(t, func() {
		for _, s := range ss {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// Collect runs the collector again and again until the function it returns is called.
func Collect() (stop func()) {
	var enough atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !enough.Load() {
			runtime.GC()
		}
	}()
	return func() {
		enough.Store(true)
		<-done
	}
}

// GoroutinesBack waits for goroutines that have done their last act to be gone too.
func GoroutinesBack(t *testing.T, n int) {
	t.Helper()
	Until(t, func() bool { return runtime.NumGoroutine() <= n }, "no more than %d goroutines", n)
}

// PanicOf returns what f panics with, nil if it returns.
func PanicOf(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

// LeastMallocs runs f again and again and returns the smallest number of allocations of the whole
// process meanwhile: what f allocates each time is in it, what the runtime does now and then is not.
func LeastMallocs(f func()) (least uint64) {
	var before, after runtime.MemStats
	for i := range 6 { // the first warms up
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		if n := after.Mallocs - before.Mallocs; i == 1 || n < least {
			least = n
		}
	}
	return least
}
