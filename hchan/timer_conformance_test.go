// What the tests of package time check of timers and tickers with a channel (time/tick_test.go, time/sleep_test.go): reset, stopped and received
// with and without somebody who waits; how docs/reliability.md maps them.

package hchan

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// resettable is a Timer, or a Ticker.
type resettable interface {
	Reset(d time.Duration) bool
	Stop() bool
}

// tickerTimer is a Ticker with a Timer's methods: it is always running, until it is stopped.
type tickerTimer struct {
	*Ticker
	stopped bool
}

func (t *tickerTimer) Reset(d time.Duration) bool {
	was := !t.stopped
	t.stopped = false
	t.Ticker.Reset(d)
	return was
}

func (t *tickerTimer) Stop() bool {
	was := !t.stopped
	t.stopped = true
	t.Ticker.Stop()
	return was
}

func forTimerAndTicker(t *testing.T, f func(t *testing.T, cs *testsched.Callers, tm resettable, c *Chan[time.Time], ticker bool)) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.UsesDefault = true
		var timer *Timer
		var tick *Ticker
		cs.Do(func() { timer, tick = NewTimer(hour), NewTicker(hour) })
		f(t, cs, timer, timer.C, false)
		f(t, cs, &tickerTimer{Ticker: tick}, tick.C, true)
	})
}

// requireNoTick requires that nothing can be received, by a try or a select.
func requireNoTick(t *testing.T, c *Chan[time.Time]) {
	t.Helper()
	_, _, received := c.TryRecv()
	require.False(t, received)
	require.Equal(t, 1, Select(OnRecv(c, nil, nil), Default()))
}

// requireTick requires that a time, which is over, can be received at once, each time in another way.
func requireTick(t *testing.T, c *Chan[time.Time], way int) {
	t.Helper()
	var at time.Time
	ok := false
	switch way % 4 {
	case 0:
		var received bool
		at, ok, received = c.TryRecv()
		require.True(t, received)
	case 1:
		require.Zero(t, Select(OnRecv(c, &at, &ok), Default()))
	case 2:
		other := Make[int](0)
		require.Equal(t, 1, SelectOrdered(OnRecv(other, nil, nil), OnRecv(c, &at, &ok), OnSend(other, 1), Default()))
	case 3:
		at, ok = c.Recv()
	}
	require.True(t, ok)
	require.False(t, at.IsZero())
}

// TestConformanceTimerChanAlone: with nobody waiting. What is over is received although no scheduler has come by.
func TestConformanceTimerChanAlone(t *testing.T) {
	forTimerAndTicker(t, func(t *testing.T, cs *testsched.Callers, tm resettable, c *Chan[time.Time], ticker bool) {
		cs.Do(func() {
			for way := range 4 {
				tm.Stop()
				requireNoTick(t, c)
				require.False(t, tm.Reset(hour), "stopped")
				requireNoTick(t, c)
				tm.Reset(1)
				passed(1)
				require.Zero(t, c.Len())
				require.Zero(t, c.Cap())
				requireTick(t, c, way)
				if ticker {
					passed(1)
					requireTick(t, c, way+1)
				} else {
					requireNoTick(t, c)
				}
				passed(1) // for a ticker one is over, and is lost
				require.Equal(t, ticker, tm.Reset(hour))
				requireNoTick(t, c)
				tm.Reset(1)
				passed(1)
				require.True(t, tm.Stop(), "not received")
				requireNoTick(t, c)
				tm.Reset(hour)
				require.True(t, tm.Reset(1))
				passed(1)
				require.True(t, tm.Reset(hour), "not received")
				requireNoTick(t, c)
			}
		})
	})
}

// TestConformanceTimerChanAwaited: Stop and Reset while somebody waits, in a receive or in selects.
func TestConformanceTimerChanAwaited(t *testing.T) {
	forTimerAndTicker(t, func(t *testing.T, cs *testsched.Callers, tm resettable, c *Chan[time.Time], ticker bool) {
		for way := range 2 {
			tm.Reset(hour)
			got := make(chan time.Time, 1)
			other := Make[int](0)
			cs.Go(func() {
				var at time.Time
				if way == 0 {
					at, _ = c.Recv()
				} else {
					require.Equal(t, 1, Select(OnRecv(other, nil, nil), OnRecv(c, &at, nil)))
				}
				got <- at
			})
			untilWaiting(t, c, 1, 0)
			require.True(t, tm.Reset(2*hour), "set later")
			require.True(t, tm.Stop(), "while somebody waits")
			require.False(t, tm.Stop())
			r, _ := c.waiting()
			require.Equal(t, 1, r, "it goes on waiting")
			require.Empty(t, got)
			before := time.Now()
			require.False(t, tm.Reset(1))
			at := <-got
			require.False(t, at.Before(before.Add(1)), "of the last setting")
			cs.Wait()
			if ticker {
				passed(1)
				requireTick(t, c, 0)
			} else {
				requireNoTick(t, c)
			}
			tm.Stop()
			requireNoTick(t, c)
		}
		tm.Reset(hour)
		served, stop := Make[int](2), Make[int](0)
		for range 2 {
			cs.Go(func() {
				if Select(OnRecv(c, nil, nil), OnRecv(stop, nil, nil)) == 0 {
					served.Send(1)
				}
			})
		}
		untilWaiting(t, c, 2, 0)
		tm.Reset(time.Microsecond)
		served.Recv()
		if ticker {
			served.Recv() // there is a tick for the other as well
		}
		tm.Stop()
		stop.Close()
		cs.Wait()
		require.Zero(t, served.Len())

		stop = Make[int](0) // who waits for what was stopped can leave
		for range 2 {
			cs.Go(func() { require.Equal(t, 1, Select(OnRecv(c, nil, nil), OnRecv(stop, nil, nil))) })
		}
		untilWaiting(t, c, 2, 0)
		stop.Close()
		cs.Wait()
	})
}

