package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Conformance with the Go scheduler: how a task ends, by Goexit, by panics within panics, or never. Where the
// runtime's test expects "no goroutines (main called runtime.Goexit) - deadlock!", that is that the Goexit was not lost,
// Run returns ErrExited. conformance_crash_test.go has the ends of the process.

// exitsOf are functions that end their task by Goexit, whatever they panic with on the way.
var exitsOf = map[string]func(){
	// runtime/crash_test.go, TestGoexitDefer
	"plain": func() {
		defer func() {
			if v := recover(); v != nil {
				panic("a Goexit is no panic")
			}
		}()
		runtime.Goexit()
	},
	// runtime/crash_test.go, TestGoexitInPanic
	"in a panic": func() {
		defer runtime.Goexit()
		panic("hello")
	},
	// runtime/crash_test.go, TestRecoveredPanicAfterGoexit
	"then a panic, recovered below": func() {
		defer func() {
			defer mustRecover("hello")
			panic("hello")
		}()
		runtime.Goexit()
	},
	// runtime/crash_test.go, TestRecoverBeforePanicAfterGoexit
	"then a panic, recovered by an earlier defer": func() {
		defer mustRecover("hello")
		defer panics("hello")
		runtime.Goexit()
	},
	// runtime/crash_test.go, TestRecoverBeforePanicAfterGoexit2
	"then a panic, recovered, among defers of a loop": func() {
		for range 2 {
			defer nothing()
		}
		defer mustRecover("hello")
		defer panics("hello")
		runtime.Goexit()
	},
	"twice": func() {
		defer runtime.Goexit()
		runtime.Goexit()
	},
}

func panics(v any) { panic(v) }

func mustRecover(want any) {
	if v := recover(); v != want {
		panic("recovered something else")
	}
}

// TestConformanceGoexit: none of these ends is lost or kills the process, tasks and stacks go on being used after them, and
// deferred calls of the outermost frame run. The tests of Go are named beside each.
func TestConformanceGoexit(t *testing.T) {
	for name, exit := range exitsOf {
		t.Run(name, func(t *testing.T) {
			forProcs(t, func(t *testing.T, s *Scheduler) {
				for range 10 {
					deferred := false
					err := s.Run(func() {
						defer func() { deferred = true }()
						Yield()
						exit()
					})
					require.ErrorIs(t, err, ErrExited)
					require.True(t, deferred)
					require.NoError(t, s.Run(Yield))
				}
			})
		})
	}
}

// TestConformanceGoexitOthersGoOn: the task of Run ends by Goexit while others are under way; they end too, and with nobody left
// there is nothing to report. runtime/crash_test.go, TestGoexitCrash, TestGoexitDeadlock.
func TestConformanceGoexitOthersGoOn(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		s := newTest(t, Config{Procs: procs, DetectDeadlock: true})
		var ended atomic.Int32
		within(t, func() {
			require.ErrorIs(t, s.Run(func() {
				for range 2 {
					Go(func() { spinFor(10); Yield(); ended.Add(1) })
				}
				runtime.GC()
				Exit()
			}), ErrExited)
		}, s)
		within(t, func() { require.NoError(t, s.Shutdown(t.Context())) }, s)
		require.EqualValues(t, 2, ended.Load())
	}
}

// TestConformanceDeadlock: tasks that are all asleep are reported, with the runtime's text, also when the one in Run is wired, or another
// one is. runtime/crash_test.go, TestSimpleDeadlock, TestLockedDeadlock, TestLockedDeadlock2.
func TestConformanceDeadlock(t *testing.T) {
	for name, f := range map[string]func(){
		"simple": parkForever,
		"wired":  func() { LockOSThread(); parkForever() },
	} {
		t.Run(name, func(t *testing.T) {
			for _, procs := range []int{1, 2, 8} {
				dead := deadlocked(t, detector(t, procs), 1, f)
				require.Contains(t, dead.Error(), "all tasks are asleep - deadlock!")
				deadlocked(t, detector(t, procs), 2, func() {
					Go(f)
					Yield()
					parkForever()
				})
			}
		})
	}
}

// TestConformanceRecursivePanic: panics in deferred calls that have recovered another come in the right order, and the last
// is the one that counts. runtime/crash_test.go, TestRecursivePanic, TestRecursivePanic2, TestRecursivePanic5.
func TestConformanceRecursivePanic(t *testing.T) {
	wrap := func(seen *[]any) {
		func() {
			defer func() { *seen = append(*seen, recover()) }()
			func(_ [8192]byte) {
				defer func() {
					if v := recover(); v != nil {
						panic("wrap: " + v.(string))
					}
				}()
				panic("bad")
			}([8192]byte{})
		}()
		panic("again")
	}
	order := func(seen *[]any) {
		func() {
			defer func() { *seen = append(*seen, recover()) }()
			func() {
				defer panics("second")
				defer func() { *seen = append(*seen, recover()) }()
				panic("first")
			}()
		}()
		panic("third")
	}
	forProcs(t, func(t *testing.T, s *Scheduler) {
		s.cfg.PanicHandler = func(*PanicError) {}
		for range 5 {
			var seen []any
			var failed *PanicError
			require.ErrorAs(t, s.Run(func() { wrap(&seen) }), &failed)
			require.Equal(t, []any{"wrap: bad"}, seen)
			require.Equal(t, "again", failed.Value)
			seen = nil
			require.ErrorAs(t, s.Run(func() { order(&seen) }), &failed)
			require.Equal(t, []any{"first", "second"}, seen)
			require.Equal(t, "third", failed.Value)
		}
	})
}

