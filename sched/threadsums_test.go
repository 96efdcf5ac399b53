package sched

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startsAddUp checks why workers of an open Scheduler were started, and what has become of them, while nothing happens.
func startsAddUp(t *testing.T, st Stats) {
	t.Helper()
	starts := st.ThreadsCreated + st.ThreadsReused
	require.Equal(t, starts, st.Wakes+st.HandOffs+st.WiredHandOffs+st.Evictions-st.ThreadsShort, "why: %+v", st)
	require.EqualValues(t, starts, int(st.ThreadParks)+st.Threads-st.IdleThreads+int(st.ThreadsEndedWired), "where: %+v", st)
}

// TestStartsAddUp: each way in which a P gets another worker, as many times as chance will have it.
func TestStartsAddUp(t *testing.T) {
	block := func(pause time.Duration) { Block(func() { time.Sleep(pause) }) }
	ways := map[string]struct {
		cfg  Config
		task func(i int)
		want func(d Stats) uint64 // which counter must have moved; nil: any
	}{
		"block": {
			task: func(int) { block(time.Millisecond) },
			want: func(d Stats) uint64 { return d.HandOffs },
		},
		"wired": {
			task: func(i int) {
				LockOSThread()
				Yield()
				Sleep(time.Microsecond)
				if i%2 == 0 {
					UnlockOSThread()
				}
			},
			want: func(d Stats) uint64 { return d.ThreadsEndedWired },
		},
		"few threads": {
			cfg:  Config{MaxThreads: 3},
			task: func(int) { block(time.Millisecond) },
			want: func(d Stats) uint64 { return d.ThreadsShort },
		},
		"relief": {
			task: func(i int) {
				if i == 0 {
					time.Sleep(50 * time.Millisecond) // a stuck P
				}
				Sleep(time.Microsecond)
			},
		},
		"threads that end": {
			cfg:  Config{IdleThread: time.Microsecond},
			task: func(int) { Sleep(time.Millisecond); block(time.Microsecond) },
		},
		"all together": {
			cfg: Config{MaxThreads: 6, IdleThread: 100 * time.Microsecond},
			task: func(i int) {
				if i%3 == 0 {
					LockOSThread()
				}
				block(time.Duration(i) * 100 * time.Microsecond)
				Sleep(time.Microsecond)
				Join(Yield, Yield)
				self := Current()
				self.SetProcs(1 + i%3)
			},
		},
	}
	for name, w := range ways {
		t.Run(name, func(t *testing.T) {
			for _, procs := range []int{1, 2, 8} {
				w.cfg.Procs = procs
				s := newTest(t, w.cfg)
				var last Stats
				for range 3 {
					var all sync.WaitGroup
					for i := range 12 {
						all.Add(1)
						s.Go(func() { defer all.Done(); w.task(i) })
					}
					within(t, all.Wait, s)
					st := restStats(t, s)
					addsUp(t, st)
					startsAddUp(t, st.Sub(last))
					last = st
				}
				if w.want != nil {
					require.Positive(t, w.want(last))
				}
			}
		})
	}
}

// TestHandOffsOfASystemCall: Procs 1, eight tasks that wait in Block, and a ninth that computes, with and without calls of ours. It gets on while all
// eight wait, and the starts of workers add up.
func TestHandOffsOfASystemCall(t *testing.T) {
	for name, between := range map[string]func(){"yields": Yield, "no call": func() {}} {
		t.Run(name, func(t *testing.T) {
			const waiters, rounds = 8, 5
			s := newTest(t, Config{Procs: 1})
			var inside, steps atomic.Int64
			var stop atomic.Bool
			var waiting, computing sync.WaitGroup
			computing.Add(1)
			waiting.Add(waiters)
			s.Go(func() {
				defer computing.Done()
				for !stop.Load() {
					steps.Add(1)
					between()
				}
			})
			for range waiters {
				s.Go(func() {
					defer waiting.Done()
					for round := range int64(rounds) {
						Block(func() {
							inside.Add(1)
							for inside.Load() < waiters*(round+1) { // until all are
								time.Sleep(time.Millisecond)
							}
							for at := steps.Load(); steps.Load() == at; {
								time.Sleep(time.Millisecond)
							}
						})
					}
				})
			}
			within(t, waiting.Wait, s)
			stop.Store(true)
			within(t, computing.Wait, s)
			quiet(t, s)
			st := s.Stats()
			addsUp(t, st)
			require.EqualValues(t, waiters*rounds, st.Blocks)
			require.GreaterOrEqual(t, int(st.HandOffs), waiters-1, "while all are inside")
			require.Positive(t, st.ThreadsReused)
			require.GreaterOrEqual(t, int(st.ThreadsCreated), waiters+1, "all inside, each with its thread, and the ninth's")
		})
	}
}

// TestLookingIsNoPark: a worker that leaves the cache only to look at something, here at idle stacks, has not been started for that.
func TestLookingIsNoPark(t *testing.T) {
	trimSoon(t)
	s := newTest(t, Config{Procs: 2})
	parkedCrowd(t, s, 500)
	until(t, "idle stacks are given up", func() bool { return s.nStacks.Load() <= idleBound(s) }, s)
	quiet(t, s)
	addsUp(t, s.Stats())
}
