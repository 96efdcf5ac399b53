package sched

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// fromEverywhere calls f on a plain goroutine, in a task of s, and in one of another scheduler.
func fromEverywhere(t *testing.T, s *Scheduler, f func()) {
	t.Helper()
	within(t, f, s)
	run(t, s, f)
	with(t, 2, func(other *Scheduler) { run(t, other, f) })
}

func TestRunReturnsWhenTheTaskHasEnded(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		fromEverywhere(t, s, func() {
			var done atomic.Bool
			var in *Scheduler
			require.NoError(t, s.Run(func() {
				in = Current()
				defer done.Store(true)
				Yield()
			}))
			require.True(t, done.Load(), "with its deferred calls")
			require.Same(t, s, in)
		})
	})
}

func TestRunDoesNotWaitForChildren(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	var g door
	var left atomic.Bool
	run(t, s, func() {
		Go(func() {
			g.wait()
			left.Store(true)
		})
	})
	require.False(t, left.Load())
	g.signal()
	until(t, "the child ends", left.Load, s)
}

func TestRunReturnsThePanic(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var handled journal[*PanicError]
		s.cfg.PanicHandler = handled.add
		cause := errors.New("cause")
		fromEverywhere(t, s, func() {
			var id uint64
			var deferred bool
			err := s.Run(func() {
				defer func() { deferred = true }()
				id, _ = ID()
				runtime.Gosched()
				failDeepInside(cause)
			})
			var pe *PanicError
			require.ErrorAs(t, err, &pe)
			require.ErrorIs(t, err, cause)
			require.Equal(t, id, pe.TaskID)
			require.Contains(t, string(pe.Stack), "failDeepInside", "the stack where it panicked")
			require.NotRegexp(t, "^goroutine ", string(pe.Stack))
			require.Contains(t, err.Error(), "panic: cause\n")
			require.True(t, deferred)
		})
		require.Len(t, handled.all(), 3)
	})
}

//go:noinline
func failDeepInside(v any) { panic(v) }

func TestRunReturnsErrExited(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	for _, exit := range []func(){
		Exit,
		runtime.Goexit,
		func() { require.True(failingT{}, false) },
		func() { defer func() { _ = recover() }(); Exit() },
		func() { defer Exit(); Exit() },
		func() { defer Exit(); panic("an exit takes it away") },
	} {
		fromEverywhere(t, s, func() {
			deferred := 0
			require.ErrorIs(t, s.Run(func() {
				defer func() { deferred++ }()
				defer Yield()
				exit()
				deferred = -1
			}), ErrExited)
			require.Equal(t, 1, deferred)
		})
	}
}

// failingT is a test that a task can fail, which ends the task.
type failingT struct{}

func (failingT) Errorf(string, ...any) {}
func (failingT) FailNow()              { runtime.Goexit() }

func TestRunAfterCloseReturnsErrClosed(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	run(t, s, func() {})
	require.NoError(t, s.Close())
	never := func() { t.Error("has run") }
	within(t, func() { require.ErrorIs(t, s.Run(never), ErrClosed) })
	run(t, newTest(t, Config{Procs: 1}), func() { require.ErrorIs(t, s.Run(never), ErrClosed) })
}

func TestRunReturnsErrClosedWhenCloseUnwindsTheTask(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		s := newTest(t, Config{Procs: procs})
		other := newTest(t, Config{Procs: 1})
		var got journal[error]
		go func() { got.add(s.Run(parkForever)) }()
		other.Go(func() { got.add(s.Run(parkForever)) })
		until(t, "both wait", func() bool { return waiting(s) == 2 }, s)
		within(t, func() { require.NoError(t, s.Close()) }, s)
		until(t, "both are told", func() bool { return len(got.all()) == 2 }, other)
		require.Equal(t, []error{ErrClosed, ErrClosed}, got.all())
	}
}

func TestRunReturnsErrClosedWhenTheTaskNeverStarted(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	var started atomic.Bool
	s.Go(func() {
		started.Store(true)
		for !s.closing.Load() { // no call of ours: it keeps the only P
			runtime.Gosched()
		}
	})
	until(t, "the first task runs", started.Load, s)
	var got journal[error]
	go func() { got.add(s.Run(func() { t.Error("has run") })) }()
	until(t, "the second is queued", func() bool { return s.globqsize.Load() == 1 }, s)
	within(t, func() { require.NoError(t, s.Close()) }, s)
	until(t, "Run has returned", func() bool { return len(got.all()) == 1 })
	require.Equal(t, []error{ErrClosed}, got.all())
}

// TestRunNested nests Run through two schedulers, in turns.
func TestRunNested(t *testing.T) {
	a, b := newTest(t, Config{Procs: 1}), newTest(t, Config{Procs: 2})
	deepest := 0
	var nest func(depth int)
	nest = func(depth int) {
		deepest = max(deepest, depth)
		if depth < 40 {
			s := a
			if depth/2%2 == 0 {
				s = b
			}
			require.NoError(t, s.Run(func() { nest(depth + 1) }))
		}
	}
	within(t, func() { nest(0) }, a, b)
	require.Equal(t, 40, deepest)
}

// TestRunsKeepTheirOwnEnds: what one Run has been told of its task is never another's, nor its wait.
func TestRunsKeepTheirOwnEnds(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		s.cfg.PanicHandler = func(*PanicError) {}
		stop := collecting()
		defer stop()
		const callers, calls = 4, 1000
		var wg sync.WaitGroup
		var faults atomic.Int64
		call := func(of int) {
			for i := range calls {
				ran, how := false, (i+of)%5
				err := s.Run(func() {
					defer func() { ran = true }()
					switch how {
					case 1:
						Exit()
					case 2:
						panic(i*callers + of)
					case 3:
						Yield()
					}
				})
				var pe *PanicError
				ok := err == nil
				switch how {
				case 1:
					ok = errors.Is(err, ErrExited)
				case 2:
					ok = errors.As(err, &pe) && pe.Value == i*callers+of
				}
				if !ok || !ran {
					faults.Add(1)
				}
			}
		}
		for i := range callers {
			wg.Go(func() { call(i) })
		}
		within(t, func() {
			require.NoError(t, s.Run(func() { call(callers - 1) }))
			wg.Wait()
		}, s)
		require.Zero(t, faults.Load())
	})
}
