package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
)

func TestSelf(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}

		native := Self()
		require.NotNil(t, native)
		require.Same(t, native, Self())
		require.Nil(t, native.s)
		var inTask, after *G
		require.NoError(t, s.Run(func() {
			if hb.On {
				hb.Enter()
				defer hb.Leave()
			}

			inTask = Self()
			Yield()
			deep(50)
			after = Self()
		}))
		require.Same(t, inTask, after)
		require.Same(t, s, inTask.s)
		require.NotSame(t, native, inTask)
		require.Same(t, native, Self())
	})
}

func TestYieldTakesTurns(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	const rounds = 300 // more than the looks out of turn are apart
	var turns []int
	run(t, s, func() {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}

		left := 3
		for i := range 3 {
			Go(func() {
				if hb.On {
					hb.Enter()
					defer hb.Leave()
				}

				for range rounds {
					turns = append(turns, i)
					Yield()
				}
				left--
			})
		}
		for left > 0 {
			Yield()
		}
	})
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	require.Len(t, turns, 3*rounds)
	for i := 3; i < len(turns); i++ {
		require.Equal(t, turns[i-3], turns[i], "turn %d", i)
	}
}

func TestYieldAlone(t *testing.T) {
	Yield() // on a plain goroutine
	s := newTest(t, Config{Procs: 2})
	n := 0
	run(t, s, func() {
		for range 1000 {
			Yield()
			n++
		}
	})
	require.Equal(t, 1000, n)
}

// TestCommitReturnsFalse is a wait that is called off again and again.
func TestCommitReturnsFalse(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const n = 500
		body := func() {
			gp := Self()
			calls := 0
			no := func(g *G, arg unsafe.Pointer) bool {
				if g == gp {
					*(*int)(arg)++
				}
				return false
			}
			for i := range n {
				if i%2 == 0 {
					Park(WaitReasonZero, no, unsafe.Pointer(&calls))
				} else {
					require.True(t, gp.Park(WaitReasonZero, no, unsafe.Pointer(&calls)))
				}
			}
			require.Equal(t, n, calls)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(body)
			wg.Go(func() { require.NoError(t, s.Run(body)) })
		}
		wg.Wait()
	})
}

// TestCommitRunsWhenTheStackHasLeft has wakers on other threads that ready a task as soon as its
// commit has shown it to them, while the parker's stack grows and shrinks between two waits.
func TestCommitRunsWhenTheStackHasLeft(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const parkers, rounds = 6, 300
		var slots [parkers]atomic.Pointer[G]
		show := func(g *G, arg unsafe.Pointer) bool {
			(*atomic.Pointer[G])(arg).Store(g)
			return true
		}
		var wakers, tasks sync.WaitGroup
		var stop atomic.Bool
		wake := func(pause func()) {
			for !stop.Load() {
				for i := range slots {
					if g := slots[i].Load(); g != nil && slots[i].CompareAndSwap(g, nil) {
						g.Ready()
					}
				}
				pause()
			}
			wakers.Done()
		}
		wakers.Add(3)
		go wake(runtime.Gosched)
		go wake(func() { runtime.Gosched(); runtime.Gosched() })
		s.Go(func() { wake(Yield) })
		for i := range slots {
			tasks.Add(1)
			body := func() {
				defer tasks.Done()
				for k := range rounds {
					sum := deep(k % 60)
					Park(WaitReasonZero, show, unsafe.Pointer(&slots[i]))
					require.Equal(t, sum, deep(k%60))
				}
			}
			if i == 0 {
				go body()
			} else {
				s.Go(body)
			}
		}
		tasks.Wait()
		stop.Store(true)
		wakers.Wait()
	})
}

// TestParkWithoutCommit has a waker that runs only when the waiter has parked, there being one P.
func TestParkWithoutCommit(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	var order []string
	run(t, s, func() {
		gp := Self()
		Go(func() {
			order = append(order, "ready")
			gp.Ready()
		})
		Park(WaitReasonSelect, nil, nil)
		order = append(order, "woken")
	})
	require.Equal(t, []string{"ready", "woken"}, order)
}

func TestClaimIsWonOnce(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	for _, start := range []func(func()){s.Go, func(f func()) { go f() }} {
		var waiter atomic.Pointer[G]
		var woken atomic.Bool
		start(func() {
			Park(WaitReasonZero, func(g *G, _ unsafe.Pointer) bool {
				waiter.Store(g)
				return true
			}, nil)
			woken.Store(true)
		})
		until(t, "it waits", func() bool { return waiter.Load() != nil }, s)
		gp := waiter.Load()
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if gp.Claim() {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, won.Load())
		require.False(t, woken.Load(), "not before Ready")
		gp.Ready()
		until(t, "it is woken", woken.Load, s)
	}
	require.False(t, Self().Claim(), "this goroutine does not wait")
}

// TestReadyFromEverywhere passes a token round between tasks of two schedulers and goroutines.
func TestReadyFromEverywhere(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		with(t, 2, func(other *Scheduler) { passToken(t, s.Go, other.Go, func(f func()) { go f() }) })
	})
}

// passToken starts three Gs by each of kinds, in a ring in which each kind follows each.
func passToken(t *testing.T, kinds ...func(func())) {
	const rounds = 200
	gates := make([]door, 3*len(kinds))
	count := 0 // the token's
	var wg sync.WaitGroup
	wg.Add(len(gates))
	for i := range gates {
		kinds[(i+i/3)%len(kinds)](func() {
			defer wg.Done()
			for range rounds {
				gates[i].wait()
				count++
				gates[(i+1)%len(gates)].signal()
			}
		})
	}
	gates[0].signal()
	wg.Wait()
	require.Equal(t, rounds*len(gates), count)
}

// TestReadyWithinACommit wakes one task in the commit with which another begins to wait.
func TestReadyWithinACommit(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	turns := 0
	run(t, s, func() {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}

		var waits *G
		swap := func(g *G, _ unsafe.Pointer) bool {
			before := waits
			waits = g
			if before != nil {
				before.Ready()
			}
			return true
		}
		done := 0
		for range 2 {
			Go(func() {
				if hb.On {
					hb.Enter()
					defer hb.Leave()
				}

				for range 500 {
					turns++
					Park(WaitReasonZero, swap, nil)
				}
				done++
			})
		}
		for done < 1 {
			Yield()
		}
		if done < 2 {
			waits.Ready()
			for done < 2 {
				Yield()
			}
		}
	})
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	require.Equal(t, 1000, turns)
}
