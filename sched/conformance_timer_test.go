package sched

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/clock"
)

// Conformance with the Go scheduler: timers beside busy tasks, and what time's own tests ask of Sleep, AfterFunc, Stop and
// Reset. No test asserts how soon something happens, only that it does, not too early, and how often.

// TestConformanceTimerFairness: a timer fires although tasks hand each other something all the time.
// runtime/proc_test.go, TestTimerFairness.
func TestConformanceTimerFairness(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		require.NoError(t, s.Run(func() {
			var ended, gone atomic.Bool
			var ask, answer [2]door
			var left atomic.Int32
			for i := range ask {
				Go(func() {
					for {
						ask[i].wait()
						if ended.Load() {
							gone.Store(left.Add(1) == 2)
							return
						}
						answer[i].signal()
					}
				})
			}
			AfterFunc(200*time.Microsecond, func() { ended.Store(true) })
			for i := 0; !ended.Load(); i = 1 - i {
				ask[i].signal()
				if ended.Load() {
					break // nobody answers any more
				}
				answer[i].wait1(&ended)
			}
			ask[0].signal()
			ask[1].signal()
			for !gone.Load() {
				Yield()
			}
		}))
	})
}

// wait1 waits for g's signal, by yielding, or for over.
func (g *door) wait1(over *atomic.Bool) {
	for !over.Load() {
		g.lock.Lock()
		open := g.open
		g.open = false
		g.lock.Unlock()
		if open {
			return
		}
		Yield()
	}
}

// TestConformanceTimerFairness2: the same for tasks that also make blocking calls, each with a timer of its own.
// runtime/proc_test.go, TestTimerFairness2.
func TestConformanceTimerFairness2(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var fired atomic.Int32
		var both sync.WaitGroup
		var there, back door
		both.Add(2)
		s.Go(func() {
			defer both.Done()
			AfterFunc(200*time.Microsecond, func() { fired.Add(1) })
			for fired.Load() < 2 {
				Block(nothing)
				there.signal()
				back.wait()
			}
			there.signal()
		})
		s.Go(func() {
			defer both.Done()
			AfterFunc(200*time.Microsecond, func() { fired.Add(1) })
			for there.wait(); fired.Load() < 2; there.wait() {
				Block(nothing)
				back.signal()
			}
			back.signal()
		})
		both.Wait()
	})
}

// TestConformanceAfterFunc has a function set itself again and then sleep: the next call does not wait for it.
// time/sleep_test.go, TestAfterFunc.
func TestConformanceAfterFunc(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var done door
		var left atomic.Int32
		left.Store(10)
		var f func()
		f = func() {
			if left.Add(-1) < 0 {
				done.signal()
				return
			}
			AfterFunc(0, f)
			Sleep(time.Hour) // unwound by Close
		}
		s.AfterFunc(0, f)
		done.wait()
	})
}

// TestConformanceAfterFuncStarvation: a timer's function runs although one of two tasks can always run.
// time/sleep_test.go, TestAfterFuncStarvation.
func TestConformanceAfterFuncStarvation(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		for range 20 {
			var stop atomic.Bool
			var both sync.WaitGroup
			var full, empty door
			both.Add(2)
			s.Go(func() {
				defer both.Done()
				for !stop.Load() {
					full.signal()
					empty.wait()
				}
				full.signal()
			})
			s.Go(func() {
				defer both.Done()
				for full.wait(); !stop.Load(); full.wait() {
					empty.signal()
				}
				empty.signal()
			})
			s.AfterFunc(time.Microsecond, func() { stop.Store(true) })
			both.Wait()
		}
	})
}

// TestConformanceTickerStress: a timer that is always due goes on beside the collector.
// time/sleep_test.go, TestTickerStress, TestTickerConcurrentStress.
func TestConformanceTickerStress(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var stop atomic.Bool
		var gc sync.WaitGroup
		gc.Go(func() {
			for !stop.Load() {
				runtime.GC()
			}
		})
		var ticks atomic.Int64
		var a Alarm
		a.Init(s, func(uint64, int64) { ticks.Add(1) })
		a.Set(1, 1)
		var all sync.WaitGroup
		for range 10 {
			all.Add(1)
			s.Go(func() {
				defer all.Done()
				for last := ticks.Load(); last < 100; last = ticks.Load() {
					for ticks.Load() == last {
						Yield()
					}
				}
			})
		}
		all.Wait()
		require.True(t, a.Stop(), "it is always pending")
		stop.Store(true)
		gc.Wait()
	})
}

