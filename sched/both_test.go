package sched

import (
	"fmt"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func bothFib(n int) int {
	if n < 2 {
		return n
	}
	a, b := Both(bothFib, n-1, n-2)
	return a + b
}

func TestBothReturnsBoth(t *testing.T) {
	type pair struct {
		name string
		n    *int
	}
	calls := func() {
		a, b := Both(strconv.Itoa, 4, 2)
		require.Equal(t, "42", a+b)
		one, two := 1, 2
		p, q := Both(func(p pair) *int { return p.n }, pair{"one", &one}, pair{"two", &two})
		require.Same(t, &one, p)
		require.Same(t, &two, q)
		x, y := Both(func(e error) any { return e }, ErrClosed, nil)
		require.Equal(t, ErrClosed, x)
		require.Nil(t, y)
		require.Equal(t, 610, bothFib(15))
		Both(func(struct{}) struct{} { return struct{}{} }, struct{}{}, struct{}{})
	}
	forProcs(t, func(t *testing.T, s *Scheduler) {
		for range 20 {
			require.NoError(t, s.Run(calls))
		}
		require.NoError(t, s.Run(func() { Block(calls) }))
		calls()
	})
}

func TestBothOfNilFunc(t *testing.T) {
	require.PanicsWithValue(t, "sched: Both of nil func", func() { Both[int, int](nil, 1, 2) })
	require.PanicsWithValue(t, "sched: Join of nil func", func() { Join(func() {}, nil) })
	require.PanicsWithValue(t, "sched: For of nil func", func() { For(0, 1, nil) })
}

func TestBothNotStolen(t *testing.T) {
	needsForks(t)
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	run(t, s, func() {
		caller, _ := ID()
		var order []string
		Both(func(name string) bool {
			in, _ := ID()
			require.Equal(t, caller, in)
			order = append(order, name)
			return true
		}, "x", "y")
		require.Equal(t, []string{"x", "y"}, order)
	})
}

// TestBothStolen has a tree of calls that wait for each other without giving way.
func TestBothStolen(t *testing.T) {
	for _, native := range []int{1, 2, 8} {
		t.Run(fmt.Sprint(native), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(native))
			s := newTest(t, Config{Procs: 4})
			for range 4 {
				var in atomic.Int32
				var ids journal[uint64]
				var tree func(d int) int
				tree = func(d int) int {
					if d > 0 {
						a, b := Both(tree, d-1, d-1)
						return a + b
					}
					in.Add(1)
					for in.Load() < 4 { // no call: it keeps its P
					}
					id, _ := ID()
					ids.add(id)
					return 1
				}
				run(t, s, func() { require.Equal(t, 4, tree(2)) })
				seen := map[uint64]bool{}
				for _, id := range ids.all() {
					seen[id] = true
				}
				require.Len(t, seen, 4)
			}
		})
	}
}

// TestBothSharesAnUnbalancedTree: the work is all in the one deep branch, and still both workers get
// parts of it.
func TestBothSharesAnUnbalancedTree(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	var workers [64]atomic.Int64 // by P: one that stands in for a stuck one is beyond the first two
	var tree func(d int) int
	tree = func(d int) int {
		if d == 0 {
			return 0
		}
		workers[procID()].Add(1)
		a, b := Both(tree, d-1, d/4)
		return a + b + 1
	}
	var want func(d int) int
	want = func(d int) int {
		if d == 0 {
			return 0
		}
		return want(d-1) + want(d/4) + 1
	}
	n := want(60)
	until(t, "both workers take part", func() bool {
		run(t, s, func() { require.Equal(t, n, tree(60)) })
		part := 0
		for i := range workers {
			if workers[i].Load() > int64(n/10) {
				part++
			}
		}
		return part >= 2
	}, s)
}

// TestForksAllocateNothing uses frames of several types in the same slots.
func TestForksAllocateNothing(t *testing.T) {
	needsForks(t)
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	f := func() {}
	piece := func(lo, hi int) {}
	length := func(s string) int { return len(s) }
	nested := func(n int) int {
		a, b := Both(length, "abc", "d")
		Join(f, f)
		For(n, 1, piece)
		return a + b
	}
	inFor := func(lo, hi int) { nested(1) }
	var got, self float64
	run(t, s, func() {
		self = testing.AllocsPerRun(10, func() { Self() })
		got = testing.AllocsPerRun(1000, func() {
			Both(nested, 4, 5)
			For(100, 1, inFor)
			Both(length, "abc", "d")
			bothFib(5)
		})
	})
	if self > 0 {
		t.Skip("without assembly, already finding out who calls allocates")
	}
	require.Zero(t, got)
}

// TestForksOnAPlainGoroutine runs the three there, with one call that ends badly.
func TestForksOnAPlainGoroutine(t *testing.T) {
	for bad := range 4 {
		for how, fork := range map[string]func(int, func(), *[3]atomic.Int32, func()){"Join": join3, "Both": both3, "For": for3} {
			for name, end := range map[string]func(){"panic": func() { failDeepInside("boom") }, "exit": Exit} {
				t.Run(fmt.Sprintf("%s/%s/%d", how, name, bad), func(t *testing.T) {
					var ran [3]atomic.Int32
					var got any
					returned := false
					within(t, func() {
						defer func() { got = recover() }()
						fork(bad, end, &ran, Yield)
						returned = true
					}, Default())
					requireAllRan(t, &ran)
					require.Equal(t, bad == 3, returned)
					pe, ok := got.(*PanicError)
					require.Equal(t, bad < 3 && name == "panic", ok)
					if ok {
						require.Equal(t, "boom", pe.Value)
					}
				})
			}
		}
	}
}

// TestParkedTasksForksRun: what a parked task has offered runs although its P never becomes idle.
func TestParkedTasksForksRun(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	var stop atomic.Bool
	for range 2 {
		s.Go(func() {
			for !stop.Load() {
				Yield()
			}
		})
	}
	run(t, s, func() {
		var d door
		Both(func(wait bool) bool {
			if wait {
				d.wait()
			} else {
				d.signal()
			}
			return wait
		}, true, false)
		d2 := door{}
		For(2, 1, func(lo, hi int) {
			if lo == 0 {
				d2.wait()
			} else {
				d2.signal()
			}
		})
	})
	stop.Store(true)
}

// TestForksInBlock: the functions block natively, each on what the other does.
func TestForksInBlock(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		for range 20 {
			require.NoError(t, s.Run(func() {
				c := make(chan int)
				a, b := Both(func(send bool) (v int) {
					Block(func() {
						if send {
							c <- 42
						} else {
							v = <-c
						}
					})
					return v
				}, true, false)
				require.Equal(t, 42, a+b)
			}))
		}
	})
}
