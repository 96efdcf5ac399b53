package sched

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/marks"
)

// What has gone wrong where two features meet.

func TestWiredSleepAtMaxThreads(t *testing.T) {
	for _, n := range []int{1, 3} {
		s := newTest(t, Config{Procs: 2, MaxThreads: n})
		var done sync.WaitGroup
		for range n {
			done.Add(1)
			s.Go(func() {
				defer done.Done()
				LockOSThread()
				defer UnlockOSThread()
				for range 3 {
					Sleep(time.Millisecond)
				}
			})
		}
		within(t, done.Wait, s)
	}
}

func TestIdleOutAtMaxThreads(t *testing.T) {
	s := newTest(t, Config{Procs: 2, MaxThreads: 1, IdleThread: 20 * time.Microsecond})
	within(t, func() {
		for i := range 3000 {
			require.NoError(t, s.Run(func() {}))
			end := time.Now().Add(time.Duration(10+i%60) * time.Microsecond)
			for time.Now().Before(end) {
			}
		}
	}, s)
}

func TestHooksOfWiredTasks(t *testing.T) {
	var parked, readied atomic.Int64
	s := newTest(t, Config{Procs: 2, Hooks: Hooks{
		TaskParked:  func(uint64, WaitReason) { parked.Add(1) },
		TaskReadied: func(uint64) { readied.Add(1) },
	}})
	within(t, func() {
		require.NoError(t, s.Run(func() {
			LockOSThread()
			defer UnlockOSThread()
			for range 10 {
				Sleep(time.Microsecond)
			}
			Park(WaitReasonSleep, func(*G, unsafe.Pointer) bool { return false }, nil)
		}))
	}, s)
	require.EqualValues(t, readied.Load(), parked.Load())
}

func TestHooksOfStolenFrames(t *testing.T) {
	var spawned, started, ended atomic.Int64
	s := newTest(t, Config{Procs: 2, Hooks: Hooks{
		TaskSpawned: func(_, _ uint64) { spawned.Add(1) },
		TaskStarted: func(uint64, int) { started.Add(1) },
		TaskEnded:   func(uint64) { ended.Add(1) },
	}})
	within(t, func() {
		require.NoError(t, s.Run(func() {
			for started.Load() < 5 {
				var other atomic.Bool
				Join(func() {
					for !other.Load() {
						Yield()
					}
				}, func() { other.Store(true) })
			}
		}))
	}, s)
	require.NoError(t, s.Close()) // the thief of the last frame may still be about to say so
	require.Equal(t, started.Load(), spawned.Load())
	require.Equal(t, started.Load(), ended.Load())
}

func TestShutdownCountsWiredYielder(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	running := make(chan struct{})
	s.Go(func() {
		LockOSThread()
		close(running)
		for {
			Yield()
		}
	})
	<-running
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	within(t, func() {
		var e *CloseError
		require.ErrorAs(t, s.Shutdown(ctx), &e)
		require.Equal(t, 1, e.Cut)
	}, s)
}

func TestStatsOfWiredTask(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	const rounds = 100
	within(t, func() {
		require.NoError(t, s.Run(func() {
			LockOSThread()
			defer UnlockOSThread()
			for range rounds {
				Sleep(time.Microsecond)
			}
		}))
	}, s)
	quiet(t, s)
	st := s.Stats()
	addsUp(t, st)
	require.EqualValues(t, 1+rounds+st.Preemptions, st.Picked)
}

func TestForksForgetAfterPanic(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	type big struct{ b [1 << 10]byte }
	for name, fork := range map[string]func(x *big){
		"both": func(x *big) { Both(func(y *big) int { panic(1) }, nil, x) },
		"join": func(x *big) { Join(func() { panic(1) }, func() { x.b[0]++ }) },
		"for":  func(x *big) { For(10, 1, func(lo, hi int) { x.b[lo]++; panic(1) }) },
	} {
		t.Run(name, func(t *testing.T) {
			var w weak.Pointer[big]
			within(t, func() {
				require.NoError(t, s.Run(func() {
					x := &big{}
					w = weak.Make(x)
					func() {
						defer func() { recover() }()
						fork(x)
					}()
				}))
				until(t, "forgotten", func() bool { runtime.GC(); return w.Value() == nil }, s)
			}, s)
		})
	}
}

func TestWiredWaitForgets(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	for _, unlock := range []bool{true, false} {
		var w weak.Pointer[door]
		within(t, func() {
			require.NoError(t, s.Run(func() {
				LockOSThread()
				d := &door{}
				w = weak.Make(d)
				Go(func() { d.signal() })
				d.wait()
				if unlock {
					UnlockOSThread()
				}
			}))
			until(t, "forgotten", func() bool { runtime.GC(); return w.Value() == nil }, s)
		}, s)
	}
}

func TestNoStealingAtMaxThreads(t *testing.T) {
	for range 200 {
		s := newTest(t, Config{Procs: 4, MaxThreads: 3, Tunables: Tunables{NoStealing: true}})
		var done sync.WaitGroup
		gate := make(chan struct{})
		for range 6 {
			done.Add(1)
			s.Go(func() {
				defer done.Done()
				for range 3 {
					done.Add(1)
					Go(done.Done)
				}
				Block(func() { <-gate })
			})
		}
		runtime.Gosched()
		close(gate)
		within(t, done.Wait, s)
		require.NoError(t, s.Close())
	}
}

// A timer of a P whose task runs on is fired by another one, even if no third stands in for the first.
func TestTimerBehindLongTask(t *testing.T) {
	s := newTest(t, Config{Procs: 2, Tunables: unhelped})
	var fired atomic.Bool
	both := make(chan struct{}, 2)
	s.Go(func() { // so that no worker goes idle
		for !fired.Load() {
			Yield()
		}
		both <- struct{}{}
	})
	s.Go(func() {
		AfterFunc(time.Millisecond, func() { fired.Store(true) })
		for !fired.Load() {
			runtime.Gosched()
		}
		both <- struct{}{}
	})
	within(t, func() { <-both; <-both }, s)
}

// sysmon may mark a P that is just being given up. The count of marks is for all Schedulers, so none may stay.
func TestLateMarkIsTakenOff(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	require.NoError(t, s.Run(func() {}))
	quiet(t, s)
	before := marks.Preempting.Load()
	(*s.allp.Load())[0].markPreempt()
	within(t, func() { require.NoError(t, s.Close()) }, s)
	require.Equal(t, before, marks.Preempting.Load())
}
