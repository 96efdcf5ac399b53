package sched

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBlockPassesThrough(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		ran := 0
		Block(func() { ran++ }) // on a plain goroutine
		require.NoError(t, s.Run(func() {
			me := Self()
			id, _ := ID()
			Block(func() {
				ran++
				inside, ok := ID()
				require.True(t, ok)
				require.Equal(t, id, inside)
				require.NotSame(t, me, Self(), "waits like a plain goroutine")
				require.Same(t, Self(), Self())
				require.Same(t, s, Current())
				Block(func() { ran++ }) // nested
			})
			require.Same(t, me, Self())
		}))
		require.Equal(t, 3, ran)
		require.PanicsWithValue(t, "sched: Block of nil func", func() { Block(nil) })
	})
}

// TestBlockLetsOthersRun has every P's worth of tasks, and more, blocked at once, all of which another
// task must release: possible only if each has given its P away.
func TestBlockLetsOthersRun(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const blocked = 12
		release := make(chan struct{})
		var inside atomic.Int32
		var done sync.WaitGroup
		done.Add(blocked + 1)
		for range blocked {
			s.Go(func() {
				defer done.Done()
				Block(func() { inside.Add(1); <-release })
				Yield()
			})
		}
		s.Go(func() {
			defer done.Done()
			for inside.Load() < blocked {
				Yield()
			}
			close(release)
		})
		done.Wait()
		handed := uint32(0)
		for _, p := range *s.allp.Load() {
			handed += p.nHandoff.Load()
		}
		require.GreaterOrEqual(t, int(handed), blocked+1-int(s.procs.Load())-1)
	})
}

// TestBlockAloneIsRetaken: nothing was queued when Block began, so the worker kept its P at hand; work
// that comes later, from outside, must take it away.
func TestBlockAloneIsRetaken(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		for range 20 {
			release := make(chan struct{})
			inside := make(chan struct{})
			end := make(chan struct{})
			s.Go(func() {
				Block(func() { close(inside); <-release })
				close(end)
			})
			<-inside
			for range 3 {
				require.NoError(t, s.Run(func() { Yield() }))
			}
			close(release)
			<-end
		}
	})
}

// TestStressBlock mixes short and longer blocks, yields, parks and spawns.
func TestStressBlock(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const tasks, rounds = 24, 40
		var sum atomic.Int64
		var done sync.WaitGroup
		done.Add(tasks)
		for i := range tasks {
			s.Go(func() {
				defer done.Done()
				for k := range rounds {
					switch (i + k) % 4 {
					case 0:
						Block(func() { sum.Add(1) })
					case 1:
						Block(func() { time.Sleep(time.Duration(k) * time.Microsecond); sum.Add(1) })
					case 2:
						var g door
						Go(func() { Block(g.signal) })
						g.wait()
						sum.Add(1)
					default:
						Yield()
						Block(func() { runtime.Gosched(); Go(func() { sum.Add(1) }) })
					}
				}
			})
		}
		done.Wait()
		for sum.Load() < tasks*rounds {
			runtime.Gosched()
		}
		require.EqualValues(t, tasks*rounds, sum.Load())
	})
}

func TestBlockPanicAndExitGoOn(t *testing.T) {
	got := &journal[*PanicError]{}
	s := newTest(t, Config{Procs: 1, PanicHandler: got.add})
	var err error
	within(t, func() { err = s.Run(func() { Block(func() { panic("in block") }) }) }, s)
	var p *PanicError
	require.True(t, errors.As(err, &p))
	require.Equal(t, "in block", p.Value)
	within(t, func() { err = s.Run(func() { Block(runtime.Goexit) }) }, s)
	require.ErrorIs(t, err, ErrExited)
	run(t, s, func() {
		defer func() { require.Equal(t, "caught", recover()) }()
		Block(func() { Yield(); panic("caught") })
	})
}