// TestConformanceAfterQueuing: sleepers of one P wake in the order of their times, equal ones and zero among them.
// time/sleep_test.go, TestAfterQueuing.
func TestConformanceAfterQueuing(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped}) // or a second P might mix up the order
	type sleeper struct {
		from int64
		to   atomic.Int64
	} // its time lies between the two
	var woken journal[*sleeper]
	slots := []int{5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0}
	run(t, s, func() {
		for _, slot := range slots {
			d := time.Duration(slot) * time.Millisecond
			Go(func() {
				me := &sleeper{from: clock.Nanotime() + int64(d)}
				Go(func() { me.to.Store(clock.Nanotime() + int64(d)) }) // runs as the sleeper parks
				Sleep(d)
				woken.add(me)
			})
		}
		for len(woken.all()) < len(slots) {
			Yield()
		}
	})
	for i, a := range woken.all() {
		for _, b := range woken.all()[i+1:] {
			if to := b.to.Load(); to != 0 {
				require.LessOrEqual(t, a.from, to, "a later time came first")
			}
		}
	}
}

// TestConformanceTimerStopStress: timers that tasks stop in time never fire. time/sleep_test.go, TestTimerStopStress.
func TestConformanceTimerStopStress(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var fired, notStopped atomic.Int32
		var all sync.WaitGroup
		for range 100 {
			all.Add(1)
			s.Go(func() {
				defer all.Done()
				tm := AfterFunc(time.Hour, func() { fired.Add(1) })
				Sleep(100 * time.Microsecond)
				if !tm.Stop() {
					notStopped.Add(1)
				}
			})
		}
		all.Wait()
		require.Zero(t, fired.Load())
		require.Zero(t, notStopped.Load())
		require.Zero(t, s.nextTimer())
	})
}

// TestConformanceSleepZero: sleeps of nothing leave the task running, whatever the collector does meanwhile.
// time/sleep_test.go, TestSleepZeroDeadlock.
func TestConformanceSleepZero(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var gc sync.WaitGroup
		gc.Go(func() {
			for range min(10, 3*runtime.GOMAXPROCS(0)) {
				runtime.GC()
			}
		})
		require.NoError(t, s.Run(func() {
			for range 100 {
				Sleep(0)
				c := make(chan bool, 1)
				c <- true
				<-c
			}
		}))
		gc.Wait()
	})
}

// TestConformanceReset: a timer that is set again fires once, and not before its new time; one that has fired says so.
// time/sleep_test.go, TestReset.
func TestConformanceReset(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const d = 300 * time.Microsecond
		require.NoError(t, s.Run(func() {
			for moved := 0; moved < 3; {
				var fired door
				var calls atomic.Int32
				var at atomic.Int64
				tm := AfterFunc(2*d, func() { at.Store(clock.Nanotime()); calls.Add(1); fired.signal() })
				Sleep(d)
				set := clock.Nanotime()
				if !tm.Reset(3 * d) { // the machine was slow
					for calls.Load() < 2 {
						Sleep(d)
					}
					continue
				}
				moved++
				fired.wait()
				require.GreaterOrEqual(t, at.Load()-set, int64(3*d))
				require.EqualValues(t, 1, calls.Load())
				require.False(t, tm.Reset(time.Hour), "it has fired")
				require.True(t, tm.Stop())
			}
		}))
	})
}

// TestConformanceOverflow: a time beyond all clocks does not come, and holds up no other; one long past is now.
// time/sleep_test.go, TestOverflowSleep; also TestOverflowPeriodRuntimeTimer, for a period.
func TestConformanceOverflow(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var wrong atomic.Int32
		var asleep door
		s.Go(func() { asleep.signal(); Sleep(math.MaxInt64); wrong.Add(1) })
		asleep.wait()
		late := s.AfterFunc(math.MaxInt64, func() { wrong.Add(1) })
		var calls atomic.Int32
		var a Alarm
		a.Init(s, func(uint64, int64) { calls.Add(1) })
		a.Set(0, math.MaxInt64)
		require.NoError(t, s.Run(func() {
			Sleep(time.Millisecond)
			Sleep(math.MinInt64)
			var now door
			AfterFunc(math.MinInt64, now.signal)
			now.wait()
			for calls.Load() == 0 {
				Yield()
			}
			Sleep(time.Millisecond)
		}))
		require.EqualValues(t, 1, calls.Load())
		require.True(t, a.Stop())
		require.True(t, late.Stop())
		require.Zero(t, wrong.Load())
	})
}

// TestConformanceNilTimer: a panic in Stop leaves no lock held. time/sleep_test.go, TestIssue5745.
func TestConformanceNilTimer(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	run(t, s, func() {
		other := AfterFunc(time.Hour, nothing)
		defer func() {
			require.NotNil(t, recover())
			require.True(t, other.Stop())
		}()
		var tm *Timer
		tm.Stop()
	})
}

