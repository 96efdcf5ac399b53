package sched

import (
	"context"
	"runtime"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/getg"
)

func TestNilFunctions(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	calls := func() {
		require.PanicsWithValue(t, "sched: Go of nil func", func() { Go(nil) })
		require.PanicsWithValue(t, "sched: Go of nil func", func() { s.Go(nil) })
		require.PanicsWithValue(t, "sched: Go of nil func", func() { s.GoEnd(nil, nil) })
		require.PanicsWithValue(t, "sched: Go of nil func", func() { _ = s.Run(nil) })
		require.PanicsWithValue(t, "sched: Join of nil func", func() { Join(nil) })
		require.PanicsWithValue(t, "sched: Join of nil func", func() { Join(func() { t.Error("has run") }, nil) })
	}
	calls()
	run(t, s, calls)
	other := newTest(t, Config{Procs: 1, Tunables: unhelped})
	run(t, other, calls)
}

// TestGoRunsEveryTask spawns more than a ring holds, from a task and from goroutines.
func TestGoRunsEveryTask(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const n = 1000
		ran := make([]atomic.Int32, 3*n)
		var wg sync.WaitGroup
		wg.Add(3 * n)
		task := func(i int) func() {
			return func() {
				ran[i].Add(1)
				wg.Done()
			}
		}
		s.Go(func() {
			for i := range n {
				Go(task(i))
			}
		})
		for part := 1; part < 3; part++ {
			wg.Go(func() {
				for i := range n {
					s.Go(task(part*n + i))
				}
			})
		}
		wg.Wait()
		for i := range ran {
			require.EqualValues(t, 1, ran[i].Load(), "task %d", i)
		}
	})
}

func TestGoOverflowsTheRing(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	var count atomic.Int32
	run(t, s, func() {
		for range 1000 {
			Go(func() { count.Add(1) })
		}
		require.Zero(t, count.Load(), "nobody else has a P")
		require.NotZero(t, overflows())
		for count.Load() < 1000 {
			Yield()
		}
	})
}

func TestSpawnOrder(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	var order journal[int]
	run(t, s, func() {
		for i := range 5 {
			Go(func() { order.add(i) })
		}
		Yield()
		order.add(9)
	})
	require.Equal(t, []int{4, 0, 1, 2, 3, 9}, order.all(), "the newest first, who yields last")
}

func TestSpawnOrderFromGoroutines(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: Tunables{NoRelief: true, FairTicks: -1}})
	var want []int
	var order journal[int]
	var started, all atomic.Bool
	s.Go(func() {
		started.Store(true)
		for !all.Load() { // no call: it keeps its P
		}
	})
	until(t, "the first task runs", started.Load, s)
	for i := range 100 {
		want = append(want, i)
		s.Go(func() { order.add(i) })
	}
	all.Store(true)
	run(t, s, func() {})
	require.Equal(t, want, order.all())
}

func TestGoEnd(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		s.cfg.PanicHandler = func(*PanicError) {}
		ways := []func(){func() {}, Exit, func() { panic("boom") }}
		for _, spawn := range []func(func()){
			func(f func()) { f() },
			func(f func()) { require.NoError(t, s.Run(f)) },
		} {
			var e [3]ends
			spawn(func() {
				for i, way := range ways {
					s.GoEnd(way, &e[i])
				}
			})
			until(t, "all have ended", func() bool {
				return len(e[0].all())+len(e[1].all())+len(e[2].all()) == 3
			}, s)
			require.Equal(t, []End{{}}, e[0].all())
			require.Equal(t, []End{{Exited: true}}, e[1].all())
			how := e[2].all()[0]
			require.NotNil(t, how.Panic)
			require.Equal(t, "boom", how.Panic.Value)
			require.False(t, how.Exited || how.Dropped)
		}
	})
}

// enderFunc lets a function be an Ender.
type enderFunc func(End)

func (f enderFunc) TaskEnded(how End) { f(how) }

