package sched

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/hb"
)

// pair starts two tasks in s that ready each other until stop is set, and returns when they run.
func pair(t *testing.T, s *Scheduler, stop *atomic.Bool) {
	t.Helper()
	var rounds atomic.Int64
	s.Go(func() {
		var a, b door
		Go(func() {
			for !stop.Load() {
				a.wait()
				b.signal()
			}
			b.signal()
		})
		for !stop.Load() {
			a.signal()
			b.wait()
			rounds.Add(1)
		}
		a.signal()
	})
	until(t, "the pair runs", func() bool { return rounds.Load() > 100 }, s)
}

// TestPairDoesNotStarve lets two tasks of the only P keep its runnext busy for ever.
func TestPairDoesNotStarve(t *testing.T) {
	for _, native := range []int{1, 2} {
		t.Run(fmt.Sprint(native), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(native))
			s := newTest(t, Config{Procs: 1, Tunables: unhelped})
			var stop atomic.Bool
			defer stop.Store(true)
			pair(t, s, &stop)
			t.Run("the global queue", func(t *testing.T) {
				var ran atomic.Bool
				s.Go(func() { ran.Store(true) })
				until(t, "a task of a goroutine runs", ran.Load, s)
			})
			t.Run("the ring", func(t *testing.T) {
				var turns atomic.Int32
				s.Go(func() {
					for range 5 {
						turns.Add(1)
						Yield()
					}
				})
				until(t, "a task that yields runs on", func() bool { return turns.Load() == 5 }, s)
			})
			t.Run("goroutines", func(t *testing.T) {
				done := make(chan struct{})
				go close(done)
				within(t, func() { <-done }, s)
			})
		})
	}
}

// TestYielderDoesNotStarve has a task that yields for ever, alone on its P.
func TestYielderDoesNotStarve(t *testing.T) {
	for _, native := range []int{1, 2} {
		t.Run(fmt.Sprint(native), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(native))
			s := newTest(t, Config{Procs: 1, Tunables: unhelped})
			var stop, started atomic.Bool
			defer stop.Store(true)
			s.Go(func() {
				for !stop.Load() {
					started.Store(true)
					Yield()
				}
			})
			until(t, "the yielder runs", started.Load, s)
			for range 100 {
				var ran atomic.Bool
				s.Go(func() { ran.Store(true) })
				until(t, "a task of a goroutine runs", ran.Load, s)
			}
			var g door
			var woken atomic.Bool
			s.Go(func() {
				g.wait()
				woken.Store(true)
			})
			until(t, "it waits", func() bool { return waiting(s) == 1 }, s)
			g.signal() // from a goroutine
			until(t, "it is woken", woken.Load, s)
		})
	}
}

// TestYieldersLetEachOtherRun has more yielders than Ps, and spawns among them.
func TestYieldersLetEachOtherRun(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var stop atomic.Bool
		var turns [20]atomic.Int64
		for i := range turns {
			s.Go(func() {
				for !stop.Load() {
					turns[i].Add(1)
					Yield()
				}
			})
		}
		for i := range turns {
			for turns[i].Load() < 200 {
				runtime.Gosched()
			}
		}
		stop.Store(true)
	})
}

// quietPoller is a network in which somebody waits and nothing happens.
type quietPoller struct{ polls atomic.Int64 }

func (p *quietPoller) Poll(delayNS int64, _ *GList) { p.polls.Add(1) }
func (p *quietPoller) Break()                       {}
func (p *quietPoller) Waiting() bool                { return true }
func (p *quietPoller) Close() error                 { return nil }

// TestYieldTakesTurnsWhatever has yielders take turns while the network has to be asked now and then,
// and native goroutines have to be let in: no yield may be skipped for that.
func TestYieldTakesTurnsWhatever(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped}) // a thread that the kernel stops for 11 ms looks stuck
	p := &quietPoller{}
	_, err := s.Poller(func() (Poller, error) { return p, nil })
	require.NoError(t, err)
	turn, last, skipped, done := 0, -1, 0, 0
	run(t, s, func() {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}

		for i := range 2 {
			Go(func() {
				if hb.On {
					hb.Enter()
					defer hb.Leave()
				}

				for p.polls.Load() < 30 || turn < 50_000 {
					if last == i && done == 0 {
						skipped++
					}
					last = i
					turn++
					Yield()
				}
				done++
			})
		}
		for done < 2 {
			Yield()
		}
	})
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	require.Zero(t, skipped, "of %d", turn)
}

// A task that yields again and again, and works for so long in between that each look out of turn finds the
// native scheduler's turn due, does not keep the global queue waiting.
func TestSlowYieldsLetGlobalQueueRun(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	var ran atomic.Bool
	run(t, s, func() {
		done := make(chan struct{})
		go func() {
			s.Go(func() { ran.Store(true) })
			close(done)
		}()
		<-done
		for range 20 * fairTicks {
			if ran.Load() {
				return
			}
			for end := clock.Nanotime() + 2*nativeSliceNS/fairTicks; clock.Nanotime() < end; {
			}
			Yield()
		}
	})
	require.True(t, ran.Load())
}
