package sched

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/futex"
)

func TestSleepIsNeverShort(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var early atomic.Int32
		var all sync.WaitGroup
		for i := range 40 {
			all.Add(1)
			s.Go(func() {
				defer all.Done()
				for k := range 5 {
					d := time.Duration((i*7+k*13)%50) * 100 * time.Microsecond
					start := clock.Nanotime()
					Sleep(d)
					if clock.Nanotime()-start < int64(d) {
						early.Add(1)
					}
				}
			})
		}
		all.Wait()
		require.Zero(t, early.Load())
		require.Zero(t, s.nextTimer())
	})
	start := time.Now()
	Sleep(time.Millisecond) // a plain goroutine
	require.GreaterOrEqual(t, time.Since(start), time.Millisecond)
}

func TestSleepOfNothingReturns(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	run(t, s, func() {
		Sleep(0)
		Sleep(-time.Hour)
		Sleep(math.MinInt64)
		require.Zero(t, s.nextTimer())
	})
}

// TestSleepersWakeInOrder: with one P, the order is that of the times. A thread may be stopped between a task's look at the clock and
// Sleep's own, so a task's time lies between what it saw and what the next one to fall asleep saw.
func TestSleepersWakeInOrder(t *testing.T) {
	const sleepers = 20
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	type sleeper struct {
		began, d int64
		latest   int64 // that it can have set its timer to
	}
	var mu sync.Mutex     // of what follows
	var asleep []*sleeper // in the order in which they fell asleep
	var woken []*sleeper
	fallenAsleep := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(asleep)
	}
	var done door
	run(t, s, func() {
		for i := range sleepers {
			Go(func() {
				me := &sleeper{began: s.nanotime(), d: int64(sleepers-i) * int64(time.Millisecond)}
				mu.Lock()
				if n := len(asleep); n > 0 {
					asleep[n-1].latest = me.began + asleep[n-1].d
				}
				asleep = append(asleep, me)
				mu.Unlock()
				Sleep(time.Duration(me.d))
				mu.Lock()
				woken = append(woken, me)
				all := len(woken) == sleepers
				mu.Unlock()
				if all {
					done.signal()
				}
			})
		}
		for fallenAsleep() < sleepers {
			Yield()
		}
		last := asleep[sleepers-1]
		last.latest = s.nanotime() + last.d
		done.wait()
	})
	earliest := int64(0) // that the last of those woken so far was to wake
	for i, w := range woken {
		require.GreaterOrEqual(t, w.latest, earliest, "the %d. to wake", i+1)
		earliest = max(earliest, w.began+w.d)
	}
}

// TestSleepBesideBusyTasks: tasks that only yield, or loop without a call, hold up no sleeper for good.
func TestSleepBesideBusyTasks(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var stop atomic.Bool
		var all sync.WaitGroup
		for i := range 4 {
			all.Add(1)
			s.Go(func() {
				defer all.Done()
				for !stop.Load() {
					if i > 0 {
						Yield()
					} else {
						runtime.Gosched()
					}
				}
			})
		}
		require.NoError(t, s.Run(func() {
			for range 5 {
				Sleep(200 * time.Microsecond)
			}
		}))
		stop.Store(true)
		all.Wait()
	})
}

func TestSleepUnwound(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		with(t, procs, func(s *Scheduler) {
			var asleep, deferred atomic.Int32
			for range 100 {
				s.Go(func() {
					defer deferred.Add(1)
					defer Sleep(time.Microsecond) // may sleep once more
					asleep.Add(1)
					Sleep(time.Hour)
				})
			}
			until(t, "all sleep", func() bool { return asleep.Load() == 100 && waiting(s) == 100 }, s)
			within(t, func() { require.NoError(t, s.Close()) }, s)
			require.EqualValues(t, 100, deferred.Load())
			require.Zero(t, s.nextTimer(), "no timer is left behind")
		})
	}
}

func TestSleepAllocatesNothing(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	run(t, s, func() {
		Sleep(1)
		most := 0.0
		if !futex.Kernel { // a timer for each sleep with a limit
			most = 3
		}
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() { Sleep(time.Microsecond) }), most)
	})
}

func TestAfterFunc(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		check := func() {
			var ran atomic.Int32
			start := clock.Nanotime()
			var at int64
			var fired door
			tm := s.AfterFunc(time.Millisecond, func() {
				at = clock.Nanotime()
				require.Same(t, s, Current())
				_, isTask := ID()
				require.True(t, isTask)
				ran.Add(1)
				fired.signal()
			})
			fired.wait()
			require.GreaterOrEqual(t, at-start, int64(time.Millisecond))
			require.False(t, tm.Stop(), "it is over")
			require.False(t, tm.Reset(-1), "it was over; now at once")
			fired.wait()
			require.EqualValues(t, 2, ran.Load())
			require.False(t, tm.Reset(time.Hour))
			require.True(t, tm.Reset(time.Hour), "it was pending")
			require.True(t, tm.Stop())
			require.False(t, tm.Stop())
		}
		check()
		require.NoError(t, s.Run(check))
		var n atomic.Int32
		require.NoError(t, s.Run(func() { AfterFunc(0, func() { n.Add(1) }) }))
		for n.Load() == 0 {
			runtime.Gosched()
		}
	})
}

