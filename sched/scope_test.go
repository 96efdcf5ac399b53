package sched

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// fromBoth calls f in a task, and on plain goroutines, where the Scope's tasks are Default's. (What has exited
// on an idle Default is buried when its threads end, so goroutines are not counted there.)
func fromBoth(t *testing.T, f func(t *testing.T)) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		s.cfg.PanicHandler = func(e *PanicError) { t.Errorf("PanicHandler is called with %v", e) }
		require.NoError(t, s.Run(func() { f(t) }))
	})
	for _, native := range []int{1, 2, 8} {
		func() {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(native))
			within(t, func() { f(t) }, Default())
		}()
	}
}

// untilDone is a task that ends with its context.
func untilDone(ctx context.Context) error {
	for ctx.Err() == nil {
		Yield()
	}
	return context.Cause(ctx)
}

func TestScopedWaitsForAll(t *testing.T) {
	fromBoth(t, func(t *testing.T) {
		var ran atomic.Int32
		var inner context.Context
		require.NoError(t, Scoped(context.Background(), func(sc *Scope) error {
			inner = sc.Context()
			for range 50 {
				sc.Go(func(ctx context.Context) error {
					require.Equal(t, inner, ctx)
					Yield()
					sc.Go(func(context.Context) error { Yield(); ran.Add(1); return nil }) // tasks may start others
					ran.Add(1)
					return nil
				})
			}
			require.NoError(t, inner.Err())
			return nil
		}))
		require.EqualValues(t, 100, ran.Load())
		require.ErrorIs(t, inner.Err(), context.Canceled, "the context ends with the Scope")
		require.NoError(t, Scoped(context.Background(), func(*Scope) error { return nil }), "without any task")
	})
}

// TestScopedFirstFailure: the first failure, whatever it is, ends the others and decides.
func TestScopedFirstFailure(t *testing.T) {
	later := errors.New("later")
	ways := map[string]struct {
		fail func(context.Context) error
		want error
	}{
		"error":  {func(context.Context) error { return errBoom }, errBoom},
		"exit":   {func(context.Context) error { Exit(); return nil }, ErrExited},
		"goexit": {func(context.Context) error { Yield(); runtime.Goexit(); return nil }, ErrExited},
		"wrapped": {func(context.Context) error { // an error that holds a panic is an error
			_, err := Spawn(func() (int, error) { panic(errBoom) }).Wait()
			return err
		}, errBoom},
	}
	fromBoth(t, func(t *testing.T) {
		for name, way := range ways {
			var ended atomic.Int32
			err := Scoped(context.Background(), func(sc *Scope) error {
				for range 3 {
					sc.Go(func(ctx context.Context) error {
						defer ended.Add(1)
						require.ErrorIs(t, untilDone(ctx), way.want, name)
						return later
					})
				}
				sc.Go(way.fail)
				_ = untilDone(sc.Context())
				return later
			})
			require.ErrorIs(t, err, way.want, name)
			require.EqualValues(t, 3, ended.Load(), name)
		}
		// fn's own error
		err := Scoped(context.Background(), func(sc *Scope) error {
			sc.Go(func(ctx context.Context) error { _ = untilDone(ctx); return later })
			return errBoom
		})
		require.Equal(t, errBoom, err)
	})
}

// TestScopedPanics: a panic, a task's or fn's own, comes out of Scoped when all have ended, through nested ones too.
func TestScopedPanics(t *testing.T) {
	panicking := func(context.Context) error { failDeepInside(errBoom); return nil }
	ways := map[string]func(sc *Scope) error{
		"task": func(sc *Scope) error { sc.Go(panicking); return nil },
		"fn":   func(sc *Scope) error { return panicking(sc.Context()) },
		"nested": func(sc *Scope) error {
			sc.Go(func(ctx context.Context) error {
				return Scoped(ctx, func(sc *Scope) error { sc.Go(panicking); return nil })
			})
			return nil
		},
		"Join": func(*Scope) error { Join(Yield, func() { failDeepInside(errBoom) }); return nil },
	}
	fromBoth(t, func(t *testing.T) {
		for name, way := range ways {
			var ended atomic.Int32
			e := panicOf(t, func() {
				_ = Scoped(context.Background(), func(sc *Scope) error {
					sc.Go(func(ctx context.Context) error { _ = untilDone(ctx); ended.Add(1); return errBoom })
					return way(sc)
				})
			})
			require.Equal(t, errBoom, e.Value, name)
			require.Contains(t, string(e.Stack), "failDeepInside", name)
			require.EqualValues(t, 1, ended.Load(), name)
		}
	})
}

