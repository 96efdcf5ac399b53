// Timers and tickers over channels: when they send, and that nothing stale is received.

package hchan

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

const hour = time.Hour

// passed lets d pass, without giving way.
func passed(d time.Duration) {
	for start := time.Now(); time.Since(start) <= d; {
		continue
	}
}

func TestTimerSends(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.UsesDefault = true
		for range 6 {
			cs.Go(func() {
				start := time.Now()
				const d = 2 * time.Millisecond
				for _, c := range []*Chan[time.Time]{After(d), NewTimer(d).C} {
					at, ok := c.Recv()
					require.True(t, ok)
					require.GreaterOrEqual(t, at.Sub(start), d, "not early")
				}
				_, ok := After(-1).Recv()
				require.True(t, ok)
				late := NewTimer(hour)
				require.Equal(t, 1, Select(OnRecv(late.C, nil, nil), OnRecv(After(0), nil, nil)))
				late.Stop()
			})
		}
	})
}

func TestTickerSends(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.UsesDefault = true
		for range 3 {
			cs.Go(func() {
				last := time.Now()
				tick := NewTicker(time.Millisecond)
				for range 4 {
					at, _ := tick.C.Recv()
					require.False(t, at.Before(last), "in order")
					last = at
				}
				tick.Reset(2 * time.Millisecond)
				tick.C.Recv()
				tick.Stop()
				require.Zero(t, tick.C.Len())
				_, _, received := tick.C.TryRecv()
				require.False(t, received, "stopped")
			})
		}
	})
}

// TestTickerLeavesOut: ticks that nobody receives do not queue up.
func TestTickerLeavesOut(t *testing.T) {
	s := testsched.New(t, 2)
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			tick := NewTicker(time.Millisecond)
			other := NewTicker(time.Millisecond)
			for range 5 {
				other.C.Recv()
			}
			tick.Stop()
			_, _, received := tick.C.TryRecv()
			require.False(t, received, "Stop discards")
			other.Stop()
		}))
	})
	testsched.Close(t, s)
}

// TestTimerStopReset: what Stop and Reset return, before, after and beside the time, is what those of package time do.
func TestTimerStopReset(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.UsesDefault = true
		cs.Do(func() {
			ours, native := NewTimer(hour), time.NewTimer(hour)
			require.Equal(t, native.Stop(), ours.Stop(), "pending")
			require.Equal(t, native.Stop(), ours.Stop(), "stopped")
			require.Equal(t, native.Reset(0), ours.Reset(0), "stopped, set again")
			<-native.C
			ours.C.Recv()
			require.Equal(t, native.Stop(), ours.Stop(), "received")
			native.Reset(time.Microsecond)
			ours.Reset(time.Microsecond)
			passed(time.Microsecond)
			require.Equal(t, native.Reset(hour), ours.Reset(hour), "over, not received")
			require.Equal(t, len(native.C), ours.C.Len())
			require.Equal(t, cap(native.C), ours.C.Cap())
			_, _, received := ours.C.TryRecv()
			require.False(t, received, "nothing stale")
			require.Equal(t, native.Stop(), ours.Stop(), "pending again")
		})
	})
}

// TestTimerNothingStale: a Reset or Stop that races with the time leaves nothing of before, and loses nothing: each setting is
// either received or reported as pending.
func TestTimerNothingStale(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.UsesDefault = true
		for range 4 {
			cs.Go(func() {
				tm := NewTimer(hour)
				defer tm.Stop()
				for i := range 60 {
					was := tm.Reset(time.Duration(i%7) * 10 * time.Microsecond)
					require.True(t, was)
					for range i % 5 {
						sched.Yield()
					}
					set := time.Now()
					switch i % 3 {
					case 0:
						require.True(t, tm.Stop(), "it was not received")
						_, _, received := tm.C.TryRecv()
						require.False(t, received)
						require.False(t, tm.Reset(hour))
					case 1:
						require.True(t, tm.Reset(time.Microsecond), "it was not received")
						at, _ := tm.C.Recv()
						require.False(t, at.Before(set.Round(0)), "stale")
						require.False(t, tm.Reset(hour))
					case 2:
						tm.C.Recv()
						require.False(t, tm.Stop())
						require.False(t, tm.Reset(hour))
					}
				}
			})
		}
	})
}

