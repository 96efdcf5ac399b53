// What the tests of this package share: schedulers of all sizes, callers of all kinds, a limit for
// what hangs, and a look into the wait queues.

package hchan

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/patience"
	"github.com/userrt/userrt/sched"
)

// hangLimit is how long a test may take before it counts as hanging.
var hangLimit = patience.Times(20 * time.Second)

// within runs f on a goroutine of its own and fails with all stacks if it does not return.
func within(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	limit := time.NewTimer(hangLimit)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
		buf := make([]byte, 1<<20)
		t.Fatalf("hangs\n%s", buf[:runtime.Stack(buf, true)])
	}
}

// until gives way until cond holds, and fails with all stacks if that takes too long.
func until(t *testing.T, cond func() bool, what string, args ...any) {
	t.Helper()
	for end := time.Now().Add(hangLimit / 2); !cond(); sched.Yield() {
		if time.Now().After(end) {
			buf := make([]byte, 1<<20)
			require.Fail(t, "never so: "+fmt.Sprintf(what, args...), "%s", buf[:runtime.Stack(buf, true)])
		}
	}
}

// newScheduler makes a Scheduler for a test that closes it itself.
func newScheduler(t *testing.T, procs int) *sched.Scheduler {
	t.Helper()
	s, err := sched.New(sched.Config{Procs: procs, Seed: 1})
	require.NoError(t, err)
	return s
}

// callers starts the functions of a test, each on the next kind of caller in turn.
type callers struct {
	s, other *sched.Scheduler
	kinds    []func(fn func())
	next     int
	live     sync.WaitGroup
}

// Go starts fn. Only the test's own goroutine may call it.
func (cs *callers) Go(fn func()) {
	start := cs.kinds[cs.next%len(cs.kinds)]
	cs.next++
	cs.live.Add(1)
	start(func() {
		defer cs.live.Done()
		fn()
	})
}

// do starts fn and waits until it has ended.
func (cs *callers) do(fn func()) {
	done := make(chan struct{})
	cs.Go(func() {
		defer close(done)
		fn()
	})
	<-done
}

// forCallers runs f with callers that are tasks, goroutines, and both beside tasks of another
// Scheduler, under GOMAXPROCS and Procs of 1, 2 and 8, while the collector runs all the time. What
// f has started must end, and nothing may be left behind.
func forCallers(t *testing.T, f func(t *testing.T, cs *callers)) {
	defer collect()()
	goroutine := func(fn func()) { go fn() }
	for _, native := range []int{1, 2, 8} {
		for _, procs := range []int{1, 2, 8} {
			if t.Failed() {
				return // what hangs would hold up all others
			}
			run := func(kind string, kinds func(s, other *sched.Scheduler) []func(func())) {
				t.Run(fmt.Sprintf("%s/gomaxprocs=%d/procs=%d", kind, native, procs), func(t *testing.T) {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(native))
					before := runtime.NumGoroutine()
					cs := &callers{s: newScheduler(t, procs), other: newScheduler(t, 2)}
					cs.kinds = kinds(cs.s, cs.other)
					within(t, func() {
						f(t, cs)
						cs.live.Wait()
					})
					within(t, func() {
						require.NoError(t, cs.s.Close())
						require.NoError(t, cs.other.Close())
					})
					goroutinesBack(t, before)
				})
			}
			run("tasks", func(s, _ *sched.Scheduler) []func(func()) { return []func(func()){s.Go} })
			run("mixed", func(s, other *sched.Scheduler) []func(func()) { return []func(func()){s.Go, goroutine, other.Go} })
			if procs == 1 { // no difference to goroutines
				run("goroutines", func(_, _ *sched.Scheduler) []func(func()) { return []func(func()){goroutine} })
			}
		}
	}
}

// collect runs the collector again and again until the function it returns is called.
func collect() (stop func()) {
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

// goroutinesBack waits for goroutines that have done their last act to be gone too.
func goroutinesBack(t *testing.T, n int) {
	t.Helper()
	until(t, func() bool { return runtime.NumGoroutine() <= n }, "no more than %d goroutines", n)
}

// waiting returns how many wait to receive and to send. A G that is counted has parked: it is queued
// under the lock, which is released only after it has left its stack.
func (c *Chan[T]) waiting() (receivers, senders int) {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.recvq.length(), c.sendq.length()
}

func (q *waitq[T]) length() (n int) {
	for sg := q.first; sg != nil; sg = sg.next {
		n++
	}
	return n
}

// untilWaiting waits until so many are parked in c.
func untilWaiting[T any](t *testing.T, c *Chan[T], receivers, senders int) {
	t.Helper()
	until(t, func() bool {
		r, s := c.waiting()
		return r == receivers && s == senders
	}, "%d waiting receivers and %d senders", receivers, senders)
}

// panicOf returns what f panics with, nil if it returns.
func panicOf(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

// requirePanicAs requires that ours panics with a runtime.Error of the same text as native does.
func requirePanicAs(t *testing.T, native, ours func(), args ...any) {
	t.Helper()
	want, ok := panicOf(native).(runtime.Error)
	require.True(t, ok, args...)
	requireRuntimeError(t, want.Error(), panicOf(ours))
}

func requireRuntimeError(t *testing.T, text string, got any) {
	t.Helper()
	err, ok := got.(runtime.Error)
	require.True(t, ok, "%T %v is no runtime.Error", got, got)
	require.Equal(t, text, err.Error())
}

// leastMallocs runs f again and again and returns the smallest number of allocations of the whole
// process meanwhile: what f allocates each time is in it, what the runtime does now and then is not.
func leastMallocs(f func()) (least uint64) {
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
