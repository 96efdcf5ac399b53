package sched

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
)

// Who is woken for the network, and who is not because the one at work will be back first.

// TestSearchesNext: a worker whose only task parks will look into the network itself; one that has another task to run won't, and a plain goroutine is none.
func TestSearchesNext(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	var alone, beside, outside bool
	look := func(into *bool) {
		Self().Park(WaitReasonIOWait, func(_ *G, arg unsafe.Pointer) bool {
			hb.Enter() // as NeedPoll
			next := s.searchesNext()
			hb.Leave()
			*(*bool)(arg) = next
			return false
		}, unsafe.Pointer(into))
	}
	run(t, s, func() {
		look(&alone)
		s.Go(func() {})
		look(&beside)
	})
	hb.Enter()
	outside = s.searchesNext()
	hb.Leave()
	require.True(t, alone)
	require.False(t, beside)
	require.False(t, outside)
}

// TestRanPolled: after one long task from the network another worker is to stand by for a while, after many short ones none.
func TestRanPolled(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	hb.Enter()
	defer hb.Leave()
	m := &M{s: s}
	m.tookAt = s.nanotime() - 8*standByNS
	m.ranPolled()
	require.GreaterOrEqual(t, m.polledRun, int64(8*standByNS))
	require.Zero(t, m.tookAt)
	before := m.polledRun
	m.ranPolled() // has taken nothing since
	require.Equal(t, before, m.polledRun)
	m.tookAt = s.nanotime()
	m.ranPolled()
	require.GreaterOrEqual(t, m.polledRun, before-before/8)
	until(t, "forgotten", func() bool {
		m.tookAt = s.nanotime()
		m.ranPolled()
		return m.polledRun < standByNS
	})
}

// TestMonitorNaps while Ps come and go, where to be woken for each would cost more than it takes to look now and then, and sleeps once they don't.
func TestMonitorNaps(t *testing.T) {
	hb.Enter()
	defer hb.Leave()
	s := &Scheduler{}
	s.nm, s.maxM, s.nAwake = 1, 2, 7
	naps := 0
	sleep := func() chan bool { // which then says whether it has slept
		back := make(chan bool, 1)
		go func() {
			hb.Enter()
			defer hb.Leave()
			slept, ended := s.sysmonSleep(func(int64) {
				s.lock.Lock()
				defer s.lock.Unlock()
				if naps++; naps < 3 {
					s.nAwake++ // one has been taken, and given up
				} else {
					s.nprun = 1
				}
			})
			if ended {
				t.Error("it is not to end")
			}
			back <- slept
		}()
		return back
	}
	back := sleep()
	until(t, "back from three naps", func() bool { return len(back) == 1 })
	require.False(t, <-back, "after a nap it goes on as slowly as before")
	require.Equal(t, 3, naps)

	s.nprun = 0 // and none has been taken since
	back = sleep()
	until(t, "the monitor's sleep", func() bool {
		s.lock.Lock()
		defer s.lock.Unlock()
		if s.sysmonSleeps {
			s.nprun = 1
			s.sysmonWake()
			return true
		}
		return false
	})
	until(t, "back from its sleep", func() bool { return len(back) == 1 })
	require.True(t, <-back)
	require.Equal(t, 3, naps)
}
