package sched

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// detector makes a Scheduler with DetectDeadlock for one test.
func detector(t *testing.T, procs int) *Scheduler {
	t.Helper()
	return newTest(t, Config{Procs: procs, DetectDeadlock: true})
}

// deadlocked runs fn on s, which must come to a deadlock of want tasks.
func deadlocked(t *testing.T, s *Scheduler, want int, fn func()) *DeadlockError {
	t.Helper()
	var err error
	within(t, func() { err = s.Run(fn) }, s)
	var dead *DeadlockError
	require.ErrorAs(t, err, &dead)
	require.Len(t, dead.Tasks, want)
	return dead
}

func TestDeadlockOfRunsOwnTask(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		s := detector(t, procs)
		for round := 1; round <= 3; round++ { // a fresh Run after a report works, and finds the old ones still there
			dead := deadlocked(t, s, round, func() { Park(WaitReasonChanReceive, nil, nil) })
			for _, task := range dead.Tasks {
				require.NotZero(t, task.ID)
				require.Equal(t, fmt.Sprintf("task %d [chan receive]", task.ID), task.String())
				require.Contains(t, dead.Error(), "\n"+task.String())
			}
			run(t, s, Yield)
		}
	}
}

// TestDeadlockedTasksAreUnwoundByClose: a report changes nothing for them.
func TestDeadlockedTasksAreUnwoundByClose(t *testing.T) {
	s := detector(t, 2)
	var deferred atomic.Int32
	deadlocked(t, s, 10, func() {
		defer deferred.Add(1)
		for range 9 {
			Go(func() {
				defer deferred.Add(1)
				parkForever()
			})
		}
		parkForever()
	})
	require.Zero(t, deferred.Load())
	within(t, func() { require.NoError(t, s.Close()) }, s)
	require.EqualValues(t, 10, deferred.Load())
}

// TestDeadlockTellsTheOutermostRun: inner ones are blocked with the rest, unless there is no other.
func TestDeadlockTellsTheOutermostRun(t *testing.T) {
	s := detector(t, 2)
	var inner atomic.Bool
	deadlocked(t, s, 3, func() {
		_ = s.Run(func() { _ = s.Run(parkForever) })
		inner.Store(true)
	})
	require.False(t, inner.Load())

	s = detector(t, 2)
	err := make(chan error, 1)
	s.Go(func() { err <- s.Run(parkForever) })
	within(t, func() {
		var dead *DeadlockError
		require.ErrorAs(t, <-err, &dead)
		require.Len(t, dead.Tasks, 2)
	}, s)
}

// TestDeadlockAcrossSchedulers has two whose tasks wait for each other, by Run and by door.
func TestDeadlockAcrossSchedulers(t *testing.T) {
	a, b := detector(t, 2), newTest(t, Config{Procs: 2})
	var never door
	dead := deadlocked(t, a, 1, func() { _ = b.Run(never.wait) })
	require.Equal(t, WaitReasonTaskWait, dead.Tasks[0].Reason)

	// The inner one detects too, and is told first: then nothing is wrong with the outer one.
	c := detector(t, 2)
	outer := detector(t, 2)
	run(t, outer, func() {
		var dead *DeadlockError
		require.ErrorAs(t, c.Run(parkForever), &dead)
		require.Len(t, dead.Tasks, 1)
	})
}

// TestDeadlockWhileOthersLook has others look for deadlocks all the time, and wait for their turn.
func TestDeadlockWhileOthersLook(t *testing.T) {
	s := detector(t, 1)
	var over atomic.Bool
	var others sync.WaitGroup
	for range 3 {
		others.Go(func() {
			for !over.Load() {
				deadlockLock.Lock()
				for range 100 {
					runtime.Gosched()
				}
				deadlockLock.Unlock()
			}
		})
	}
	deadlocked(t, s, 1, parkForever)
	over.Store(true)
	within(t, others.Wait, s)
}

// TestNoDeadlockWhileBlockGoesOn has the only other task in Block, waiting natively, until after the time
// at which a deadlock would have been reported.
func TestNoDeadlockWhileBlockGoesOn(t *testing.T) {
	forTimes(t, func(t *testing.T, s *Scheduler, later func() <-chan time.Time) {
		run(t, s, func() {
			var g door
			c := later()
			Go(func() {
				Block(func() { <-c })
				g.signal()
			})
			g.wait()
		})
	})
}

// TestNoDeadlockWhileAGoroutineIsInside has it in Block and in Join, waiting natively.
func TestNoDeadlockWhileAGoroutineIsInside(t *testing.T) {
	calls := map[string]func(func()){
		"Block": Block,
		"Join":  func(f func()) { Join(f, func() {}) },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			forTimes(t, func(t *testing.T, s *Scheduler, later func() <-chan time.Time) {
				var g, ready door
				var wg sync.WaitGroup
				c := later()
				wg.Go(func() {
					call(func() {
						ready.signal()
						<-c
						g.signal()
					})
				})
				ready.wait()
				run(t, s, g.wait)
				wg.Wait()
				require.Zero(t, callsInside.Load())
			})
		})
	}
}

