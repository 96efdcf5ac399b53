// WaitGroup.Go, ends of all kinds, and Schedulers that close meanwhile.

package waitgroup

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// closing runs f with a Scheduler that f closes, for Procs of 1, 2 and 8.
func closing(t *testing.T, cfg sched.Config, f func(t *testing.T, s *sched.Scheduler)) {
	for _, procs := range []int{1, 2, 8} {
		before := runtime.NumGoroutine()
		cfg.Procs, cfg.Seed = procs, 1
		s, err := sched.New(cfg)
		require.NoError(t, err)
		testsched.Within(t, func() { f(t, s) })
		testsched.GoroutinesBack(t, before)
	}
}

// TestGoCountsUntilTheEnd: after the deferred calls, too.
func TestGoCountsUntilTheEnd(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.UsesDefault = true
		var wg WaitGroup
		var early, late int32
		cs.Do(func() {
			for range 20 {
				wg.Go(func() {
					defer atomic.AddInt32(&late, 1)
					sched.Yield()
					atomic.AddInt32(&early, 1)
				})
			}
			wg.Wait()
			early, late = early+100, late+100 // plain: all is over
		})
		require.EqualValues(t, 120, early)
		require.EqualValues(t, 120, late)
	})
}

// TestGoRunsOnTheCallersScheduler, on that of the task that calls it.
func TestGoRunsOnTheCallersScheduler(t *testing.T) {
	closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
		var wg WaitGroup
		var got *sched.Scheduler
		require.NoError(t, s.Run(func() {
			wg.Go(func() { got = sched.Current() })
			wg.Wait()
		}))
		require.Same(t, s, got)
		require.NoError(t, s.Close())
	})
}

func TestGoOfNilPanics(t *testing.T) {
	var wg WaitGroup
	require.Equal(t, "sched: Go of nil func", testsched.PanicOf(func() { wg.Go(nil) }))
	require.Zero(t, wg.state.Load())
	wg.Wait()
}

// TestGoCountsAfterPanic: once PanicHandler has returned, and not before.
func TestGoCountsAfterPanic(t *testing.T) {
	var handled atomic.Int32
	cfg := sched.Config{PanicHandler: func(e *sched.PanicError) {
		sched.Yield()
		if e.Value == "boom" {
			handled.Add(1)
		}
	}}
	closing(t, cfg, func(t *testing.T, s *sched.Scheduler) {
		handled.Store(0)
		var wg WaitGroup
		var seen int32
		require.NoError(t, s.Run(func() {
			for range 10 {
				wg.Go(func() { panic("boom") })
			}
			wg.Wait()
			seen = handled.Load()
		}))
		require.EqualValues(t, 10, seen)
		require.NoError(t, s.Close())
	})
}

// TestGoCountsAfterGoexit: the deferred calls run, the waiter goes on.
func TestGoCountsAfterGoexit(t *testing.T) {
	closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
		var wg WaitGroup
		var deferred, returned atomic.Int32
		require.NoError(t, s.Run(func() {
			for i := range 30 {
				wg.Go(func() {
					defer deferred.Add(1)
					if i%3 == 0 {
						sched.Yield()
					}
					runtime.Goexit()
					returned.Add(1)
				})
			}
			wg.Wait()
		}))
		require.EqualValues(t, 30, deferred.Load())
		require.Zero(t, returned.Load())
		require.NoError(t, s.Close())
	})
}

// TestGoAfterCloseLeavesTheCounter: the panic says what was wrong, and nobody waits for a task that
// does not exist.
func TestGoAfterCloseLeavesTheCounter(t *testing.T) {
	closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
		var wg WaitGroup
		var first, second any
		done := make(chan struct{})
		s.Go(func() {
			defer close(done)
			_ = s.Close() // from a task of s it does not wait
			first = testsched.PanicOf(func() { wg.Go(func() {}) })
			wg.Add(2)
			second = testsched.PanicOf(func() { wg.Go(func() {}) })
		})
		<-done
		require.Equal(t, "sched: Go on closed Scheduler", first)
		require.Equal(t, "sched: Go on closed Scheduler", second)
		require.EqualValues(t, 2, counter(wg.state.Load()))
		wg.Add(-2)
		wg.Wait()
	})
}

// TestCloseCountsTasksThatNeverStart: on one P the tasks wait behind the one that closes.
func TestCloseCountsTasksThatNeverStart(t *testing.T) {
	// Where it takes long to find out who calls, the one that closes would be asked to give way.
	alone := sched.Config{Tunables: sched.Tunables{NoPreemption: true, NoRelief: true}}
	closing(t, alone, func(t *testing.T, s *sched.Scheduler) {
		s.SetProcs(1)
		var wg WaitGroup
		var ran atomic.Int32
		started := make(chan struct{})
		s.Go(func() {
			for range 300 { // more than a ring holds
				wg.Go(func() { ran.Add(1) })
			}
			close(started)
			_ = s.Close()
		})
		<-started
		wg.Wait()
		require.Zero(t, ran.Load())
		require.Zero(t, wg.state.Load())
	})
}

// TestCloseCountsUnwoundTasks: a goroutine may wait for tasks of a Scheduler that closes.
func TestCloseCountsUnwoundTasks(t *testing.T) {
	closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
		var wg, never WaitGroup
		never.Add(1)
		require.NoError(t, s.Run(func() {
			for range 20 {
				wg.Go(never.Wait)
			}
		}))
		untilWaiting(t, &never, 20)
		require.NoError(t, s.Close())
		wg.Wait()
		require.Zero(t, uint32(never.state.Load()), "they have left")
	})
}

// TestUnwoundWaitLeavesTheWaiters: the tasks' deferred calls run, and a later Done wakes those who are
// left.
func TestUnwoundWaitLeavesTheWaiters(t *testing.T) {
	closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
		var wg WaitGroup
		wg.Add(1)
		var deferred, returned atomic.Int32
		woken := make(chan struct{})
		for i := range 7 {
			if i%2 == 1 {
				go func() {
					wg.Wait()
					woken <- struct{}{}
				}()
			} else {
				s.Go(func() {
					defer deferred.Add(1)
					wg.Wait()
					returned.Add(1)
				})
			}
			untilWaiting(t, &wg, i+1)
		}
		require.NoError(t, s.Close())
		require.EqualValues(t, 4, deferred.Load())
		require.Zero(t, returned.Load())
		untilWaiting(t, &wg, 3)
		wg.Done()
		for range 3 {
			<-woken
		}
		require.Zero(t, wg.state.Load())
		wg.Add(1) // as good as new
		wg.Done()
		wg.Wait()
	})
}

// TestDoneBesideUnwinding: Done comes while the waiter is being unwound but has not left yet.
func TestDoneBesideUnwinding(t *testing.T) {
	closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
		var wg WaitGroup
		wg.Add(1)
		s.Go(wg.Wait)
		untilWaiting(t, &wg, 1)
		wg.lock.Lock()
		closed, done := make(chan error), make(chan struct{})
		go func() { closed <- s.Close() }()
		go func() {
			wg.Done()
			close(done)
		}()
		testsched.Until(t, func() bool { return counter(wg.state.Load()) == 0 }, "counted down")
		wg.lock.Unlock()
		<-done
		require.NoError(t, <-closed)
		require.Zero(t, wg.state.Load())
		wg.Wait()
	})
}
