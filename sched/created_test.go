package sched

import (
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/callerpc"
	"github.com/userrt/userrt/internal/hb"
)

// origin is what a task knows of its making.
type origin struct {
	line   int // in this file
	parent uint64
	name   string
}

// originHere returns the calling task's.
func originHere() origin {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	gp := currentTask()
	o := origin{parent: gp.parent, name: gp.name}
	f, _ := runtime.CallersFrames([]uintptr{gp.pc}).Next()
	if filepath.Base(f.File) == "created_test.go" {
		o.line = f.Line
	}
	return o
}

// line returns the line of its caller.
func line() int {
	_, _, l, _ := runtime.Caller(1)
	return l
}

// TestWhereATaskWasMade looks at each way to make a task, from a task and from a goroutine: the place is
// the line of the user's call, whichever layers of ours lie between.
func TestWhereATaskWasMade(t *testing.T) {
	got := make(chan origin, 1)
	tell := func() { got <- originHere() }
	ways := map[string]func(s *Scheduler) int{
		"Go":               func(s *Scheduler) int { s.Go(tell); return line() },
		"GoWith":           func(s *Scheduler) int { s.GoWith(tell, TaskOptions{}); return line() },
		"GoEnd":            func(s *Scheduler) int { s.GoEnd(tell, nil); return line() },
		"GoEndAt":          func(s *Scheduler) int { goForSomebody(s, tell); return line() },
		"Run":              func(s *Scheduler) int { _ = s.Run(tell); return line() },
		"package's Go":     func(*Scheduler) int { Go(tell); return line() },
		"package's GoWith": func(*Scheduler) int { GoWith(tell, TaskOptions{}); return line() },
		"within Block":     func(*Scheduler) (l int) { Block(func() { Go(tell); l = line() }); return l },
	}
	forProcs(t, func(t *testing.T, s *Scheduler) {
		for name, way := range ways {
			var want, have origin
			require.NoError(t, s.Run(func() {
				want.parent, _ = ID()
				want.line = way(s)
				Block(func() { have = <-got })
			}), name)
			if !callerpc.Known {
				want.line = 0
			}
			require.Equal(t, want, have, "%s from a task", name)

			want = origin{line: way(s)} // Default's tasks for some
			have = <-got
			if !callerpc.Known {
				want.line = 0
			}
			require.Equal(t, want, have, "%s from a goroutine", name)
		}
	})
}

// goForSomebody starts a task as a primitive of another package does.
//
//go:noinline
func goForSomebody(s *Scheduler, fn func()) { s.GoEndAt(fn, nil, callerpc.Get()) }

// TestStolenFrameKnowsItsJoin: the task in which a thief runs a function of Join is the joiner's child.
func TestStolenFrameKnowsItsJoin(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	var want, have origin
	run(t, s, func() {
		want.parent, _ = ID()
		stolen := make(chan struct{})
		Join(
			func() { Block(func() { <-stolen }) },
			func() { have = originHere(); close(stolen) }, // only a thief gets here
		)
		want.line = line() - 4
	})
	if !callerpc.Known {
		want.line = 0
	}
	require.Equal(t, want, have)
}

// yieldFor lets others run until one of them has said something. A single Yield may come straight back: every 61st
// look of a P goes to the global queue first, which is where Yield puts the caller.
func yieldFor(said chan string) string {
	for len(said) == 0 {
		Yield()
	}
	return <-said
}

// TestNameEndsWithTheTask: the next task with the same G has no name; nor has one that was dropped.
func TestNameEndsWithTheTask(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	run(t, s, func() {
		for range 100 {
			names := make(chan string, 1)
			GoWith(func() { names <- originHere().name }, TaskOptions{Name: "called Ishmael"})
			require.Equal(t, "called Ishmael", yieldFor(names))
			Go(func() { names <- originHere().name })
			require.Empty(t, yieldFor(names))
		}
	})
	closed := newTest(t, Config{Procs: 1, Tunables: unhelped})
	run(t, closed, func() {
		GoWith(func() {}, TaskOptions{Name: "dropped"})
		require.NoError(t, closed.Close())
	})
	until(t, "all have ended", func() bool { return waiting(closed) == 0 && allDead(closed) }, closed)
	for gp := range gsOf(closed.allgs) {
		require.Empty(t, gp.name)
	}
}

func allDead(s *Scheduler) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	for gp := range gsOf(s.allgs) {
		if gp.state.Load() != gDead {
			return false
		}
	}
	return s.nm == 0
}

func TestGoWithOfNothing(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	require.PanicsWithValue(t, "sched: Go of nil func", func() { s.GoWith(nil, TaskOptions{Name: "x"}) })
	require.PanicsWithValue(t, "sched: Go of nil func", func() { GoWith(nil, TaskOptions{}) })
	require.NoError(t, s.Close())
	require.PanicsWithValue(t, "sched: Go on closed Scheduler", func() { s.GoWith(func() {}, TaskOptions{}) })
}

// TestParentIsOfTheSameScheduler: ids of another scheduler would name the wrong task.
func TestParentIsOfTheSameScheduler(t *testing.T) {
	s, other := newTest(t, Config{Procs: 1, Tunables: unhelped}), newTest(t, Config{Procs: 1})
	run(t, s, func() {
		require.NoError(t, other.Run(func() { require.Zero(t, originHere().parent) }))
	})
}

func TestCreatedBy(t *testing.T) {
	require.Empty(t, createdBy(0, 0))
	require.Equal(t, "created in task 3\n", createdBy(0, 3))
	require.Equal(t, "created in task 3\n", createdBy(1, 3), "no program counter of ours")
	var pcs [1]uintptr
	runtime.Callers(1, pcs[:])
	here := line() - 1
	text := createdBy(pcs[0], 7)
	require.Regexp(t, `^created by github\.com/userrt/userrt/sched\.TestCreatedBy in task 7\n\t.*created_test\.go:\d+ \+0x[0-9a-f]+\n$`, text)
	require.Contains(t, text, ":"+strconv.Itoa(here)+" ")
	require.False(t, strings.Contains(createdBy(pcs[0], 0), "in task"))
}
