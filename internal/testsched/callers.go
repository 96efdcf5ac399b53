package testsched

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/userrt/userrt/sched"
)

// Callers starts the functions of a test, each on the next kind of caller in turn.
type Callers struct {
	kinds []func(fn func())
	next  int
	live  sync.WaitGroup

	// UsesDefault is set by a test whose goroutines start tasks: the default Scheduler then keeps
	// its idle workers.
	UsesDefault bool
}

// NewCallers returns Callers that start functions by kinds, in turn.
func NewCallers(kinds ...func(fn func())) *Callers { return &Callers{kinds: kinds} }

// Go starts fn. Only the test's own goroutine may call it.
func (cs *Callers) Go(fn func()) {
	start := cs.kinds[cs.next%len(cs.kinds)]
	cs.next++
	cs.live.Add(1)
	start(func() {
		defer cs.live.Done()
		fn()
	})
}

// Do starts fn and waits until it has ended.
func (cs *Callers) Do(fn func()) {
	done := make(chan struct{})
	cs.Go(func() {
		defer close(done)
		fn()
	})
	<-done
}

// Wait waits until all that was started has ended.
func (cs *Callers) Wait() { cs.live.Wait() }

// OnGoroutine is the kind of caller that is no task.
func OnGoroutine(fn func()) { go fn() }

// ForCallers runs f with callers that are tasks, goroutines, and both beside tasks of another
// Scheduler, under GOMAXPROCS and Procs of 1, 2 and 8, while the collector runs all the time. What
// f has started must end, and nothing may be left behind.
func ForCallers(t *testing.T, f func(t *testing.T, cs *Callers)) {
	defer Collect()()
	for _, native := range []int{1, 2, 8} {
		for _, procs := range []int{1, 2, 8} {
			if t.Failed() {
				return // what hangs would hold up all others
			}
			run := func(kind string, kinds func(s, other *sched.Scheduler) []func(func())) {
				t.Run(fmt.Sprintf("%s/gomaxprocs=%d/procs=%d", kind, native, procs), func(t *testing.T) {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(native))
					before := runtime.NumGoroutine()
					s, other := New(t, procs), New(t, 2)
					cs := NewCallers(kinds(s, other)...)
					Within(t, func() {
						f(t, cs)
						cs.Wait()
					})
					Close(t, s, other)
					if kind == "tasks" || !cs.UsesDefault {
						GoroutinesBack(t, before)
					}
				})
			}
			run("tasks", func(s, _ *sched.Scheduler) []func(func()) { return []func(func()){s.Go} })
			run("mixed", func(s, other *sched.Scheduler) []func(func()) {
				return []func(func()){s.Go, OnGoroutine, other.Go}
			})
			if procs == 1 { // no difference to goroutines
				run("goroutines", func(_, _ *sched.Scheduler) []func(func()) { return []func(func()){OnGoroutine} })
			}
		}
	}
}
