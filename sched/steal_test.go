package sched

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rng"
)

// TestStealing loads one P with a thousand tasks. None ends before all eight workers have had one,
// so all the others must have stolen, and been woken to do so.
func TestStealing(t *testing.T) {
	const procs, tasks = 8, 1000
	s := newTest(t, Config{Procs: procs, Tunables: Tunables{NoRelief: true}}) // its workers would count too
	var workers sync.Map
	var distinct, left atomic.Int32
	left.Store(tasks)
	s.Go(func() {
		for range tasks {
			Go(func() {
				if _, known := workers.LoadOrStore(selfM(), true); !known {
					distinct.Add(1)
				}
				for distinct.Load() < procs { // no call: it keeps its P
				}
				left.Add(-1)
			})
		}
	})
	until(t, "all have run", func() bool { return left.Load() == 0 }, s)
	require.EqualValues(t, procs, distinct.Load())
}

// TestNoSearchWhileNoOtherPIsInUse: unless one has been taken by the time when the worker gives up its own.
func TestNoSearchWhileNoOtherPIsInUse(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	hb.Enter()
	defer hb.Leave()
	take := func(m *M) {
		s.lock.Lock()
		defer s.lock.Unlock()
		m.acquirep(s.pidleget(m.now()))
	}
	leave := func(m *M) {
		s.lock.Lock()
		defer s.lock.Unlock()
		m.releasep()
	}
	m, other := &M{s: s}, &M{s: s}
	take(m)
	require.Nil(t, m.findByStealing())
	require.False(t, m.spinning)
	gp, ok := m.giveUp()
	require.Nil(t, gp)
	require.True(t, ok)
	require.Nil(t, m.p, "nobody else has come")

	take(m)
	require.Nil(t, m.findByStealing())
	take(other)
	gp, ok = m.giveUp()
	require.Nil(t, gp)
	require.True(t, ok)
	require.NotNil(t, m.p)
	require.True(t, m.spinning, "it searches after all")
	require.Nil(t, m.findByStealing())
	_, _ = m.giveUp()
	require.Nil(t, m.p, "and has found nothing")
	require.Zero(t, s.nmspinning.Load())
	leave(other)
}

// TestStealingRunnext has a task that spawns another and goes on without ever giving way.
func TestStealingRunnext(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	for range 20 {
		run(t, s, func() {
			var ran atomic.Bool
			Go(func() { ran.Store(true) })
			for !ran.Load() { // no call: it keeps its P
			}
		})
	}
}

// TestStealingWhatWasReadied is the same with a task that had started.
func TestStealingWhatWasReadied(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	for range 20 {
		run(t, s, func() {
			var g door
			var woken atomic.Bool
			Go(func() {
				g.wait()
				woken.Store(true)
			})
			Yield()
			g.signal()
			for !woken.Load() { // no call: it keeps its P
			}
		})
	}
}

// TestBusyPDoesNotHoldUpSpawns keeps one of two Ps busy for good.
func TestBusyPDoesNotHoldUpSpawns(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	var started, stop atomic.Bool
	defer stop.Store(true)
	s.Go(func() {
		started.Store(true)
		for !stop.Load() { // no call: it keeps its P
		}
	})
	until(t, "it runs", started.Load, s)
	for range 200 {
		run(t, s, func() { Yield() })
	}
}

func TestCoprime(t *testing.T) {
	r := rng.New(1)
	for n := uint32(1); n <= 64; n++ {
		for range 50 {
			k := coprime(&r, n)
			require.True(t, k >= 1 && k <= n)
			seen := map[uint32]bool{}
			for at := uint32(0); !seen[at]; at = (at + k) % n {
				seen[at] = true
			}
			require.Len(t, seen, int(n), "stride %d must reach all", k)
		}
	}
}
