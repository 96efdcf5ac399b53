package sched

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Functions of Join, Both and For that panic or exit.

// howToJoin calls Join, Both or For with three functions, of which the one at index bad runs end, under
// circumstances that decide who runs what.
var howToJoin = map[string]func(bad int, end func(), ran *[3]atomic.Int32){
	"as it comes": func(bad int, end func(), ran *[3]atomic.Int32) {
		join3(bad, end, ran, func() {})
	},
	"with yields": func(bad int, end func(), ran *[3]atomic.Int32) {
		join3(bad, end, ran, Yield)
	},
	"nested": func(bad int, end func(), ran *[3]atomic.Int32) {
		Join(func() { Join(func() { join3(bad, end, ran, func() {}) }, Yield) }, Yield)
	},
	"all stolen": func(bad int, end func(), ran *[3]atomic.Int32) {
		join3(bad, end, ran, meeting())
	},
	"Both":             func(bad int, end func(), ran *[3]atomic.Int32) { both3(bad, end, ran, func() {}) },
	"Both with yields": func(bad int, end func(), ran *[3]atomic.Int32) { both3(bad, end, ran, Yield) },
	"Both all stolen":  func(bad int, end func(), ran *[3]atomic.Int32) { both3(bad, end, ran, meeting()) },
	"For":              func(bad int, end func(), ran *[3]atomic.Int32) { for3(bad, end, ran, func() {}) },
	"For with yields":  func(bad int, end func(), ran *[3]atomic.Int32) { for3(bad, end, ran, Yield) },
	"For all stolen":   func(bad int, end func(), ran *[3]atomic.Int32) { for3(bad, end, ran, meeting()) },
}

// meeting returns a function that returns when three have called it, and keeps its P until then.
func meeting() func() {
	var in atomic.Int32
	return func() {
		in.Add(1)
		for in.Load() < 3 {
		}
	}
}

// three makes the three functions.
func three(bad int, end func(), ran *[3]atomic.Int32, before func()) (fns [3]func()) {
	for i := range fns {
		fns[i] = func() {
			before()
			ran[i].Add(1)
			if i == bad {
				end()
			}
		}
	}
	return fns
}

func join3(bad int, end func(), ran *[3]atomic.Int32, before func()) {
	fns := three(bad, end, ran, before)
	Join(fns[:]...)
}

func both3(bad int, end func(), ran *[3]atomic.Int32, before func()) {
	fns := three(bad, end, ran, before)
	call := func(i int) string { fns[i](); return "" }
	Both(func(inner bool) int {
		if inner {
			Both(call, 0, 1)
		} else {
			call(2)
		}
		return 0
	}, true, false)
}

func for3(bad int, end func(), ran *[3]atomic.Int32, before func()) {
	fns := three(bad, end, ran, before)
	For(3, 1, func(lo, hi int) {
		if hi != lo+1 {
			panic("a piece of more than one")
		}
		fns[lo]()
	})
}

// joinEnds calls f for each way to Join and each of three functions that may fail.
func joinEnds(t *testing.T, f func(t *testing.T, s *Scheduler, join func(end func(), ran *[3]atomic.Int32))) {
	for _, procs := range []int{1, 4} {
		for name, how := range howToJoin {
			if procs == 1 && strings.HasSuffix(name, "all stolen") {
				continue
			}
			for bad := range 3 {
				t.Run(fmt.Sprintf("%s/%d/%d", name, procs, bad), func(t *testing.T) {
					f(t, newTest(t, Config{Procs: procs}), func(end func(), ran *[3]atomic.Int32) { how(bad, end, ran) })
				})
			}
		}
	}
}

func requireAllRan(t *testing.T, ran *[3]atomic.Int32) {
	t.Helper()
	for i := range ran {
		require.EqualValues(t, 1, ran[i].Load(), "function %d", i)
	}
}

