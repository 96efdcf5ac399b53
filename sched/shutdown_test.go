package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCloseOfAnUnusedScheduler(t *testing.T) {
	s := newTest(t, Config{Procs: 4})
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
}

func TestGoAfterClosePanics(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	run(t, s, func() {})
	require.NoError(t, s.Close())
	never := func() { t.Error("has run") }
	calls := func() {
		require.PanicsWithValue(t, "sched: Go on closed Scheduler", func() { s.Go(never) })
		require.PanicsWithValue(t, "sched: Go on closed Scheduler", func() { s.GoEnd(never, &ends{}) })
	}
	calls()
	run(t, newTest(t, Config{Procs: 1, Tunables: unhelped}), calls)
}

// TestGoInATaskOfAClosingSchedulerPanics: a deferred call of an unwound task can't spawn.
func TestGoInATaskOfAClosingSchedulerPanics(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	var got [2]any
	catch := func(i int, f func()) {
		defer func() { got[i] = recover() }()
		f()
	}
	s.Go(func() {
		defer func() {
			catch(0, func() { Go(func() { t.Error("has run") }) })
			catch(1, func() { s.Go(func() { t.Error("has run") }) })
		}()
		parkForever()
	})
	until(t, "it waits", func() bool { return waiting(s) == 1 }, s)
	within(t, func() { require.NoError(t, s.Close()) }, s)
	require.Equal(t, [2]any{"sched: Go on closed Scheduler", "sched: Go on closed Scheduler"}, got)
}

// TestCloseUnwindsParkedTasks has tasks that wait in all ways there are in this package.
func TestCloseUnwindsParkedTasks(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		with(t, 1, func(other *Scheduler) {
			var order journal[int]
			var gates [2]door
			waits := []func(){
				parkForever,
				gates[0].wait,
				func() { _ = s.Run(gates[1].wait) },
				func() { _ = other.Run(parkForever) },
				func() { Join(parkForever, func() {}) },
				func() { Join(func() {}, parkForever) },
			}
			e := make([]ends, len(waits))
			for i, wait := range waits {
				s.GoEnd(func() {
					defer order.add(2*i + 1)
					defer order.add(2 * i)
					wait()
					t.Errorf("wait %d has returned", i)
				}, &e[i])
			}
			until(t, "all wait", func() bool {
				s.lock.Lock()
				idle := s.nprun == 0
				s.lock.Unlock()
				return idle && waiting(s) >= len(waits)+1
			}, s)
			require.NoError(t, s.Close())
			require.Len(t, order.all(), 2*len(waits))
			at := map[int]int{}
			for k, v := range order.all() {
				at[v] = k
			}
			for i := range waits {
				require.Less(t, at[2*i], at[2*i+1], "the last deferred runs first")
				require.Equal(t, []End{{Dropped: true}}, e[i].all())
			}
			require.Nil(t, gates[0].waiter, "unwound, it has left its queue")
			require.Nil(t, gates[1].waiter)
		})
	})
}

// TestDeferredCallsMayPark: those of unwound tasks wait for each other, and for what never comes.
func TestDeferredCallsMayPark(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const n = 10
		var gates [n]door
		var order, forever journal[int]
		for i := range n {
			s.Go(func() { // task i waits for task i+1, the last for nobody
				defer func() {
					if i < n-1 {
						gates[i].wait()
					}
					order.add(n - 1 - i)
					if i > 0 {
						gates[i-1].signal()
					}
				}()
				parkForever()
			})
		}
		s.Go(func() {
			defer forever.add(0)
			defer parkForever()
			defer forever.add(1)
			defer Yield()
			defer parkForever()
			parkForever()
		})
		until(t, "all wait", func() bool { return waiting(s) == n+1 }, s)
		require.NoError(t, s.Close())
		require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, order.all())
		require.Equal(t, []int{1, 0}, forever.all())
	})
}

// TestCloseDropsWhatHasNotStarted fills the queues behind a task that keeps the only P.
func TestCloseDropsWhatHasNotStarted(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	const n = 400 // beyond a ring
	var e ends
	var spawned atomic.Bool
	never := func() { t.Error("has run") }
	s.Go(func() {
		for range n {
			s.GoEnd(never, &e)
		}
		spawned.Store(true)
		for !s.closing.Load() { // no call of ours: it keeps its P
			runtime.Gosched()
		}
	})
	until(t, "the ring is full", spawned.Load, s)
	for range n {
		s.GoEnd(never, &e)
	}
	within(t, func() { require.NoError(t, s.Close()) }, s)
	require.Len(t, e.all(), 2*n)
	for _, how := range e.all() {
		require.Equal(t, End{Dropped: true}, how)
	}
}

