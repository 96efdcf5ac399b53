package sched

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJoinOfNoneAndOne(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	calls := func() {
		Join()
		caller, task := ID()
		var in uint64
		Join(func() { in, _ = ID() })
		if task {
			require.Equal(t, caller, in, "the first runs on the caller's stack")
		}
	}
	calls()
	run(t, s, calls)
}

// TestJoinNotStolen has one P only: nobody can steal.
func TestJoinNotStolen(t *testing.T) {
	needsForks(t)
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	run(t, s, func() {
		caller, _ := ID()
		var order []int
		fns := make([]func(), 20)
		for i := range fns {
			fns[i] = func() {
				in, _ := ID()
				require.Equal(t, caller, in)
				order = append(order, i)
			}
		}
		Join(fns...)
		require.Len(t, order, 20)
		require.Zero(t, order[0])
		require.ElementsMatch(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}, order)
	})
}

// TestJoinStolen has functions that wait for each other without giving way, so that each needs a
// worker of its own.
func TestJoinStolen(t *testing.T) {
	for _, native := range []int{1, 2, 8} {
		t.Run(fmt.Sprint(native), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(native))
			s := newTest(t, Config{Procs: 4})
			for range 10 {
				run(t, s, func() {
					var in atomic.Int32
					var ids journal[uint64]
					meet := func() {
						in.Add(1)
						for in.Load() < 4 { // no call: it keeps its P
						}
						id, _ := ID()
						ids.add(id)
					}
					Join(meet, meet, meet, meet)
					seen := map[uint64]bool{}
					for _, id := range ids.all() {
						seen[id] = true
					}
					require.Len(t, seen, 4)
				})
			}
		})
	}
}

// TestStressJoin forks a tree whose leaves are counted, and whose nodes wait in different ways.
func TestStressJoin(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const depth = 10 // the panics of a deeper tree print deeper stacks
		var leaves atomic.Int64
		var tree func(d int)
		tree = func(d int) {
			if d == 0 {
				leaves.Add(1)
				return
			}
			next := func() { tree(d - 1) }
			switch d % 4 {
			case 0:
				Join(next, next)
			case 1:
				Join(func() { Yield(); next() }, func() { next(); Yield() })
			case 2:
				var g door
				Go(g.signal)
				Join(func() { next(); g.wait() }, func() {}, next)
			case 3:
				func() { // a third function panics
					defer func() { require.NotNil(t, recover()) }()
					Join(next, next, func() { panic("boom") })
				}()
			}
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { require.NoError(t, s.Run(func() { tree(depth) })) })
		}
		wg.Wait()
		require.EqualValues(t, 3<<depth, leaves.Load())
	})
}

func TestJoinManyFunctions(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		ran := make([]atomic.Int32, 768)
		fns := make([]func(), len(ran))
		for i := range fns {
			fns[i] = func() { ran[i].Add(1) }
		}
		require.NoError(t, s.Run(func() { Join(fns...) }))
		for i := range ran {
			require.EqualValues(t, 1, ran[i].Load(), "function %d", i)
		}
	})
}

func TestJoinAllocatesNothing(t *testing.T) {
	needsForks(t)
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	n := 0
	f := func() { n++ }
	var got, self float64
	run(t, s, func() {
		self = testing.AllocsPerRun(10, func() { Self() })
		got = testing.AllocsPerRun(1000, func() { Join(f, f, f) })
	})
	if self > 0 {
		t.Skip("without assembly, already finding out who calls allocates")
	}
	require.Zero(t, got)
	require.NotZero(t, n)
}

// TestJoinRunsTheOthersWhileOneWaits has a function that waits for what another one does.
func TestJoinRunsTheOthersWhileOneWaits(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		for range 100 {
			require.NoError(t, s.Run(func() {
				var a, b door
				Join(a.wait, func() { b.wait(); a.signal() }, b.signal)
			}))
		}
	})
}