func TestJoinRaisesThePanic(t *testing.T) {
	joinEnds(t, func(t *testing.T, s *Scheduler, join func(func(), *[3]atomic.Int32)) {
		for range 5 {
			var ran [3]atomic.Int32
			var got any
			var id uint64
			run(t, s, func() {
				defer func() { got = recover() }()
				join(func() {
					id, _ = ID()
					failDeepInside("boom")
				}, &ran)
			})
			pe, ok := got.(*PanicError)
			require.True(t, ok, "%T", got)
			require.Equal(t, "boom", pe.Value)
			require.Equal(t, id, pe.TaskID)
			require.Contains(t, string(pe.Stack), "failDeepInside")
			requireAllRan(t, &ran)
		}
	})
}

func TestJoinGoesOnWithGoexit(t *testing.T) {
	joinEnds(t, func(t *testing.T, s *Scheduler, join func(func(), *[3]atomic.Int32)) {
		for range 5 {
			var ran [3]atomic.Int32
			var deferred, after bool
			within(t, func() {
				require.ErrorIs(t, s.Run(func() {
					defer func() { deferred = recover() == nil }()
					join(Exit, &ran)
					after = true
				}), ErrExited)
			}, s)
			require.True(t, deferred)
			require.False(t, after)
			requireAllRan(t, &ran)
		}
	})
}

func TestJoinPrefersThePanicToGoexit(t *testing.T) {
	for _, procs := range []int{1, 2} {
		s := newTest(t, Config{Procs: procs, PanicHandler: func(*PanicError) {}})
		boom := func() { panic("boom") }
		for _, fns := range [][]func(){{boom, Exit}, {Exit, boom}, {Exit, Exit, boom}, {func() {}, Exit, boom}, {func() {}, boom, Exit}} {
			var err error
			within(t, func() { err = s.Run(func() { Join(fns...) }) }, s)
			var pe *PanicError
			require.ErrorAs(t, err, &pe)
			require.Equal(t, "boom", pe.Value)
			run(t, s, func() {}) // and the worker lives
		}
	}
}

func TestJoinRaisesTheFirstOfSeveralPanics(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	var got any
	run(t, s, func() {
		defer func() { got = recover() }()
		Join(func() { panic(0) }, func() { panic(1) }, func() { panic(2) })
	})
	pe, ok := got.(*PanicError)
	require.True(t, ok)
	require.Equal(t, 0, pe.Value)
}

func TestJoinOnAPlainGoroutine(t *testing.T) {
	for bad := range 4 {
		for name, end := range map[string]func(){"panic": func() { failDeepInside("boom") }, "exit": Exit} {
			t.Run(fmt.Sprintf("%s/%d", name, bad), func(t *testing.T) {
				var ran [3]atomic.Int32
				var got any
				returned := false
				within(t, func() {
					defer func() { got = recover() }()
					join3(bad, end, &ran, Yield)
					returned = true
				}, Default())
				requireAllRan(t, &ran)
				require.Equal(t, bad == 3, returned)
				pe, ok := got.(*PanicError)
				require.Equal(t, bad < 3 && name == "panic", ok)
				if ok {
					require.Equal(t, "boom", pe.Value)
					require.Equal(t, bad == 0, pe.TaskID == 0, "only the first runs on the goroutine")
				}
			})
		}
	}
}

// TestJoinWhenADeferredCallPanicsDuringGoexit: recovering that panic does not call the Goexit off, so
// Join must see to its other functions within the unwinding.
func TestJoinWhenADeferredCallPanicsDuringGoexit(t *testing.T) {
	joinEnds(t, func(t *testing.T, s *Scheduler, join func(func(), *[3]atomic.Int32)) {
		s.cfg.PanicHandler = func(*PanicError) {}
		for range 5 {
			var ran [3]atomic.Int32
			var err error
			within(t, func() {
				err = s.Run(func() {
					join(func() {
						defer func() { panic("boom") }()
						Exit()
					}, &ran)
				})
			}, s)
			var pe *PanicError
			require.ErrorAs(t, err, &pe)
			require.Equal(t, "boom", pe.Value)
			requireAllRan(t, &ran)
			run(t, s, Yield)
		}
	})
}