func TestCloseEndsYielders(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var started, deferred atomic.Int32
		for range 5 {
			s.Go(func() {
				defer deferred.Add(1)
				started.Add(1)
				for {
					Yield()
				}
			})
		}
		until(t, "all run", func() bool { return started.Load() == 5 }, s)
		require.NoError(t, s.Close())
		require.EqualValues(t, 5, deferred.Load())
	})
}

// TestCloseNamesTheTasksThatRunOn has tasks in a bare loop, which nobody can stop.
func TestCloseNamesTheTasksThatRunOn(t *testing.T) {
	s := newTest(t, Config{Procs: 3})
	var stop atomic.Bool
	var ids journal[uint64]
	var ended atomic.Int32
	for range 2 {
		s.Go(func() {
			defer ended.Add(1)
			id, _ := ID()
			ids.add(id)
			for !stop.Load() { // no call: it keeps its P
			}
			Yield()
			t.Error("a task that yields to a closing scheduler does not go on")
		})
	}
	var unwound atomic.Bool
	s.Go(func() {
		defer unwound.Store(true)
		parkForever()
	})
	until(t, "they loop", func() bool { return len(ids.all()) == 2 && waiting(s) == 1 }, s)
	var err error
	within(t, func() { err = s.Close() }, s)
	var left *CloseError
	require.ErrorAs(t, err, &left)
	var named []uint64
	for _, ref := range left.Tasks {
		named = append(named, ref.ID)
	}
	require.ElementsMatch(t, ids.all(), named)
	require.True(t, unwound.Load())
	require.NoError(t, s.Close(), "a second one doesn't wait")
	stop.Store(true)
	until(t, "they end later", func() bool { return ended.Load() == 2 && s.workersUp.Load() == 0 }, s)
}

func TestCloseFromATaskOfAnother(t *testing.T) {
	for range 20 {
		with(t, 2, func(other *Scheduler) {
			with(t, 2, func(s *Scheduler) {
				var deferred atomic.Bool
				s.Go(func() {
					defer deferred.Store(true)
					parkForever()
				})
				until(t, "it waits", func() bool { return waiting(s) == 1 }, s)
				run(t, other, func() { require.NoError(t, s.Close()) })
				require.True(t, deferred.Load())
				require.Zero(t, s.workersUp.Load())
			})
		})
	}
}

// TestCloseFromATaskOfItsOwn does not wait; the task ends when it next parks.
func TestCloseFromATaskOfItsOwn(t *testing.T) {
	for range 20 {
		for _, wait := range []func(){Yield, parkForever} {
			s := newTest(t, Config{Procs: 2})
			var closed, deferred, after atomic.Bool
			s.Go(func() {
				defer deferred.Store(true)
				first, second := s.Close(), s.Close()
				closed.Store(first == nil && second == nil)
				wait()
				after.Store(true)
			})
			until(t, "all ends", func() bool { return closed.Load() && s.workersUp.Load() == 0 }, s)
			require.True(t, deferred.Load())
			require.False(t, after.Load())
		}
	}
}

func TestCloseFromManyGoroutines(t *testing.T) {
	for range 50 {
		s := newTest(t, Config{Procs: 2})
		for range 10 {
			s.Go(parkForever)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { require.NoError(t, s.Close()) })
		}
		within(t, wg.Wait, s)
		until(t, "it is closed", func() bool { return s.workersUp.Load() == 0 }, s)
	}
}

// TestCloseLeavesGoroutinesAlone has a plain goroutine that waits for a task which is unwound, and
// for another goroutine after that.
func TestCloseLeavesGoroutinesAlone(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	var g door
	var woken, waits atomic.Bool
	go func() {
		waits.Store(true)
		g.wait()
		woken.Store(true)
	}()
	until(t, "it waits", waits.Load, s)
	run(t, s, func() {})
	require.NoError(t, s.Close())
	require.False(t, woken.Load())
	g.signal()
	until(t, "it is woken", woken.Load)
}
