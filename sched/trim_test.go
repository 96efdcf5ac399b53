package sched

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
)

// parkedCrowd has n tasks of s parked at the same time, and lets them end.
func parkedCrowd(t *testing.T, s *Scheduler, n int) {
	t.Helper()
	doors := make([]door, n)
	var all sync.WaitGroup
	all.Add(n)
	for i := range doors {
		s.Go(func() {
			defer all.Done()
			doors[i].wait()
		})
	}
	until(t, "all are parked", func() bool { return waiting(s) >= n }, s)
	require.GreaterOrEqual(t, int(s.nStacks.Load()), n)
	within(t, func() {
		for i := range doors {
			doors[i].signal()
		}
		all.Wait()
	}, s)
}

// shared returns how many stacks lie in the pool of all.
func shared(s *Scheduler) int {
	s.lock.Lock()
	defer s.lock.Unlock()
	return int(s.stkfree.n)
}

// trimSoon makes the last look come at once.
func trimSoon(t *testing.T) {
	set := func(ns int64) int64 {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}
		old := idleTrimNS
		idleTrimNS = ns
		return old
	}
	old := set(1)
	t.Cleanup(func() { set(old) })
}

// idleBound is what an idle scheduler keeps at most, as trim.go states it.
func idleBound(s *Scheduler) int32 { return stkKeep + poolMax*s.procs.Load() }

func TestIdleSchedulerTrimsItsStacks(t *testing.T) {
	trimSoon(t)
	for _, procs := range []int{1, 2, 8} {
		s := newTest(t, Config{Procs: procs})
		for range 2 {
			parkedCrowd(t, s, 1500)
			until(t, "the rest has ended", func() bool { return s.nStacks.Load() <= idleBound(s) }, s)
		}
	}
}

// TestIdleSchedulerKeepsItsStacksForAWhile: a crowd that comes again soon finds the stacks of the first.
func TestIdleSchedulerKeepsItsStacksForAWhile(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	parkedCrowd(t, s, 1000)
	require.GreaterOrEqual(t, int(s.nStacks.Load()), 1000)
	made := s.nStacks.Load()
	parkedCrowd(t, s, 900)
	require.Equal(t, made, s.nStacks.Load())
}

// TestTrimsWhileTheNetworkIsWaitedFor: the worker that would look waits in the poller.
func TestTrimsWhileTheNetworkIsWaitedFor(t *testing.T) {
	trimSoon(t)
	s := newTest(t, Config{Procs: 2})
	f := &slowPoller{fakePoller{kick: make(chan struct{}, 1)}}
	_, err := s.Poller(func() (Poller, error) { return f, nil })
	require.NoError(t, err)
	var back atomic.Bool
	s.Go(func() {
		f.wait(s)
		back.Store(true)
	})
	parkedCrowd(t, s, 1500)
	until(t, "the rest has ended", func() bool { return s.nStacks.Load() <= idleBound(s) }, s)
	require.False(t, back.Load())
	f.Break()
	until(t, "it is still polled for", back.Load, s)
}

// slowPoller is a fakePoller that waits for as long as it is told, and only then has something.
type slowPoller struct{ fakePoller }

func (f *slowPoller) Poll(delayNS int64, ready *GList) {
	switch {
	case delayNS > 0:
		select {
		case <-f.kick:
		case <-time.After(time.Duration(delayNS)):
			return
		}
	case delayNS == 0:
		return
	default:
		<-f.kick
	}
	f.fakePoller.Poll(0, ready)
}

// TestBusySchedulerTrimsByShares calls sysmon's part by hand: half of what has lain there for a second, in chunks.
func TestBusySchedulerTrimsByShares(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped}) // one P's pool is not shared
	parkedCrowd(t, s, 2000)
	var stop atomic.Bool
	var all sync.WaitGroup
	all.Add(1)
	s.Go(func() {
		defer all.Done()
		for !stop.Load() {
			Yield()
		}
	})
	s.Go(parkForever)
	before := shared(s)
	require.Greater(t, before, 1500)
	now := int64(1) << 62 // sysmon's own looks decide nothing from now on, which is long before that
	decide := func() int {
		s.lock.Lock()
		defer s.lock.Unlock()
		s.trimDecide(now)
		return int(s.stkTrim.todo)
	}
	decide()
	for n := before; n > stkKeep+1; n = shared(s) {
		now += trimEveryNS
		require.LessOrEqual(t, decide(), (n-stkKeep)/2+1)
		until(t, "a worker has done it", func() bool { return decide() == 0 }, s)
		require.GreaterOrEqual(t, shared(s), stkKeep+(n-stkKeep)/2-1)
	}
	stop.Store(true)
	within(t, all.Wait, s)
}

// TestThreadsAndMonitorEndWhenIdle: with IdleThread nothing is left of an idle scheduler but its memory, and it
// works as before when it is needed again.
func TestThreadsAndMonitorEndWhenIdle(t *testing.T) {
	s := newTest(t, Config{Procs: 4, IdleThread: time.Millisecond})
	for range 20 {
		parkedCrowd(t, s, 50)
		until(t, "all ends", func() bool { return s.workersUp.Load() == 0 && s.nStacks.Load() == 0 }, s)
		goroutinesBack(t, goroutinesBefore)
	}
}
