package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Conformance with the Go scheduler: what a wired task does to its thread stays there. Linux, since it needs something
// that a new thread inherits from the one that makes it: the thread's name.

// TestConformanceNoStatePropagation: a wired task changes its thread, and then work comes for which threads have to be made, while the task
// lives and after it has ended wired: none of them has the change. runtime/proc_test.go, TestLockOSThreadAvoidsStatePropagation.
func TestConformanceNoStatePropagation(t *testing.T) {
	const name = "tainted"
	forProcs(t, func(t *testing.T, s *Scheduler) {
		n := int32(s.SetProcs(0))
		var tainted atomic.Int32
		crowd := func() { // n+1 tasks at once, on a thread each
			var here atomic.Int32
			var all sync.WaitGroup
			for range n + 1 {
				all.Add(1)
				Go(func() {
					defer all.Done()
					Block(func() {
						if threadName() == name {
							tainted.Add(1)
						}
						for here.Add(1); here.Load() < n+1; runtime.Gosched() {
						}
					})
				})
			}
			Block(all.Wait)
		}
		require.NoError(t, s.Run(func() {
			LockOSThread()
			setThreadName(name)
			crowd()
		}))
		require.NoError(t, s.Run(crowd))
		require.Zero(t, tainted.Load())
	})
}
