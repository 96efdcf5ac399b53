package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/rng"
)

// The conformance tests do what the tests of the Go scheduler do, here against this one; docs/reliability.md has the
// whole list, with what has no counterpart. This file: queues and the order in which thieves go round. The queues
// are driven by hand here, on a Scheduler whose workers have not been started.

// handDriven returns n Ps that no worker runs.
func handDriven(t *testing.T, n int) []*P {
	t.Helper()
	return (*newTest(t, Config{Procs: n}).allp.Load())[:n]
}

// TestConformanceLocalQueue fills a P's queue to every depth and empties it: first in, first out, and empty before and
// after. runtime/proc_test.go, TestSchedLocalQueue.
func TestConformanceLocalQueue(t *testing.T) {
	p := handDriven(t, 1)[0]
	gs := newGs(runqSize)
	for depth := range runqSize + 1 {
		require.Nil(t, p.runqget())
		for _, gp := range gs[:depth] {
			p.runqput(gp, false)
		}
		for i := range depth {
			require.Same(t, gs[i], p.runqget(), "%d of %d", i, depth)
		}
		require.Nil(t, p.runqget())
	}
	require.Zero(t, p.nOverflow)
	runtime.KeepAlive(gs)
}

// TestConformanceLocalQueueSteal: one theft takes half, and nothing is lost or doubled, whatever the depth.
// runtime/proc_test.go, TestSchedLocalQueueSteal.
func TestConformanceLocalQueueSteal(t *testing.T) {
	ps := handDriven(t, 2)
	victim, thief := ps[0], ps[1]
	gs := newGs(runqSize)
	for depth := range runqSize + 1 {
		taken := make([]int, depth)
		for _, gp := range gs[:depth] {
			victim.runqput(gp, false)
		}
		stolen := 0
		for gp := victim.stealHalf(thief); gp != nil; gp = thief.runqget() {
			taken[gp.id]++
			stolen++
		}
		require.Contains(t, []int{depth / 2, depth/2 + 1}, stolen, "of %d", depth)
		for gp := victim.runqget(); gp != nil; gp = victim.runqget() {
			taken[gp.id]++
		}
		for id, n := range taken {
			require.Equal(t, 1, n, "task %d of %d", id, depth)
		}
	}
	runtime.KeepAlive(gs)
}

// TestConformanceLocalQueueEmpty has a second thread look whether a P has work while the owner puts a second task in and
// takes one out: there is always one, so a look that finds none would let a worker fall asleep beside work.
// runtime/proc_test.go, TestSchedLocalQueueEmpty.
func TestConformanceLocalQueueEmpty(t *testing.T) {
	p := handDriven(t, 1)[0]
	gs := newGs(2)
	rounds := 10_000
	if raceEnabled {
		rounds /= 10
	}
	start, looked := make(chan struct{}), make(chan bool)
	defer close(start)
	var here atomic.Int32
	go func() {
		for range start {
			for here.Add(1); here.Load() != 2; runtime.Gosched() {
			}
			looked <- p.hasWork()
		}
	}()
	within(t, func() {
		for i := range rounds {
			here.Store(0)
			p.runqput(gs[0], i&1 == 0)
			start <- struct{}{}
			for here.Add(1); here.Load() != 2; runtime.Gosched() {
			}
			p.runqput(gs[1], i&2 == 0)
			require.NotNil(t, p.runqget())
			require.True(t, <-looked, "round %d", i)
			require.NotNil(t, p.runqget())
			require.Nil(t, p.runqget())
		}
	})
	runtime.KeepAlive(gs)
}

// TestConformanceStealOrder: with every number of Ps, each walk of a thief meets each P once, and the walks differ: all
// strides without a common factor and all starting points turn up. runtime/proc_test.go, TestStealOrder.
func TestConformanceStealOrder(t *testing.T) {
	r := rng.New(1)
	for n := uint32(1); n <= 64; n++ {
		strides, starts := map[uint32]bool{}, map[uint32]bool{}
		for range 20 * n {
			start, stride := r.N(n), coprime(&r, n)
			strides[stride], starts[start] = true, true
			met := make([]bool, n)
			at := start
			for range n {
				if met[at] {
					t.Fatalf("%d Ps, from %d by %d: %d comes twice", n, start, stride, at)
				}
				met[at] = true
				at = (at + stride) % n
			}
			if at != start {
				t.Fatalf("%d Ps, from %d by %d: ends at %d", n, start, stride, at)
			}
		}
		require.Len(t, starts, int(n))
		want := 0
		for k := uint32(1); k <= n; k++ {
			a, b := k, n
			for b != 0 {
				a, b = b, a%b
			}
			if a == 1 {
				want++
			}
		}
		require.Len(t, strides, want, "%d Ps", n)
		if n >= 3 {
			require.GreaterOrEqual(t, want, 2)
		}
	}
}

// TestConformanceBigProcs: far more Ps than processors are no trouble. runtime/proc_test.go, TestBigGOMAXPROCS.
func TestConformanceBigProcs(t *testing.T) {
	s := newTest(t, Config{Procs: 1024})
	for range 3 {
		var ran atomic.Int32
		var all sync.WaitGroup
		all.Add(2000)
		run(t, s, func() {
			for range 2000 {
				Go(func() { Yield(); ran.Add(1); all.Done() })
			}
		})
		within(t, all.Wait, s)
		require.EqualValues(t, 2000, ran.Load())
	}
	require.Equal(t, 1024, s.SetProcs(maxProcs))
	run(t, s, Yield)
	require.Equal(t, maxProcs, s.SetProcs(1))
	run(t, s, Yield)
}
