package sched

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNewRefusesBadProcs(t *testing.T) {
	for _, procs := range []int{-1, -1 << 31, maxProcs + 1} {
		s, err := New(Config{Procs: procs})
		require.Nil(t, s)
		var bad *ConfigError
		require.ErrorAs(t, err, &bad)
		require.Equal(t, "Procs", bad.Field)
		require.EqualError(t, err, fmt.Sprintf("sched: Config.Procs: %d is not in 0 to %d", procs, maxProcs))
	}
}

func TestNewTakesGOMAXPROCS(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	require.Equal(t, 3, newTest(t, Config{}).SetProcs(0))
	require.Equal(t, maxProcs, newTest(t, Config{Procs: maxProcs}).SetProcs(0))
}

func TestNewStartsNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	s := newTest(t, Config{Procs: 8})
	require.Equal(t, before, runtime.NumGoroutine())
	require.NoError(t, s.Close())
	require.Equal(t, before, runtime.NumGoroutine())
}

func TestDefault(t *testing.T) {
	require.Same(t, Default(), Default())
	require.Same(t, Default(), Current(), "on a plain goroutine")
	var in *Scheduler
	within(t, func() {
		done := make(chan struct{})
		Go(func() {
			in = Current()
			close(done)
		})
		<-done
	}, Default())
	require.Same(t, Default(), in)
	s := newTest(t, Config{Procs: 1})
	var outer, inner *Scheduler
	run(t, s, func() {
		outer = Current()
		var g door
		Go(func() {
			inner = Current()
			g.signal()
		})
		g.wait()
	})
	require.Same(t, s, outer)
	require.Same(t, s, inner, "Go in a task means the task's scheduler")
}

func TestWaitReasonText(t *testing.T) {
	require.Equal(t, "", WaitReasonZero.String())
	require.Equal(t, "chan receive", WaitReasonChanReceive.String())
	require.Equal(t, "IO wait", WaitReasonIOWait.String())
	require.Equal(t, "sync.WaitGroup.Wait", WaitReasonWaitGroupWait.String())
	require.Equal(t, "task wait", WaitReasonTaskWait.String())
	require.Equal(t, "unknown wait reason", WaitReason(254).String())
	require.Equal(t, "unknown wait reason", WaitReason(255).String())
}

func TestErrorTexts(t *testing.T) {
	four, named := TaskRef{ID: 4}, TaskRef{ID: 17, Name: "pump"}
	require.EqualError(t, &CloseError{Op: "Close", Tasks: []TaskRef{four}}, "sched: Close: still running: task 4")
	require.EqualError(t, &CloseError{Op: "Close", Tasks: []TaskRef{four, named}},
		"sched: Close: still running: task 4, task 17 (pump)")
	require.EqualError(t, &CloseError{Op: "Shutdown", Tasks: []TaskRef{four}, Cut: 3, Err: ErrClosed},
		"sched: Shutdown: sched: Scheduler closed: 3 tasks cut short: still running: task 4")
	require.EqualError(t, &CloseError{Op: "Shutdown", Cut: 1, Err: ErrClosed}, "sched: Shutdown: sched: Scheduler closed: 1 task cut short")
	require.EqualError(t, &DeadlockError{Tasks: []DeadlockTask{
		{TaskRef: four, Reason: WaitReasonChanReceive},
		{TaskRef: named, Reason: WaitReasonMutexLock, Since: 125 * time.Second, On: "the lock", Holder: four},
	}}, "sched: all tasks are asleep - deadlock!\n"+
		"task 4 [chan receive]\n"+
		"task 17 (pump) [sync.Mutex.Lock, 2 minutes] on the lock held by task 4")
	cause := errors.New("cause")
	require.ErrorIs(t, &PanicError{Value: cause}, cause)
	require.NoError(t, errors.Unwrap(&PanicError{Value: "text"}))
}

func TestSetProcsReturnsTheOldNumber(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	require.Equal(t, 2, s.SetProcs(0))
	require.Equal(t, 2, s.SetProcs(-5))
	require.Equal(t, 2, s.SetProcs(5))
	require.Equal(t, 5, s.SetProcs(1))
	require.Equal(t, 1, s.SetProcs(maxProcs+1))
	require.Equal(t, maxProcs, s.SetProcs(2))
	var seen int
	run(t, s, func() { seen = s.SetProcs(3) }) // from a task
	require.Equal(t, 2, seen)
	require.Equal(t, 3, s.SetProcs(3))
}

func TestSetProcsAfterCloseChangesNothing(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	require.NoError(t, s.Close())
	require.Equal(t, 2, s.SetProcs(4))
	require.Equal(t, 2, s.SetProcs(0))
}

// TestSetProcsUp occupies as many tasks as there are to be Ps: each spins until all run.
func TestSetProcsUp(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	var started, left atomic.Int32
	const n = 4
	left.Store(n)
	for range n {
		s.Go(func() {
			started.Add(1)
			for started.Load() < n { // no call: it keeps its P
			}
			left.Add(-1)
		})
	}
	until(t, "one task runs", func() bool { return started.Load() == 1 }, s)
	s.SetProcs(n)
	until(t, "all run", func() bool { return left.Load() == 0 }, s)
}

// TestSetProcsDown counts how many tasks are at work together once the others' Ps have been given up.
func TestSetProcsDown(t *testing.T) {
	for _, to := range []int{1, 3} {
		s := newTest(t, Config{Procs: 8})
		var stop atomic.Bool
		var now, most, rounds, left atomic.Int32
		left.Store(20)
		for range 20 {
			s.Go(func() {
				defer left.Add(-1)
				for !stop.Load() {
					n := now.Add(1)
					for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
						continue
					}
					deep(20)
					now.Add(-1)
					rounds.Add(1)
					Yield()
				}
			})
		}
		until(t, "the tasks run", func() bool { return rounds.Load() > 200 }, s)
		require.Equal(t, 8, s.SetProcs(to))
		until(t, "Ps are given up", func() bool {
			s.lock.Lock()
			defer s.lock.Unlock()
			return s.nprun <= to
		}, s)
		most.Store(0)
		from := rounds.Load()
		until(t, "the tasks go on", func() bool { return rounds.Load() > from+5000 }, s)
		require.LessOrEqual(t, int(most.Load()), to)
		stop.Store(true)
		until(t, "the tasks end", func() bool { return left.Load() == 0 }, s)
	}
}