func TestEnderIsCalledOnTheTasksStackAfterItsDeferredCalls(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	for _, end := range []func(){func() {}, Exit} {
		var inTask, inEnd, inDefer uint64
		var order journal[string]
		s.GoEnd(func() {
			inTask, _ = ID()
			defer order.add("deferred")
			defer func() { inDefer, _ = ID() }()
			end()
		}, enderFunc(func(End) {
			inEnd, _ = ID()
			order.add("told")
		}))
		until(t, "its end", func() bool { return len(order.all()) == 2 }, s)
		require.Equal(t, []string{"deferred", "told"}, order.all())
		require.NotZero(t, inTask)
		require.Equal(t, inTask, inDefer)
		require.Equal(t, inTask, inEnd)
	}
}

func TestIDsAreUnique(t *testing.T) {
	_, ok := ID()
	require.False(t, ok, "a plain goroutine has none")
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const n = 500
		var ids journal[uint64]
		var wg sync.WaitGroup
		wg.Add(4 * n)
		task := func() {
			defer wg.Done()
			id, ok := ID()
			if !ok {
				id = 0
			}
			ids.add(id)
			Yield()
			if again, _ := ID(); again != id {
				ids.add(0)
			}
		}
		for range n {
			s.Go(task)
			s.Go(func() { Go(task); Go(task); Go(task) })
		}
		wg.Wait()
		all := ids.all()
		require.Len(t, all, 4*n)
		slices.Sort(all)
		require.NotZero(t, all[0])
		require.Len(t, slices.Compact(all), 4*n)
	})
}

func TestTaskInheritsLabels(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var want unsafe.Pointer
		var seen journal[unsafe.Pointer]
		look := func() { seen.add(getg.Labels()) }
		pprof.Do(context.Background(), pprof.Labels("key", "value"), func(context.Context) {
			want = getg.Labels()
			require.NoError(t, s.Run(func() {
				look()
				var g door
				Go(func() {
					look()
					g.signal()
				})
				g.wait()
				Yield()
				look()
				Join(look, look, look)
			}))
		})
		require.NotNil(t, want)
		require.Nil(t, getg.Labels())
		require.Equal(t, slices.Repeat([]unsafe.Pointer{want}, 6), seen.all())
	})
}

// TestNextTaskDoesNotSeeLabels lets tasks end in all ways while they carry labels, those of their
// maker or their own, and then looks at the labels of others, on the same stacks.
func TestNextTaskDoesNotSeeLabels(t *testing.T) {
	s := newTest(t, Config{Procs: 1, PanicHandler: func(*PanicError) {}})
	labelled := pprof.WithLabels(context.Background(), pprof.Labels("key", "value"))
	own := func() { pprof.SetGoroutineLabels(labelled) }
	for _, end := range []func(){func() {}, Exit, func() { panic("boom") }} {
		for _, body := range []func(){end, func() { own(); end() }, func() { own(); Yield(); end() }} {
			pprof.Do(context.Background(), pprof.Labels("key", "value"), func(context.Context) {
				within(t, func() { _ = s.Run(body) }, s)
			})
			within(t, func() { _ = s.Run(body) }, s)
			var unclean atomic.Bool
			run(t, s, func() {
				look := func() {
					if getg.Labels() != nil {
						unclean.Store(true)
					}
				}
				look()
				for range 10 {
					Go(look)
				}
				Yield()
			})
			require.False(t, unclean.Load())
		}
	}
}

// TestFreshTasksHaveNoStack spawns many tasks that wait in the queue and counts goroutines.
func TestFreshTasksHaveNoStack(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	before := runtime.NumGoroutine()
	const tasks = 2000
	var most, ran atomic.Int64
	run(t, s, func() {
		for range tasks {
			Go(func() {
				most.Store(max(most.Load(), int64(runtime.NumGoroutine()))) // they run one after the other
				ran.Add(1)
			})
		}
		for ran.Load() < tasks {
			Yield()
		}
	})
	require.Less(t, most.Load(), int64(before+10), "one stack runs them all")
}
