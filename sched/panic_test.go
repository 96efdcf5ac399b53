package sched

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/getg"
)

// exits is how many tasks TestExitsLeaveNothing ends by Exit and its like.
var exits = flag.Int("exits", 200_000, "tasks that TestExitsLeaveNothing ends by Exit, runtime.Goexit and FailNow")

func TestPanicHandler(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var handled journal[*PanicError]
		var order journal[string]
		var inHandler uint64
		s.cfg.PanicHandler = func(e *PanicError) {
			order.add("handler")
			inHandler, _ = ID()
			Yield() // it may give way
			handled.add(e)
		}
		var e ends
		var id uint64
		s.GoEnd(func() {
			id, _ = ID()
			defer order.add("deferred")
			failDeepInside(errors.New("boom"))
		}, &e)
		until(t, "it has ended", func() bool { return len(e.all()) == 1 }, s)
		require.Equal(t, []string{"deferred", "handler"}, order.all())
		require.Equal(t, id, inHandler, "on the task's own stack")
		require.Len(t, handled.all(), 1)
		pe := handled.all()[0]
		require.Same(t, pe, e.all()[0].Panic)
		require.EqualError(t, pe.Unwrap(), "boom")
		require.Equal(t, id, pe.TaskID)
		require.Contains(t, string(pe.Stack), "failDeepInside")
	})
}

// TestTasksGoOnAfterPanics mixes tasks that end in all ways, on few stacks.
func TestTasksGoOnAfterPanics(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const n = 1200
		var handled journal[any]
		s.cfg.PanicHandler = func(e *PanicError) { handled.add(e.Value) }
		var wg sync.WaitGroup
		wg.Add(n)
		for i := range n {
			s.Go(func() {
				defer wg.Done()
				if i%2 == 0 {
					Yield()
				}
				switch i % 3 {
				case 0:
					panic(i)
				case 1:
					Exit()
				}
			})
		}
		wg.Wait()
		until(t, "all panics are handled", func() bool { return len(handled.all()) == n/3 }, s)
	})
}

func TestRecoverInATask(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	var got any
	run(t, s, func() {
		defer func() { got = recover() }()
		Yield()
		panic("boom")
	})
	require.Equal(t, "boom", got)
}

// TestPanicWhileExiting: a deferred call that panics while a Goexit is under way does not call the
// Goexit off.
func TestPanicWhileExiting(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var handled journal[any]
		s.cfg.PanicHandler = func(e *PanicError) { handled.add(e.Value) }
		for i := range 20 {
			err := s.Run(func() {
				defer func() { panic(i) }()
				Exit()
			})
			var pe *PanicError
			require.ErrorAs(t, err, &pe)
			require.Equal(t, i, pe.Value)
			require.NoError(t, s.Run(Yield), "the worker goes on")
		}
		require.Len(t, handled.all(), 20)
	})
}

type (
	namedString string
	namedInt    int8
	namedFloat  float32
	namedBool   bool
	plain       struct{ a, b int }
	stringer    struct{}
)

func (stringer) String() string { return "a stringer" }

// TestPanicErrorText has texts that a traceback shows after "panic: "; TestCrash compares more of them
// with those of the runtime.
func TestPanicErrorText(t *testing.T) {
	for _, c := range []struct {
		value any
		text  string
	}{
		{"text", "text"},
		{errors.New("error"), "error"},
		{stringer{}, "a stringer"},
		{42, "42"},
		{uint8(7), "7"},
		{true, "true"},
	} {
		e := &PanicError{Value: c.value, Stack: []byte("main.f()\n"), TaskID: 5}
		require.Equal(t, "panic: "+c.text+"\n\ntask 5 [running]:\nmain.f()\n", e.Error())
	}
}

// TestExitsLeaveNothing ends many tasks by Exit, runtime.Goexit and FailNow, each of which takes its stack with it. Before the
// Scheduler closes, no more stacks may be left than a pool holds. The collector runs all the time and
// scans stacks that are just ending: once in ten runs it found there what was left over from something
// else, and died of it.
func TestExitsLeaveNothing(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	ways := []func(){Exit, runtime.Goexit, (&failures{}).FailNow}
	for _, procs := range []int{1, 4} {
		t.Run(fmt.Sprint(procs), func(t *testing.T) {
			s := newTest(t, Config{Procs: procs})
			before := plainGoroutines()
			const batch = 500
			for range *exits / 2 / batch {
				var wg sync.WaitGroup
				wg.Add(batch)
				for i := range batch {
					s.Go(func() {
						defer wg.Done()
						if i%16 == 0 {
							Yield()
						}
						ways[i%len(ways)]()
					})
				}
				within(t, wg.Wait, s)
			}
			goroutinesBack(t, before+procs+1+batch/16+poolMax)
		})
	}
}

// failures is a test as require sees it.
type failures struct{ journal[string] }

func (f *failures) Errorf(format string, args ...any) { f.add(fmt.Sprintf(format, args...)) }

func (f *failures) FailNow() { Exit() }

// TestFailNowEndsItsTaskAlone: a failed require ends the task that made it, after its deferred calls; its test goes on,
// and so does everybody else. The same for a real testing.T.
func TestFailNowEndsItsTaskAlone(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var fails failures
		var order journal[string]
		var real testing.T
		var g door
		var all sync.WaitGroup
		all.Add(3)
		s.Go(func() { defer all.Done(); g.wait(); order.add("other") })
		s.Go(func() {
			defer all.Done()
			defer order.add("deferred")
			require.Equal(&fails, 1, 2, "in a task")
			order.add("not reached")
		})
		s.Go(func() {
			defer all.Done()
			defer order.add("deferred")
			real.FailNow()
			order.add("not reached")
		})
		until(t, "two have ended", func() bool { return len(order.all()) == 2 }, s)
		g.signal()
		all.Wait()
		require.Equal(t, []string{"deferred", "deferred", "other"}, order.all())
		require.Len(t, fails.all(), 1)
		require.Contains(t, fails.all()[0], "in a task")
		require.True(t, real.Failed())
		require.False(t, t.Failed())
	})
}

// TestLabelsAfterAnExit looks at a new stack's labels, which its maker must not have had.
func TestLabelsAfterAnExit(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	for range 50 {
		pprof.Do(context.Background(), pprof.Labels("key", "value"), func(context.Context) {
			within(t, func() { require.ErrorIs(t, s.Run(Exit), ErrExited) }, s)
		})
		clean := false
		run(t, s, func() { clean = getg.Labels() == nil })
		require.True(t, clean)
	}
}