// panicOf returns the *PanicError with which f panics.
func panicOf(t *testing.T, f func()) (e *PanicError) {
	defer func() {
		v := recover()
		var ok bool
		e, ok = v.(*PanicError)
		require.True(t, ok, "%v", v)
	}()
	f()
	return nil
}

// TestScopedGoexitOfFn goes on in the caller, after the tasks have ended.
func TestScopedGoexitOfFn(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		body := func(ended *atomic.Int32) func() {
			return func() {
				_ = Scoped(context.Background(), func(sc *Scope) error {
					sc.Go(func(ctx context.Context) error { _ = untilDone(ctx); ended.Add(1); return nil })
					Exit()
					return nil
				})
				t.Error("Scoped has returned")
			}
		}
		var inTask, inGoroutine atomic.Int32
		require.Equal(t, ErrExited, s.Run(body(&inTask)))
		require.EqualValues(t, 1, inTask.Load())
		done := make(chan struct{})
		go func() {
			defer close(done)
			body(&inGoroutine)()
		}()
		<-done
		require.EqualValues(t, 1, inGoroutine.Load())
	})
}

func TestScopedParentCancelled(t *testing.T) {
	fromBoth(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		err := Scoped(ctx, func(sc *Scope) error {
			for range 3 {
				sc.Go(untilDone)
			}
			Yield()
			cancel()
			return nil
		})
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, Scoped(ctx, func(sc *Scope) error { // nobody minds
			require.Error(t, sc.Context().Err())
			sc.Go(func(context.Context) error { return nil })
			return nil
		}))
	})
}

func TestScopeLimit(t *testing.T) {
	fromBoth(t, func(t *testing.T) {
		for _, limit := range []int{1, 3, -1} {
			var active, most, ran atomic.Int32
			require.NoError(t, Scoped(context.Background(), func(sc *Scope) error {
				sc.SetLimit(limit)
				for range 40 {
					sc.Go(func(context.Context) error {
						n := active.Add(1)
						for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
						}
						Yield()
						active.Add(-1)
						ran.Add(1)
						return nil
					})
				}
				return nil
			}))
			require.EqualValues(t, 40, ran.Load())
			if limit > 0 {
				require.LessOrEqual(t, most.Load(), int32(limit))
			}
		}
	})
}

func TestScopeTryGoAndSetLimit(t *testing.T) {
	fromBoth(t, func(t *testing.T) {
		require.NoError(t, Scoped(context.Background(), func(sc *Scope) error {
			var let atomic.Bool
			wait := func(context.Context) error {
				for !let.Load() {
					Yield()
				}
				return nil
			}
			sc.SetLimit(0)
			require.False(t, sc.TryGo(wait))
			sc.SetLimit(2)
			require.True(t, sc.TryGo(wait))
			require.True(t, sc.TryGo(wait))
			require.False(t, sc.TryGo(wait))
			require.PanicsWithValue(t, "sched: SetLimit while 2 tasks of the Scope are active", func() { sc.SetLimit(5) })
			let.Store(true)
			return nil
		}))
	})
}