// TestMaxThreads has more tasks in Block than threads are allowed: the others wait, and all get their
// turn.
func TestMaxThreads(t *testing.T) {
	for _, limit := range []int{1, 2, 3} {
		t.Run(fmt.Sprint("limit=", limit), func(t *testing.T) {
			s := newTest(t, Config{Procs: 2, MaxThreads: limit})
			var inside, most, ran atomic.Int32
			var done sync.WaitGroup
			const tasks = 30
			done.Add(tasks)
			for range tasks {
				s.Go(func() {
					defer done.Done()
					Block(func() {
						n := inside.Add(1)
						for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
						}
						time.Sleep(100 * time.Microsecond)
						inside.Add(-1)
					})
					ran.Add(1)
				})
			}
			within(t, done.Wait, s)
			require.EqualValues(t, tasks, ran.Load())
			require.LessOrEqual(t, int(most.Load()), limit)
			s.lock.Lock()
			defer s.lock.Unlock()
			require.LessOrEqual(t, s.nCreated, uint64(limit))
		})
	}
}

// TestOnlyThreadSleepsForATimer: with no thread to be had, the one that sleeps for events is called for work from outside.
func TestOnlyThreadSleepsForATimer(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		s := newTest(t, Config{Procs: procs, MaxThreads: 1})
		for i := range 200 {
			var stop *Timer
			within(t, func() {
				ran := make(chan struct{})
				stop = s.AfterFunc(time.Hour, func() {})
				if i%2 == 0 { // else it may be anywhere on its way
					until(t, "the thread sleeps", s.onFutex.Load, s)
				}
				s.Go(func() { close(ran) })
				<-ran
			}, s)
			stop.Stop()
		}
		require.NoError(t, s.Close())
	}
}

func TestMaxThreadsRefused(t *testing.T) {
	for _, n := range []int{-1, processMaxThreads(), processMaxThreads() - threadReserve + 1} {
		_, err := New(Config{MaxThreads: n})
		var bad *ConfigError
		require.ErrorAs(t, err, &bad)
		require.Equal(t, "MaxThreads", bad.Field)
	}
	_, err := New(Config{IdleThread: -1})
	require.ErrorContains(t, err, "IdleThread")
}

// TestIdleThreadsEnd: after their time all workers end, with their stacks; new work starts new ones.
func TestIdleThreadsEnd(t *testing.T) {
	before := plainGoroutines()
	s := newTest(t, Config{Procs: 4, IdleThread: time.Millisecond})
	for range 5 {
		run(t, s, func() { Join(Yield, Yield, func() { Block(Yield) }) })
		var g door
		s.Go(g.wait) // stays parked while the workers end
		until(t, "it waits", func() bool { return waiting(s) == 1 }, s)
		until(t, "the workers end", func() bool {
			s.lock.Lock()
			defer s.lock.Unlock()
			return s.nm == 0
		}, s)
		// Left are the parked stack, the monitor, and at most the stacks whose end waits for the parked one's
		// cell.
		until(t, "pooled stacks end", func() bool { return plainGoroutines() <= before+4 }, s)
		g.signal()
		until(t, "it has gone on", func() bool { return waiting(s) == 0 }, s)
	}
}

// TestCloseDuringBlock: Close reports a task in Block, which ends when it comes back.
func TestCloseDuringBlock(t *testing.T) {
	s, err := New(Config{Procs: 2, Seed: 1})
	require.NoError(t, err)
	release, inside, deferred := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s.Go(func() {
		defer close(deferred)
		Block(func() { close(inside); <-release })
		parkForever()
	})
	<-inside
	var closed *CloseError
	within(t, func() { require.ErrorAs(t, s.Close(), &closed) }, s)
	require.Len(t, closed.Tasks, 1)
	close(release)
	within(t, func() { <-deferred }, s)
	until(t, "workers end", func() bool { return s.workersUp.Load() == 0 }, s)
}