// TestTimerFirstComeFirstServed: a try does not take the time from who waits for it already.
func TestTimerFirstComeFirstServed(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.UsesDefault = true
		var tm *Timer
		cs.Do(func() { tm = NewTimer(hour) })
		got := Make[int](1)
		cs.Go(func() {
			tm.C.Recv()
			got.Send(1)
		})
		untilWaiting(t, tm.C, 1, 0)
		tm.Reset(time.Millisecond)
		for got.Len() == 0 {
			requireNoTick(t, tm.C)
			sched.Yield()
		}
	})
}

// TestTimerIsNotMissed: on one P a task that has been busy finds each timer that is over.
func TestTimerIsNotMissed(t *testing.T) {
	s := testsched.New(t, 1)
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			for way := range 20 {
				tm := NewTimer(100 * time.Microsecond)
				passed(100 * time.Microsecond)
				requireTick(t, tm.C, way)
			}
		}))
	})
	testsched.Close(t, s)
}

// TestConformanceAfterTimes: what is received long after its time was over is that time, and not that of the receive. It takes another try
// when the processor was away for most of the while (so does time/tick_test.go).
func TestConformanceAfterTimes(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.UsesDefault = true
		cs.Do(func() {
			const d = 100 * time.Microsecond
			for what, set := range map[string]func() *Chan[time.Time]{
				"After":     func() *Chan[time.Time] { return After(d) },
				"NewTicker": func() *Chan[time.Time] { return NewTicker(d).C },
			} {
				for try := 0; ; try++ {
					start := time.Now()
					c := set()
					passed(20 * d)
					late := time.Now()
					at, _ := c.Recv()
					require.False(t, at.Before(start.Add(d)), what)
					if at.Before(late) {
						break
					}
					require.Less(t, try, 10, what)
				}
			}
		})
	})
}

// TestConformanceAfterTick: one After after the other takes no less time than they say.
func TestConformanceAfterTick(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.UsesDefault = true
		cs.Do(func() {
			const count, d = 10, 200 * time.Microsecond
			start := time.Now()
			for range count {
				After(d).Recv()
			}
			require.GreaterOrEqual(t, time.Since(start), count*d)
		})
	})
}

// TestConformanceAfterStop: what was stopped in time sends nothing, also when a later one has.
func TestConformanceAfterStop(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.UsesDefault = true
		cs.Do(func() {
			first := NewTimer(hour)
			second := NewTimer(2 * time.Millisecond)
			first.Reset(time.Millisecond)
			require.True(t, first.Stop())
			second.C.Recv()
			requireNoTick(t, first.C)
			require.False(t, first.Stop())
		})
	})
}

// TestConformanceTimerGC: timers that nobody refers to are garbage, though they run; those for which somebody has waited too, but for a few.
func TestConformanceTimerGC(t *testing.T) {
	const n = 10_000
	inUse := func() int64 {
		var stats runtime.MemStats
		for range 3 {
			runtime.GC()
		}
		runtime.ReadMemStats(&stats)
		return int64(stats.Mallocs - stats.Frees)
	}
	s := testsched.New(t, 1)
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			ready, begin := Make[int](0), Make[int](0)
			sched.Go(func() {
				for range begin.All() {
					ready.Send(1)
				}
			})
			for what, f := range map[string]func(){
				"After":         func() { After(hour) },
				"NewTimer":      func() { NewTimer(hour) },
				"NewTicker":     func() { NewTicker(hour) },
				"NewTimerStop":  func() { NewTimer(hour).Stop() },
				"NewTickerStop": func() { NewTicker(hour).Stop() },
				"a time-out": func() {
					begin.Send(1)
					require.Equal(t, 1, Select(OnRecv(After(hour), nil, nil), OnRecv(ready, nil, nil)))
				},
			} {
				before := inUse()
				for range n {
					f()
				}
				require.Less(t, inUse()-before, int64(n), what)
			}
			begin.Close()
		}))
	})
	testsched.Close(t, s)
}