// TestConformancePanicOutlivesRecovered: a panic goes on although its deferred call has raised and recovered another; if that call
// recovers the first and raises a second, the second goes on. runtime/crash_test.go, TestRecursivePanic3, TestRecursivePanic4.
func TestConformancePanicOutlivesRecovered(t *testing.T) {
	s := newTest(t, Config{Procs: 2, PanicHandler: func(*PanicError) {}})
	var failed *PanicError
	within(t, func() {
		require.ErrorAs(t, s.Run(func() {
			defer func() {
				defer mustRecover("second")
				panic("second")
			}()
			panic("first")
		}), &failed)
		require.Equal(t, "first", failed.Value)
		require.ErrorAs(t, s.Run(func() {
			defer func() {
				mustRecoverHere(recover())
				panic("second")
			}()
			panic("first")
		}), &failed)
		require.Equal(t, "second", failed.Value)
	}, s)
}

func mustRecoverHere(v any) {
	if v != "first" {
		panic("recovered something else")
	}
}

// TestConformanceRuntimeErrors: what the runtime itself panics with is a runtime.Error in a task too.
// runtime/crash_test.go, TestRuntimePanicWithRuntimeError.
func TestConformanceRuntimeErrors(t *testing.T) {
	s := newTest(t, Config{Procs: 2, PanicHandler: func(*PanicError) {}})
	zero := 0
	for name, f := range map[string]func(){
		"nil map":         func() { set(nil) },
		"double close":    func() { c := make(chan int); close(c); close(c) },
		"send on closed":  func() { c := make(chan int); close(c); c <- 1 },
		"division":        func() { spun.Store(int64(1 / zero)) },
		"nil func":        func() { var f func(); f() },
		"unhashable":      func() { m := map[any]int{}; m[func() {}] = 1 },
		"slice bounds":    func() { s := make([]int, 1); _ = s[zero+2:] },
		"nil panic":       func() { panic(nil) },
		"negative length": func() { _ = make([]int, zero-1) },
	} {
		var err error
		within(t, func() { err = s.Run(f) }, s)
		var re runtime.Error
		require.ErrorAs(t, err, &re, name)
	}
}

func set(m map[int]int) { m[1] = 1 }

// TestConformanceNumTasks: tasks that have ended are counted no longer, nor found.
// runtime/proc_test.go, TestNumGoroutine.
func TestConformanceNumTasks(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const n = 100
		for range 3 {
			var never crowd
			var all sync.WaitGroup
			all.Add(n)
			for range n {
				s.Go(func() { never.wait(); all.Done() })
			}
			until(t, "all wait", func() bool { return waiting(s) == n }, s)
			require.Equal(t, n, s.Stats().Tasks)
			never.release()
			all.Wait()
			until(t, "all have ended", func() bool { return s.Stats().Tasks == 0 }, s)
			require.Zero(t, waiting(s))
		}
	})
}

// TestConformanceLockNesting: a task is wired until it has unlocked as often as it has locked.
// runtime/proc_test.go, TestLockOSThreadNesting.
func TestConformanceLockNesting(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var counts []int32
		require.NoError(t, s.Run(func() {
			for _, step := range []func(){func() {}, LockOSThread, LockOSThread, UnlockOSThread, UnlockOSThread, UnlockOSThread} {
				step()
				counts = append(counts, s.nWired.Load())
			}
		}))
		require.Equal(t, []int32{0, 1, 1, 1, 0, 0}, counts)
	})
}

// TestConformanceLockRace: two tasks wire themselves as the first ones of a scheduler, with another in the queue for which a worker is
// needed, while the world is stopped again and again. runtime/proc_test.go, TestLockOSThreadTemplateThreadRace.
func TestConformanceLockRace(t *testing.T) {
	var stop atomic.Bool
	var stw sync.WaitGroup
	stw.Go(func() {
		var m runtime.MemStats
		for !stop.Load() {
			runtime.ReadMemStats(&m)
			runtime.Gosched() // or new workers may wait long for a native P
		}
	})
	defer func() {
		stop.Store(true)
		stw.Wait()
	}()
	for range 30 {
		s := newTest(t, Config{Procs: 4})
		var all sync.WaitGroup
		all.Add(4)
		for range 2 {
			s.Go(func() {
				Go(all.Done)
				LockOSThread()
				Yield()
				all.Done()
			})
		}
		within(t, all.Wait, s)
		within(t, func() { require.NoError(t, s.Close()) }, s)
	}
}

// TestConformanceThreadsEnd: tasks end wired, and so end their threads, while the world is stopped and the number of Ps changes:
// no P is left with a worker that is gone. runtime/proc_test.go, TestMexitSTW.
func TestConformanceThreadsEnd(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		if crowded(s) {
			return
		}
		procs := s.SetProcs(0)
		var stop atomic.Bool
		var busy sync.WaitGroup
		for range 2 {
			busy.Add(1)
			s.Go(func() {
				defer busy.Done()
				for !stop.Load() {
					Yield()
				}
			})
		}
		var m runtime.MemStats
		for i := range 15 {
			s.Go(LockOSThread)
			runtime.ReadMemStats(&m)
			s.SetProcs(1 + i%3)
			require.NoError(t, s.Run(func() { LockOSThread(); Yield() }))
			s.SetProcs(procs)
		}
		stop.Store(true)
		busy.Wait()
		until(t, "the wired ones have ended", func() bool { return s.nWired.Load() == 0 }, s)
	})
}