// TestConformanceZeroTimer: timers of no duration are not missed, new ones and one that is set again and again.
// time/sleep_test.go, TestZeroTimer.
func TestConformanceZeroTimer(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		require.NoError(t, s.Run(func() {
			var fired door
			cached := AfterFunc(time.Hour, fired.signal)
			for range 300 {
				AfterFunc(0, fired.signal)
				fired.wait()
				cached.Reset(0)
				fired.wait()
			}
		}))
	})
}

// TestConformanceModifiedEarlier: a timer that is set to earlier and earlier times is not lost.
// time/sleep_test.go, TestTimerModifiedEarlier.
func TestConformanceModifiedEarlier(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		require.NoError(t, s.Run(func() {
			for range 30 {
				var calls atomic.Int32
				want := int32(1)
				tm := AfterFunc(time.Hour, func() { calls.Add(1) })
				for range 10 {
					if !tm.Stop() {
						want++ // that one fires, or has
					}
					tm.Reset(-50 * 365 * 24 * time.Hour)
				}
				for calls.Load() < want {
					Yield()
				}
				require.Equal(t, want, calls.Load())
			}
		}))
	})
}

// TestConformanceAdjustTimers moves a hundred timers to and fro in random order, between soon and late, with stops in between: each
// fires as often as its settings were left alone. time/sleep_test.go, TestAdjustTimers.
func TestConformanceAdjustTimers(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		require.NoError(t, s.Run(func() {
			r := rand.New(rand.NewPCG(1, 1))
			type adjusted struct {
				tm    *Timer
				step  int
				calls atomic.Int32
			}
			all := make([]*adjusted, 100)
			for i := range all {
				all[i] = &adjusted{}
			}
			for len(all) > 0 {
				i := r.IntN(len(all))
				a := all[i]
				until := func(n int32) {
					for a.calls.Load() < n {
						Yield()
					}
				}
				switch a.step++; a.step {
				case 1:
					a.tm = AfterFunc(0, func() { a.calls.Add(1) })
				case 2:
					until(1)
				case 3, 5, 7:
					require.False(t, a.tm.Reset(time.Duration(a.step)*time.Minute))
				case 4, 6, 8:
					require.True(t, a.tm.Stop())
				case 9:
					require.False(t, a.tm.Reset(0))
				default:
					until(2)
					require.EqualValues(t, 2, a.calls.Load())
					all[i] = all[len(all)-1]
					all = all[:len(all)-1]
				}
			}
		}))
	})
}

// TestConformanceStopResult: of two timers that are due at the same time the second is stopped as the first fires. If Stop says that
// it has prevented the call there is none, else there is one. time/sleep_test.go, TestStopResult.
func TestConformanceStopResult(t *testing.T) {
	conformStopOrReset(t, (*Timer).Stop)
}

// TestConformanceResetResult is the same with Reset to a late time. time/sleep_test.go, TestResetResult.
func TestConformanceResetResult(t *testing.T) {
	conformStopOrReset(t, func(tm *Timer) bool { return tm.Reset(time.Hour) })
}

func conformStopOrReset(t *testing.T, prevent func(*Timer) bool) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const tasks, rounds = 20, 20
		var calls, want atomic.Int64
		var all sync.WaitGroup
		for range tasks {
			all.Add(1)
			s.Go(func() {
				defer all.Done()
				for range rounds {
					var first, second door
					AfterFunc(50*time.Microsecond, func() { calls.Add(1); first.signal() })
					tm := AfterFunc(50*time.Microsecond, func() { calls.Add(1); second.signal() })
					first.wait()
					want.Add(1)
					if !prevent(tm) {
						want.Add(1)
						second.wait() // hangs if Stop was wrong
						tm.Stop()
					}
				}
			})
		}
		all.Wait()
		require.Equal(t, want.Load(), calls.Load())
	})
}

// TestConformanceMultiWakeup has many tasks set one timer at once to a time that is over at once.
// time/sleep_test.go, TestMultiWakeupTimer, TestMultiWakeupTicker.
func TestConformanceMultiWakeup(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const tasks, rounds = 8, 200
		var calls, left atomic.Int64
		tm := s.AfterFunc(1, func() { calls.Add(1) })
		left.Store(1)
		var all sync.WaitGroup
		for range tasks {
			all.Add(1)
			s.Go(func() {
				defer all.Done()
				for range rounds {
					if !tm.Reset(1) {
						left.Add(1) // the setting before has not been replaced
					}
					look()
				}
			})
		}
		all.Wait()
		for calls.Load() < left.Load() {
			runtime.Gosched()
		}
		require.Equal(t, left.Load(), calls.Load())
		require.False(t, tm.Stop())
	})
}
