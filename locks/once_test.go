// Once and its functions. The ideas of sync/once_test.go and sync/oncefunc_test.go are in it.

package locks

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestStressOnce: whoever returns from Do finds it done, also while it takes long.
func TestStressOnce(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for range 10 {
			var once Once
			var wrong atomic.Int32
			n := 0
			for range 10 {
				cs.Go(func() {
					once.Do(func() {
						sched.Yield()
						n++
					})
					if n != 1 {
						wrong.Add(1)
					}
				})
			}
			cs.Wait()
			require.Zero(t, wrong.Load())
			require.Equal(t, 1, n)
		}
	})
}

// TestOnceThatDoesNotReturn counts as done: after a panic, a Goexit, and when the task is unwound.
func TestOnceThatDoesNotReturn(t *testing.T) {
	again := func(once *Once) { once.Do(func() { panic("twice") }) }
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var once, exits Once
		cs.Do(func() { require.Equal(t, "failed", testsched.PanicOf(func() { once.Do(func() { panic("failed") }) })) })
		cs.Do(func() { again(&once) })
		cs.Do(func() { exits.Do(runtime.Goexit) })
		cs.Do(func() { again(&exits) })
	})
	closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
		var once Once
		var m Mutex
		m.Lock()
		s.Go(func() { once.Do(m.Lock) })
		m.untilQueued(t, 1)
		require.NoError(t, s.Close())
		again(&once)
	})
}

// onceKinds are the three functions, each as one that takes what to do and returns what to call.
var onceKinds = map[string]struct{ ours, native func(f func()) func() }{
	"OnceFunc": {OnceFunc, sync.OnceFunc},
	"OnceValue": {
		func(f func()) func() {
			g := OnceValue(func() int { f(); return 1 })
			return func() { wantInts(g(), 1) }
		},
		func(f func()) func() {
			g := sync.OnceValue(func() int { f(); return 1 })
			return func() { wantInts(g(), 1) }
		},
	},
	"OnceValues": {
		func(f func()) func() {
			g := OnceValues(func() (int, int) { f(); return 1, 2 })
			return func() { a, b := g(); wantInts(a, 1); wantInts(b, 2) }
		},
		func(f func()) func() {
			g := sync.OnceValues(func() (int, int) { f(); return 1, 2 })
			return func() { a, b := g(); wantInts(a, 1); wantInts(b, 2) }
		},
	},
}

func wantInts(got, want int) {
	if got != want {
		panic("wrong value")
	}
}

// TestStressOnceFunctions: many callers at once, one call.
func TestStressOnceFunctions(t *testing.T) {
	for _, kind := range onceKinds {
		testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
			calls := 0
			f := kind.ours(func() { calls++; sched.Yield() })
			for range 6 {
				cs.Go(f)
			}
			cs.Wait()
			require.Equal(t, 1, calls)
		})
	}
}

// TestOnceFunctionsPanicEachTime with the same value, as sync's do; nil and a Goexit too.
func TestOnceFunctionsPanicEachTime(t *testing.T) {
	values := map[string]func(){
		"text":   func() { panic("x") },
		"nil":    func() { panic(nil) },
		"Goexit": runtime.Goexit,
	}
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		outcome := func(f func()) (list []any) {
			for range 3 {
				how := any("exited")
				cs.Do(func() {
					defer func() {
						if v := recover(); v != nil {
							how = v
						}
					}()
					f()
					how = "returned"
				})
				list = append(list, how)
			}
			return list
		}
		for name, kind := range onceKinds {
			for what, fail := range values {
				calls := 0
				counted := func() { calls++; fail() }
				want := outcome(kind.native(counted))
				got := outcome(kind.ours(counted))
				require.Equal(t, want, got, "%s %s", name, what)
				require.Equal(t, 2, calls, "once each")
			}
		}
	})
}

