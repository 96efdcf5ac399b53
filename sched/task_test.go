package sched

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/callerpc"
)

var errBoom = errors.New("boom")

// TestTaskEnds looks at all ways in which a spawned task ends, with a result that is waited for before and
// after its end, by tasks and by goroutines.
func TestTaskEnds(t *testing.T) {
	type end struct {
		value int
		err   error
	}
	ways := map[string]struct {
		fn   func() (int, error)
		want end
	}{
		"value":  {func() (int, error) { return 7, nil }, end{7, nil}},
		"parks":  {func() (int, error) { Yield(); return 8, nil }, end{8, nil}},
		"error":  {func() (int, error) { return 9, errBoom }, end{9, errBoom}},
		"exit":   {func() (int, error) { Exit(); return 1, nil }, end{0, ErrExited}},
		"goexit": {func() (int, error) { Yield(); runtime.Goexit(); return 1, nil }, end{0, ErrExited}},
		"panic":  {func() (int, error) { panic(errBoom) }, end{0, errBoom}},
		"late":   {func() (int, error) { defer Yield(); Yield(); panic(errBoom) }, end{0, errBoom}},
	}
	forProcs(t, func(t *testing.T, s *Scheduler) {
		s.cfg.PanicHandler = func(e *PanicError) { t.Errorf("PanicHandler is called with %v", e) }
		for name, way := range ways {
			var all sync.WaitGroup
			check := func(task *Task[int]) {
				defer all.Done()
				value, err := task.Wait()
				if value != way.want.value || !errors.Is(err, way.want.err) {
					t.Errorf("%s: %d, %v", name, value, err)
				}
			}
			all.Add(6)
			var inside, outside *Task[int]
			outside = SpawnOn(s, way.fn)
			go check(outside)
			require.NoError(t, s.Run(func() {
				inside = Spawn(way.fn)
				Go(func() { check(inside) })
				check(inside)
				check(outside)
			}))
			check(outside)
			go check(inside)
			all.Wait()
		}
	})
}

// TestTaskPanicIsWhole: the error tells the value, the stack and the place of Spawn.
func TestTaskPanicIsWhole(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	run(t, s, func() {
		me, _ := ID()
		at := line() + 1
		_, err := Spawn(func() (string, error) { failDeepInside(os.ErrExist); return "", nil }).Wait()
		var e *PanicError
		require.ErrorAs(t, err, &e)
		require.Equal(t, os.ErrExist, e.Value)
		require.ErrorIs(t, err, os.ErrExist)
		require.NotZero(t, e.TaskID)
		require.NotEqual(t, me, e.TaskID)
		require.Regexp(t, `^github\.com/userrt/userrt/sched\.failDeepInside\(`, string(e.Stack), "nothing above the panic")
		require.NotContains(t, string(e.Stack), "runTasks", "nothing below the task's function")
		require.NotContains(t, string(e.Stack), "iter.")
		if callerpc.Known {
			require.Contains(t, string(e.Stack), fmt.Sprintf("in task %d\n", me))
			require.Contains(t, string(e.Stack), fmt.Sprintf("task_test.go:%d +", at))
		}
	})
}

func TestSpawnOfNothing(t *testing.T) {
	require.PanicsWithValue(t, "sched: Go of nil func", func() { Spawn[int](nil) })
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	require.PanicsWithValue(t, "sched: Go of nil func", func() { SpawnOn[int](s, nil) })
}

func TestSpawnOnClosed(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	require.NoError(t, s.Close())
	task := SpawnOn(s, func() (int, error) { panic("never runs") })
	value, err := task.Wait()
	require.Zero(t, value)
	require.Equal(t, ErrClosed, err)
}

// TestCloseEndsSpawnedTasks: one that never started and one that is parked end as ErrClosed, for waiters that
// Close does not concern. One that panics while it is unwound tells its panic.
func TestCloseEndsSpawnedTasks(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		with(t, procs, func(s *Scheduler) {
			parked := SpawnOn(s, func() (int, error) { parkForever(); return 1, nil })
			angry := SpawnOn(s, func() (int, error) { defer panic(errBoom); parkForever(); return 1, nil })
			until(t, "two are parked", func() bool { return waiting(s) == 2 }, s)
			fresh := make(chan *Task[int], 1)
			s.Go(func() {
				_ = s.Close() // from inside it does not wait
				fresh <- SpawnOn(s, func() (int, error) { return 1, nil })
			})
			for _, task := range []*Task[int]{parked, <-fresh} {
				within(t, func() {
					value, err := task.Wait()
					require.Zero(t, value)
					require.Equal(t, ErrClosed, err)
				}, s)
			}
			_, err := angry.Wait()
			require.ErrorIs(t, err, errBoom)
		})
	}
}

// TestUnwoundWaiterLeavesItsTask: who waits and is unwound is taken out of the queue, and the others are served.
func TestUnwoundWaiterLeavesItsTask(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		s, other := newTest(t, Config{Procs: procs}), newTest(t, Config{Procs: procs})
		let := make(chan struct{})
		task := SpawnOn(s, func() (int, error) { Block(func() { <-let }); return 7, nil })
		const n = 5
		for range n {
			other.Go(func() { _, _ = task.Wait(); t.Error("an unwound Wait has returned") })
		}
		until(t, "they wait", func() bool { return waiting(other) == n }, other)
		got := make(chan int)
		go func() { v, _ := task.Wait(); got <- v }()
		until(t, "the goroutine waits too", func() bool {
			task.end.lock.Lock()
			defer task.end.lock.Unlock()
			return len(task.end.waiters.more) == n
		})
		within(t, func() { require.NoError(t, other.Close()) }, other)
		task.end.lock.Lock()
		require.Nil(t, task.end.waiters.one)
		require.Len(t, task.end.waiters.more, 1)
		task.end.lock.Unlock()
		close(let)
		within(t, func() { require.Equal(t, 7, <-got) }, s)
	}
}

// TestStressTasks has trees of tasks wait for each other, with the collector running.
func TestStressTasks(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var tree func(depth int) (int, error)
		tree = func(depth int) (int, error) {
			if depth == 0 {
				return 1, nil
			}
			l, r := Spawn(func() (int, error) { return tree(depth - 1) }), Spawn(func() (int, error) { return tree(depth - 1) })
			if depth == 6 {
				runtime.GC()
			}
			a, err := l.Wait()
			if err != nil {
				return 0, err
			}
			b, err := r.Wait()
			return a + b, err
		}
		for range 3 {
			got, err := SpawnOn(s, func() (int, error) { return tree(8) }).Wait()
			require.NoError(t, err)
			require.Equal(t, 1<<8, got)
		}
	})
}

// TestWaitListIsInOrder: first in, first out, whoever has left from the middle.
func TestWaitListIsInOrder(t *testing.T) {
	var gs [5]G
	var l waitList
	for i := range gs {
		gs[i].state.Store(gWaiting)
		l.add(&gs[i])
	}
	gs[2].state.Store(gRunnable) // it is being unwound
	l.remove(&gs[0])
	l.remove(&gs[3])
	l.remove(&gs[3])
	require.Same(t, &gs[1], l.claim())
	require.Same(t, &gs[4], l.claim())
	require.Nil(t, l.claim())
	l.add(&gs[0])
	require.Same(t, &gs[0], l.claim())
}