func TestTimerBadUse(t *testing.T) {
	require.PanicsWithValue(t, "sched: AfterFunc of nil func", func() { AfterFunc(0, nil) })
	require.PanicsWithValue(t, "sched: Stop called on uninitialized Timer", func() { new(Timer).Stop() })
	require.PanicsWithValue(t, "sched: Reset called on uninitialized Timer", func() { new(Timer).Reset(1) })
	s := newTest(t, Config{Procs: 1})
	tm := s.AfterFunc(time.Hour, func() { t.Error("called after Close") })
	require.True(t, tm.Reset(math.MaxInt64), "no overflow")
	within(t, func() { require.NoError(t, s.Close()) }, s)
	tm.Reset(0)
	s.AfterFunc(0, func() { t.Error("called after Close") })
}

// TestEarlierTimerFromOutside: all workers sleep until a late timer; a goroutine sets an earlier one.
func TestEarlierTimerFromOutside(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		s := newTest(t, Config{Procs: procs})
		late := s.AfterFunc(time.Hour, func() {})
		for i := range 200 {
			if i%10 == 0 { // nothing runs any more; on a busy machine a relief P may have come and be left
				until(t, "all is idle", func() bool { return s.polling.Load() && s.npidle.Load() == s.procs.Load() }, s)
			}
			var fired door
			s.AfterFunc(time.Duration(i%3)*50*time.Microsecond, fired.signal)
			within(t, fired.wait, s)
		}
		require.True(t, late.Stop())
	}
}

// TestAlarmPeriod: the calls come at multiples of the period; f may set and stop its own alarm.
func TestAlarmPeriod(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const periodNS = 200_000
		var times []int64
		var done door
		var a Alarm
		start := s.nanotime()
		a.Init(s, func(_ uint64, nowNS int64) {
			if times = append(times, nowNS); len(times) == 5 {
				require.True(t, a.Stop())
				done.signal()
			}
		})
		a.Set(periodNS, periodNS)
		done.wait()
		for i, at := range times {
			require.GreaterOrEqual(t, at-start, int64(i+1)*periodNS)
		}
	})
}

// TestAlarmSeqTellsWhichSetting: a call that was overtaken by another Set can be told by its number.
func TestAlarmSeqTellsWhichSetting(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	var a Alarm
	got := make(chan uint64, 10)
	a.Init(s, func(seq uint64, _ int64) { got <- seq })
	first, was := a.Set(time.Hour, 0)
	require.False(t, was)
	second, was := a.Set(0, 0)
	require.True(t, was)
	require.NotEqual(t, first, second)
	within(t, func() { require.Equal(t, second, <-got) }, s)
}

// TestStressTimers sets, resets and stops timers from tasks and goroutines while others sleep, with the
// number of Ps changing: what is not stopped fires once for each setting that was not replaced.
func TestStressTimers(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		procs := int(s.procs.Load())
		stopGC := collecting()
		var all sync.WaitGroup
		var fired, expected atomic.Int64
		work := func(i int) {
			defer all.Done()
			for k := range 30 {
				d := time.Duration((i*31+k*17)%200) * time.Microsecond
				tm := AfterFunc(d, func() { fired.Add(1) })
				if i%2 == 0 {
					tm = s.AfterFunc(d, func() { fired.Add(1) })
					expected.Add(1) // the one made above
				}
				expected.Add(1)
				switch k % 3 {
				case 0:
					if tm.Stop() {
						expected.Add(-1)
					}
				case 1:
					if !tm.Reset(d / 2) {
						expected.Add(1)
					}
				}
				Sleep(d)
				if i == 0 && k%5 == 0 {
					s.SetProcs(1 + k%3)
				}
			}
		}
		for i := range 16 {
			all.Add(1)
			s.Go(func() { work(i) })
		}
		for i := range 3 {
			all.Add(1)
			go work(2*i + 1) // its timers are Default's
		}
		all.Wait()
		s.SetProcs(procs)
		for fired.Load() < expected.Load() {
			runtime.Gosched()
		}
		require.Equal(t, expected.Load(), fired.Load())
		stopGC()
	})
}

// TestMillionTimers: set in random order, half of them stopped.
func TestMillionTimers(t *testing.T) {
	n := 1_000_000
	if raceEnabled || coro.Backend != "cell" { // to find out who calls takes a microsecond there, or more
		n /= 10
	}
	s := newTest(t, Config{Procs: 2})
	var fired atomic.Int64
	alarms := make([]Alarm, n)
	run(t, s, func() {
		for i := range alarms {
			alarms[i].Init(s, func(uint64, int64) { fired.Add(1) })
			alarms[i].Set(time.Hour+time.Duration(i*7919%n), 0)
		}
		for i := range alarms {
			if i%2 == 0 {
				require.True(t, alarms[i].Stop())
			} else {
				alarms[i].Set(time.Duration(i*7919%n), 0)
			}
		}
		for fired.Load() < int64(n/2) {
			Yield()
		}
	})
	require.EqualValues(t, n/2, fired.Load())
	require.Zero(t, s.nextTimer())
}

func TestStatsOfTimers(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	run(t, s, func() {
		Sleep(1)
		tm := AfterFunc(time.Hour, func() {})
		tm.Reset(time.Hour)
		tm.Stop()
	})
	st := s.Stats()
	require.EqualValues(t, 3, st.TimersSet)
	require.EqualValues(t, 1, st.TimersFired)
}

// TestTimersDueTogetherStartInOrder: they have waited for a P that was busy.
func TestTimersDueTogetherStartInOrder(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	var order journal[int]
	run(t, s, func() {
		var done door
		for i := range 20 {
			AfterFunc(time.Duration(i)*time.Microsecond, func() {
				if order.add(i); i == 19 {
					done.signal()
				}
			})
		}
		for end := clock.Nanotime() + 1_000_000; clock.Nanotime() < end; {
		}
		done.wait()
	})
	for i, v := range order.all() {
		require.Equal(t, i, v)
	}
	require.Len(t, order.all(), 20)
}