// TestOnceFunctionsUnwound: a task that is unwound in the function just ends, and so do those of its Scheduler that wait for it or
// call it in their deferred calls. All others are told, each time: there is nothing to return.
func TestOnceFunctionsUnwound(t *testing.T) {
	for name, kind := range onceKinds {
		closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
			var m Mutex
			m.Lock()
			f := kind.ours(m.Lock)
			var begun, deferred, returned atomic.Int32
			calls := func() {
				defer deferred.Add(1)
				defer f()
				begun.Add(1)
				f()
				returned.Add(1)
			}
			s.Go(calls)
			m.untilQueued(t, 1)
			for range 3 {
				s.Go(calls)
			}
			told := make(chan any, 1)
			go func() { told <- testsched.PanicOf(f) }()
			testsched.Until(t, func() bool { return begun.Load() == 4 }, "all have begun")
			require.NoError(t, s.Close())
			require.EqualValues(t, 4, deferred.Load(), name)
			require.Zero(t, returned.Load(), name)
			first := <-told
			require.ErrorIs(t, first.(error), sched.ErrClosed, name)
			require.Equal(t, first, testsched.PanicOf(f), "each time")
			m.Unlock()
		})
	}
}

// TestOncePanicWhileUnwound: what the function panics with in a deferred call of a task that is unwound is a panic as any other.
func TestOncePanicWhileUnwound(t *testing.T) {
	for name, kind := range onceKinds {
		closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
			var m Mutex
			m.Lock()
			f := kind.ours(func() { panic("failed") })
			var got any
			s.Go(func() {
				defer func() { got = testsched.PanicOf(f) }()
				m.Lock()
			})
			m.untilQueued(t, 1)
			require.NoError(t, s.Close())
			require.Equal(t, "failed", got, name)
			require.Equal(t, "failed", testsched.PanicOf(f), name)
		})
	}
}

// TestOncePanicShowsWhere: on the first call the stack goes down to the panic.
func TestOncePanicShowsWhere(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.Do(func() {
			for _, kind := range onceKinds {
				f := kind.ours(whereItPanics)
				func() {
					defer func() {
						require.Equal(t, "here", recover())
						require.Contains(t, string(debug.Stack()), "locks.whereItPanics")
					}()
					f()
				}()
			}
		})
	})
}

func whereItPanics() { panic("here") }

// TestOnceFunctionsLetGo of what they were given, after the first call.
func TestOnceFunctionsLetGo(t *testing.T) {
	s := testsched.New(t, 1)
	defer testsched.Close(t, s)
	for name, kind := range onceKinds {
		for _, fails := range []bool{false, true} {
			buf := make([]byte, 1024)
			var gone atomic.Bool
			runtime.AddCleanup(&buf[0], func(g *atomic.Bool) { g.Store(true) }, &gone)
			f := onceWith(kind.ours, buf, fails)
			buf = nil
			runtime.GC()
			require.False(t, gone.Load(), name)
			call := func() { _ = testsched.PanicOf(f) }
			require.NoError(t, s.Run(call))
			testsched.Until(t, func() bool { runtime.GC(); return gone.Load() }, "collected")
			require.NoError(t, s.Run(call))
			call()
		}
	}
}

//go:noinline
func onceWith(kind func(func()) func(), buf []byte, fails bool) func() {
	return kind(func() {
		buf[0] = 1
		if fails {
			panic("fails")
		}
	})
}

func TestOnceAllocates(t *testing.T) {
	if hb.On {
		t.Skip("telling the race detector of a call allocates")
	}
	f := func() {}
	g := OnceFunc(f)
	require.Zero(t, testing.AllocsPerRun(10, g))
	require.LessOrEqual(t, testing.AllocsPerRun(10, func() { g = OnceFunc(f) }), 2.0)
	v := OnceValue(func() int { return 1 })
	require.Zero(t, testing.AllocsPerRun(10, func() { v() }))
	vs := OnceValues(func() (int, int) { return 1, 2 })
	require.Zero(t, testing.AllocsPerRun(10, func() { vs() }))
	var once Once
	require.Zero(t, testing.AllocsPerRun(10, func() { once.Do(f) }))
}