// TestGoroutineThatWaitsInsideDoesNotCount: it is within Block, but there within a wait of ours.
func TestGoroutineThatWaitsInsideDoesNotCount(t *testing.T) {
	s := detector(t, 2)
	var never, inside door
	var wg sync.WaitGroup
	wg.Go(func() { Block(never.wait) })
	until(t, "it waits", never.hasWaiter)
	deadlocked(t, s, 1, inside.wait)
	never.signal()
	wg.Wait()
	require.Zero(t, callsInside.Load())
}

func TestNoDeadlockWhileExpected(t *testing.T) {
	forTimes(t, func(t *testing.T, s *Scheduler, later func() <-chan time.Time) {
		var g door
		done := s.Expect()
		c := later()
		go func() {
			<-c
			g.signal()
			done()
			done()
		}()
		run(t, s, g.wait)
		deadlocked(t, s, 1, parkForever)
	})
}

// TestExpectEnds: the report comes when the last Expect is done, and nobody had to do anything else.
func TestExpectEnds(t *testing.T) {
	s := detector(t, 1)
	first, second := s.Expect(), s.Expect()
	err := make(chan error, 1)
	go func() { err <- s.Run(parkForever) }()
	until(t, "it waits", func() bool { return waiting(s) == 1 }, s)
	first()
	first()
	second()
	within(t, func() {
		var dead *DeadlockError
		require.ErrorAs(t, <-err, &dead)
	}, s)
}

// TestNoDeadlockWhileAPollerWaits: its own, and another scheduler's.
func TestNoDeadlockWhileAPollerWaits(t *testing.T) {
	for _, own := range []bool{true, false} {
		forTimes(t, func(t *testing.T, s *Scheduler, later func() <-chan time.Time) {
			polled := s
			if !own {
				polled = newTest(t, Config{Procs: 1})
			}
			f := &fakePoller{kick: make(chan struct{}, 1)}
			_, err := polled.Poller(func() (Poller, error) { return f, nil })
			require.NoError(t, err)
			var g door
			polled.Go(func() {
				f.wait(polled)
				g.signal()
			})
			c := later()
			go func() {
				<-c
				f.Break()
			}()
			run(t, s, g.wait)
		})
	}
}

// silentPoller is one in which somebody always waits, and for which nothing comes.
type silentPoller struct{ fakePoller }

func (q *silentPoller) Waiting() bool { return true }

func (q *silentPoller) Poll(delayNS int64, _ *GList) {
	switch {
	case delayNS < 0:
		<-q.kick
	case delayNS > 0:
		select {
		case <-q.kick:
		case <-time.After(time.Duration(delayNS)):
		}
	}
}

// TestLooksWhileSomethingIsComingAreRare: a server that waits for its network is not woken once a second.
func TestLooksWhileSomethingIsComingAreRare(t *testing.T) {
	look := func(s *Scheduler) nextLook {
		s.lock.Lock()
		awake := s.nAwake
		s.lock.Unlock()
		return s.lookForDeadlock(awake, 0)
	}
	whileAway := func(what string, s *Scheduler, g *door) {
		done := make(chan error, 1)
		go func() { done <- s.Run(g.wait) }()
		until(t, "it waits", g.hasWaiter, s)
		until(t, what, func() bool { return look(s) == lookFar }, s)
		g.signal()
		within(t, func() { require.NoError(t, <-done) }, s)
	}
	var g door

	s := detector(t, 2)
	_, err := s.Poller(func() (Poller, error) { return &silentPoller{fakePoller{kick: make(chan struct{}, 1)}}, nil })
	require.NoError(t, err)
	whileAway("poller", s, &g)

	s = detector(t, 2)
	timer := s.AfterFunc(time.Hour, func() {})
	whileAway("timer", s, &g)
	timer.Stop()

	s = detector(t, 2)
	c := make(chan struct{})
	s.Go(func() { Block(func() { <-c }) })
	whileAway("Block", s, &g)
	close(c)

	s = detector(t, 2)
	done := s.Expect()
	whileAway("Expect", s, &g)
	done()

	looks, at := 0, int64(0)
	for wait := deadlockFirstNS; at < int64(time.Minute); looks++ {
		at += wait
		wait = deadlockPause(lookFar, wait)
		require.LessOrEqual(t, wait, int64(deadlockFarNS))
	}
	require.Less(t, looks, 6)
	require.LessOrEqual(t, deadlockPause(lookSoon, deadlockFarNS), int64(deadlockMaxNS))
}

// TestShutdownOfADeadlock: with nobody in Run it is Shutdown that would wait for ever.
// TestDeadlockWhenTheLastTimerIsStopped: the worker that sleeps until its time is the one who has to look.
func TestDeadlockWhenTheLastTimerIsStopped(t *testing.T) {
	for _, threads := range []int{1, 4} {
		s := newTest(t, Config{Procs: 1, MaxThreads: threads, DetectDeadlock: true})
		timers := make(chan *Timer, 1)
		go func() {
			tm := <-timers
			until(t, "somebody sleeps for the timer", func() bool { return s.pollUntil.Load() != 0 }, s)
			if !tm.Stop() {
				t.Error("not pending")
			}
		}()
		deadlocked(t, s, 1, func() {
			AfterFunc(time.Minute, func() {}).Stop() // its entry stays, and is the earliest
			timers <- AfterFunc(time.Hour, func() {})
			parkForever()
		})
	}
}