// TestTimerResetAfterASend: who waits for a timer and is given something by a Send leaves no alarm behind that would stand for the next one.
func TestTimerResetAfterASend(t *testing.T) {
	s := testsched.New(t, 2)
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			tm := NewTimer(hour)
			sched.Go(func() {
				for tm.C.Snapshot().Recvq == nil {
					sched.Yield()
				}
				tm.C.Send(time.Time{})
			})
			tm.C.Recv()
			tm.Reset(time.Millisecond)
			tm.C.Recv()
		}))
	})
	testsched.Close(t, s)
}

// TestTimersAndClose: a Close of the scheduler ends them without a word, and no deadlock is reported while one is set.
func TestTimersAndClose(t *testing.T) {
	s, err := sched.New(sched.Config{Procs: 1, DetectDeadlock: true})
	require.NoError(t, err)
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() { After(5 * time.Millisecond).Recv() }))
		var dead *sched.DeadlockError
		require.ErrorAs(t, s.Run(func() {
			tm := NewTimer(time.Millisecond)
			tm.C.Recv()
			tm.C.Recv()
		}), &dead)
		require.ErrorAs(t, s.Run(func() {
			tm := NewTimer(hour)
			sched.Go(func() { tm.Stop() })
			tm.C.Recv()
		}), &dead, "stopped")
	})
	testsched.Close(t, s)
}

// TestTickerIsCollected: a ticker that nobody refers to is collected with its channel, though it was not stopped, and nothing ticks
// while nobody waits.
func TestTickerIsCollected(t *testing.T) {
	s := testsched.New(t, 1)
	var w weak.Pointer[Chan[time.Time]]
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			tick := NewTicker(time.Millisecond)
			tick.C.Recv()
			w = weak.Make(tick.C)
		}))
	})
	testsched.Until(t, func() bool {
		runtime.GC()
		return w.Value() == nil
	}, "the channel is collected")
	const others = 5 // each takes as long as the ticker's period, in which an alarm of it would fire as well
	testsched.Until(t, func() bool {
		before := s.Stats().TimersFired
		require.NoError(t, s.Run(func() {
			for range others {
				After(time.Millisecond).Recv()
			}
		}))
		return s.Stats().TimersFired-before == others
	}, "no alarm fires but those of others")
	testsched.Close(t, s)
}

func TestTimerPanics(t *testing.T) {
	for what, f := range map[string][2]func(){
		"ticker": {func() { time.NewTicker(0) }, func() { NewTicker(0) }},
		"ticker reset": {func() { time.NewTicker(hour).Reset(-1) }, func() {
			tick := NewTicker(hour)
			defer tick.Stop()
			tick.Reset(-1)
		}},
	} {
		want, ours := testsched.PanicOf(f[0]), testsched.PanicOf(f[1])
		if err, ok := want.(error); ok {
			want = err.Error()
		}
		require.Equal(t, want, ours, what)
	}
	require.Equal(t, "hchan: Stop called on uninitialized Timer", testsched.PanicOf(func() { new(Timer).Stop() }))
	require.Equal(t, "hchan: Reset called on uninitialized Timer", testsched.PanicOf(func() { new(Timer).Reset(1) }))
	require.Equal(t, "hchan: Reset called on uninitialized Ticker", testsched.PanicOf(func() { new(Ticker).Reset(1) }))
	new(Ticker).Stop()
}

// TestManyTimers: selects over timers from many tasks at once.
func TestManyTimers(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.UsesDefault = true
		var fired atomic.Int64
		for i := range 50 {
			cs.Go(func() {
				var at time.Time
				var ok bool
				soon, late := NewTimer(time.Duration(i)*20*time.Microsecond), NewTimer(hour)
				if Select(OnRecv(late.C, nil, nil), OnRecv(soon.C, &at, &ok)) == 1 && ok && !at.IsZero() {
					fired.Add(1)
				}
				late.Stop()
			})
		}
		cs.Wait()
		require.EqualValues(t, 50, fired.Load())
	})
}