func TestScopeMisuse(t *testing.T) {
	nop := func(context.Context) error { return nil }
	fromBoth(t, func(t *testing.T) {
		var old *Scope
		require.NoError(t, Scoped(context.Background(), func(sc *Scope) error {
			old = sc
			require.PanicsWithValue(t, "sched: Go of nil func", func() { sc.Go(nil) })
			require.PanicsWithValue(t, "sched: Go of nil func", func() { sc.TryGo(nil) })
			return nil
		}))
		require.PanicsWithValue(t, "sched: Go on a Scope that has ended", func() { old.Go(nop) })
		require.PanicsWithValue(t, "sched: Go on a Scope that has ended", func() { old.TryGo(nop) })
		require.PanicsWithValue(t, "sched: Scoped of nil func", func() { _ = Scoped(context.Background(), nil) })
	})
}

// TestScopeLimitOfZero keeps callers of Go until the Scope ends.
func TestScopeLimitOfZero(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const n = 3
		told := make(chan any, 2*n)
		late := func(sc *Scope) {
			defer func() { told <- recover() }()
			sc.Go(func(context.Context) error { t.Error("runs"); return nil })
		}
		require.NoError(t, s.Run(func() {
			require.NoError(t, Scoped(context.Background(), func(sc *Scope) error {
				sc.SetLimit(0)
				for range n {
					Go(func() { late(sc) })
					go late(sc)
				}
				for waiters := 0; waiters < 2*n; Yield() {
					sc.lock.Lock()
					waiters = len(sc.slots.more) + 1
					sc.lock.Unlock()
				}
				return nil
			}))
		}))
		for range 2 * n {
			require.Equal(t, "sched: Go on a Scope that has ended", <-told)
		}
	})
}

// TestScopeWhenTheSchedulerCloses: whoever is in Scoped is unwound with the tasks, which have ended before it goes on;
// whoever is blocked in Go leaves the queue.
func TestScopeWhenTheSchedulerCloses(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		for range 20 {
			var deferred, order journal[string]
			var sc *Scope
			with(t, procs, func(s *Scheduler) {
				s.Go(func() {
					defer order.add("owner")
					_ = Scoped(context.Background(), func(scope *Scope) error {
						sc = scope
						sc.SetLimit(2)
						for range 2 {
							sc.Go(func(ctx context.Context) error {
								defer order.add("task")
								defer Yield()
								defer deferred.add("task")
								parkForever()
								return nil
							})
						}
						sc.Go(func(context.Context) error { t.Error("runs"); return nil }) // blocks
						return nil
					})
					t.Error("Scoped has returned")
				})
				until(t, "all wait", func() bool { return waiting(s) == 3 }, s)
			})
			require.Equal(t, []string{"task", "task", "owner"}, order.all())
			require.Len(t, deferred.all(), 2)
			require.Equal(t, ErrClosed, context.Cause(sc.ctx))
			require.Nil(t, sc.slots.one)
			require.Empty(t, sc.slots.more)
		}
	}
}

// TestScopeOnClosed: the owner's task outlives Close for a while, and its new tasks don't run.
func TestScopeOnClosed(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	var err error
	run(t, s, func() {
		err = Scoped(context.Background(), func(sc *Scope) error {
			require.NoError(t, s.Close())
			sc.Go(func(context.Context) error { t.Error("runs"); return nil })
			return nil
		})
	})
	require.Equal(t, ErrClosed, err)
}

// TestStressScopes nests scopes, with failures at random places, while the collector runs.
func TestStressScopes(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var live atomic.Int32
		var tree func(ctx context.Context, depth, fail int) error
		tree = func(ctx context.Context, depth, fail int) error {
			live.Add(1)
			defer live.Add(-1)
			if depth == 0 {
				if fail == 0 {
					return errBoom
				}
				return ctx.Err()
			}
			return Scoped(ctx, func(sc *Scope) error {
				sc.SetLimit(3)
				for i := range 4 {
					sc.Go(func(ctx context.Context) error { return tree(ctx, depth-1, fail-i<<(2*depth-2)) })
				}
				return nil
			})
		}
		require.NoError(t, s.Run(func() {
			for i := range 10 {
				err := tree(context.Background(), 3, i*7)
				require.ErrorIs(t, err, errBoom)
				require.Zero(t, live.Load())
				require.NoError(t, tree(context.Background(), 3, -1))
				runtime.GC()
			}
		}))
	})
}