func TestShutdownOfADeadlock(t *testing.T) {
	s := detector(t, 2)
	var deferred atomic.Bool
	s.Go(func() {
		defer deferred.Store(true)
		parkForever()
	})
	var err error
	within(t, func() { err = s.Shutdown(t.Context()) }, s)
	var dead *DeadlockError
	require.ErrorAs(t, err, &dead)
	require.Len(t, dead.Tasks, 1)
	require.True(t, deferred.Load())
	var cut *CloseError
	require.ErrorAs(t, err, &cut)
	require.Equal(t, 1, cut.Cut)
	require.Empty(t, cut.Tasks)
}

// TestDropsOffTheListAreForgotten: Schedulers that are dropped unused are collected.
func TestDropsOffTheListAreForgotten(t *testing.T) {
	for range 1000 {
		_, err := New(Config{Procs: 1})
		require.NoError(t, err)
	}
	until(t, "they are collected", func() bool {
		runtime.GC()
		return len(allSchedulers()) < 100
	})
	registry.mu.Lock()
	defer registry.mu.Unlock()
	require.Less(t, len(registry.all), 100)
}

// TestNoFalseDeadlock is a crowd of tasks that can only go on because others wake them: plain goroutines that
// compute in between, tasks of two other schedulers, one's own; some by way of Block, one by way of a poller.
// The looks come as soon as the scheduler is at rest, which it is all the time.
func TestNoFalseDeadlock(t *testing.T) {
	defer func(ns int64) { deadlockFirstNS = ns }(deadlockFirstNS)
	deadlockFirstNS = 1
	const tasks, rounds = 3, 60
	for _, native := range []int{1, 2, 8} {
		for _, procs := range []int{1, 2, 8} {
			t.Run(fmt.Sprintf("gomaxprocs=%d/procs=%d", native, procs), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(native))
				s, detecting, plain := detector(t, procs), detector(t, 1), newTest(t, Config{Procs: 2})
				f := &fakePoller{kick: make(chan struct{}, 1)}
				_, err := s.Poller(func() (Poller, error) { return f, nil })
				require.NoError(t, err)
				foreign := []func(func()){ // one after the other: what protects one must not protect all
					func(f func()) { go f() },
					detecting.Go,
					plain.Go,
					func(f func()) { s.Go(func() { Block(f) }) },
				}
				within(t, func() {
					for i, start := range foreign {
						pingPongs(t, s, start, tasks, rounds, i)
					}
					var all sync.WaitGroup
					for i, start := range append(foreign, s.Go) {
						all.Go(func() { pingPongs(t, s, start, tasks, rounds, i) })
					}
					all.Wait()
					for range rounds {
						require.NoError(t, s.Run(func() {
							go f.Break()
							f.wait(s)
						}))
					}
				}, s, detecting, plain)
				deadlocked(t, s, 1, parkForever)
			})
		}
	}
}

// pingPongs has tasks of s, each in a Run of its own, play with partners made by start.
func pingPongs(t *testing.T, s *Scheduler, start func(func()), tasks, rounds, seed int) {
	var all sync.WaitGroup
	for range tasks {
		var ping, pong door
		start(func() {
			for i := range rounds {
				ping.wait()
				spinFor((i*7 + seed) % 13 * 10_000)
				pong.signal()
			}
		})
		all.Go(func() {
			require.NoError(t, s.Run(func() {
				for range rounds {
					ping.signal()
					pong.wait()
				}
			}))
		})
	}
	all.Wait()
}

var spun atomic.Int64

// spinFor computes n rounds of something.
func spinFor(n int) {
	x := int64(1)
	for range n {
		x = x*6364136223846793005 + 1442695040888963407
	}
	spun.Store(x)
}

// forTimes runs f at Procs 1, 2 and 8; later is a channel that ends a wait long after a deadlock would have
// been reported.
func forTimes(t *testing.T, f func(t *testing.T, s *Scheduler, later func() <-chan time.Time)) {
	for _, procs := range []int{1, 2, 8} {
		s := detector(t, procs)
		f(t, s, func() <-chan time.Time { return time.After(100 * time.Millisecond) })
	}
}

func (g *door) hasWaiter() bool {
	g.lock.Lock()
	defer g.lock.Unlock()
	return g.waiter != nil
}

// wait parks the caller, a task of s, on f, the poller of s, until Break.
func (f *fakePoller) wait(s *Scheduler) {
	gp := Self()
	f.mu.Lock()
	f.waiting = append(f.waiting, gp)
	f.n.Add(1)
	if !gp.Park(WaitReasonIOWait, func(*G, unsafe.Pointer) bool {
		f.mu.Unlock()
		s.NeedPoll()
		return true
	}, nil) {
		runtime.Goexit()
	}
}
