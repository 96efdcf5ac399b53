package sched

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
)

// shutdown is s.Shutdown within the limit.
func shutdown(t *testing.T, s *Scheduler, ctx context.Context) (err error) {
	t.Helper()
	within(t, func() { err = s.Shutdown(ctx) }, s)
	return err
}

// canceled is a context that has ended.
func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// draining waits until a Shutdown of s has begun.
func draining(t *testing.T, s *Scheduler) {
	t.Helper()
	until(t, "Shutdown has begun", func() bool {
		s.lock.Lock()
		defer s.lock.Unlock()
		return s.draining.Load()
	}, s)
}

func TestShutdownOfAnUnusedScheduler(t *testing.T) {
	for _, ctx := range []context.Context{context.Background(), canceled()} {
		s := newTest(t, Config{Procs: 4})
		require.NoError(t, shutdown(t, s, ctx))
		require.NoError(t, shutdown(t, s, ctx), "twice")
		require.NoError(t, s.Close())
		require.Zero(t, s.workersUp.Load())
		require.PanicsWithValue(t, "sched: Go on closed Scheduler", func() { s.Go(func() {}) })
		require.ErrorIs(t, s.Run(func() {}), ErrClosed)
	}
}

func TestShutdownWantsAContext(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	require.PanicsWithValue(t, "sched: Shutdown with nil Context", func() {
		var none context.Context
		_ = s.Shutdown(none)
	})
	run(t, s, func() {})
}

// TestShutdownAfterTheLastTask: even with a context that has ended, nothing has been cut short.
func TestShutdownAfterTheLastTask(t *testing.T) {
	for range 100 {
		s := newTest(t, Config{Procs: 2})
		run(t, s, func() { Join(Yield, Yield) })
		require.NoError(t, shutdown(t, s, canceled()))
	}
}

// TestShutdownWaits for tasks that start others, by Go, by Run and from within Block, and wait for each other.
// For everybody else the scheduler has closed.
func TestShutdownWaits(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var goes door
		var ended atomic.Int32
		count := func() { ended.Add(1) }
		s.Go(func() {
			goes.wait()
			Go(count)
			s.Go(count)
			if err := s.Run(count); err != nil {
				t.Error(err)
			}
			Block(func() { Go(count) })
			for range 10 {
				var g door
				Go(func() {
					count()
					g.signal()
				})
				g.wait()
			}
			setProcsBack(s)
		})
		done := make(chan error)
		go func() { done <- s.Shutdown(context.Background()) }()
		draining(t, s)
		require.PanicsWithValue(t, "sched: Go on closed Scheduler", func() { s.Go(func() { t.Error("has run") }) })
		require.ErrorIs(t, s.Run(func() { t.Error("has run") }), ErrClosed)
		with(t, 1, func(other *Scheduler) {
			run(t, other, func() {
				require.PanicsWithValue(t, "sched: Go on closed Scheduler", func() { s.Go(func() { t.Error("has run") }) })
			})
		})
		goes.signal()
		require.NoError(t, <-done)
		require.EqualValues(t, 14, ended.Load())
		require.Zero(t, s.workersUp.Load())
	})
}

// setProcsBack changes the number of Ps and changes it back.
func setProcsBack(s *Scheduler) {
	old := s.SetProcs(3)
	Yield()
	s.SetProcs(old)
}

// TestShutdownUnwindsAtItsContextsEnd has deferred calls that park, start tasks, panic, exit.
func TestShutdownUnwindsAtItsContextsEnd(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var order journal[string]
		var panicked any
		var g door
		tasks := []func(){
			func() { defer order.add("yielded"); defer Yield(); parkForever() },
			func() { defer order.add("parked"); defer g.wait(); parkForever() },
			func() { defer g.signal(); parkForever() },
			func() { defer order.add("exited"); defer Exit(); parkForever() },
			func() {
				defer func() { panicked = recover() }()
				defer Go(func() { t.Error("has run") })
				parkForever()
			},
			func() {
				defer order.add("recovered")
				defer func() { _ = recover() }()
				defer panic("in a deferred call")
				parkForever()
			},
		}
		for _, f := range tasks {
			s.Go(f)
		}
		until(t, "all wait", func() bool { return waiting(s) == len(tasks) }, s)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- s.Shutdown(ctx) }()
		draining(t, s)
		require.Equal(t, len(tasks), waiting(s), "they are left alone until then")
		cancel()
		err := <-done
		require.ErrorIs(t, err, context.Canceled)
		var cut *CloseError
		require.ErrorAs(t, err, &cut)
		require.Equal(t, CloseError{Op: "Shutdown", Cut: len(tasks), Err: context.Canceled}, *cut)
		require.Equal(t, "sched: Go on closed Scheduler", panicked)
		require.ElementsMatch(t, []string{"yielded", "parked", "exited", "recovered"}, order.all())
	})
}

// TestShutdownNamesWhatRunsOn: a bare loop, a native block and Block.
func TestShutdownNamesWhatRunsOn(t *testing.T) {
	s := newTest(t, Config{Procs: 4})
	var stop atomic.Bool
	c := make(chan int)
	var ids journal[uint64]
	var ended atomic.Int32
	for _, f := range []func(){
		func() {
			for !stop.Load() { // no call
			}
		},
		func() { <-c },
		func() { Block(func() { <-c }) },
	} {
		s.Go(func() {
			defer ended.Add(1)
			id, _ := ID()
			ids.add(id)
			f()
			Yield()
			t.Error("goes on")
		})
	}
	s.Go(parkForever)
	until(t, "they run", func() bool { return len(ids.all()) == 3 && waiting(s) == 1 }, s)
	check := func(err error, cuts int) {
		var cut *CloseError
		require.ErrorAs(t, err, &cut)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, cuts, cut.Cut)
		var named []uint64
		for _, ref := range cut.Tasks {
			named = append(named, ref.ID)
		}
		require.ElementsMatch(t, ids.all(), named)
	}
	check(shutdown(t, s, canceled()), 1)
	check(shutdown(t, s, canceled()), 0) // of a second one they are all that it can see
	done := make(chan error)
	go func() { done <- s.Shutdown(context.Background()) }() // a patient one
	stop.Store(true)
	close(c)
	within(t, func() { require.NoError(t, <-done) }, s)
	require.EqualValues(t, 3, ended.Load())
	require.Zero(t, s.workersUp.Load())
}

// TestShutdownFromATask: one of its own is not made to wait for itself; one of another scheduler parks.
func TestShutdownFromATask(t *testing.T) {
	for _, block := range []bool{false, true} {
		s := newTest(t, Config{Procs: 2})
		var first, second error
		run(t, s, func() {
			call := func() { first, second = s.Shutdown(context.Background()), s.Shutdown(canceled()) }
			if block {
				Block(call)
			} else {
				call()
			}
		})
		require.NoError(t, first)
		require.NoError(t, second)
		until(t, "it ends", func() bool { return s.workersUp.Load() == 0 }, s)
	}
	for _, ctx := range []context.Context{context.Background(), canceled()} {
		s, other := newTest(t, Config{Procs: 2}), newTest(t, Config{Procs: 1})
		var g door
		s.Go(g.wait)
		until(t, "it waits", func() bool { return waiting(s) == 1 }, s)
		run(t, other, func() {
			Go(func() { // runs only if Shutdown parks its task
				draining(t, s)
				if ctx.Err() == nil {
					g.signal()
				}
			})
			require.ErrorIs(t, s.Shutdown(ctx), ctx.Err())
		})
	}
}

// TestShutdownFromATaskThatIsUnwound: its own scheduler closes while it waits for the other.
func TestShutdownFromATaskThatIsUnwound(t *testing.T) {
	s, other := newTest(t, Config{Procs: 1}), newTest(t, Config{Procs: 1})
	var g door
	s.Go(g.wait)
	ctx, cancel := context.WithCancel(context.Background())
	other.Go(func() { _ = s.Shutdown(ctx) })
	draining(t, s)
	within(t, func() { require.NoError(t, other.Close()) }, other)
	cancel() // still counts
	until(t, "it ends", func() bool { return s.workersUp.Load() == 0 }, s)
}

// TestShutdownsTogether: the context that ends first counts for all, and Close for every Shutdown.
func TestShutdownsTogether(t *testing.T) {
	for _, end := range []string{"context", "close", "tasks"} {
		t.Run(end, func(t *testing.T) {
			s := newTest(t, Config{Procs: 2})
			var g door
			s.Go(g.wait)
			until(t, "it waits", func() bool { return waiting(s) == 1 }, s)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			done := make(chan error)
			for i := range 4 {
				c := context.Background()
				if i == 2 {
					c = ctx
				}
				go func() { done <- s.Shutdown(c) }()
			}
			until(t, "all wait", func() bool {
				s.lock.Lock()
				defer s.lock.Unlock()
				return len(s.waits) == 4
			}, s)
			var want error
			switch end {
			case "context":
				cancel()
				want = context.Canceled
			case "close":
				within(t, func() { require.NoError(t, s.Close()) }, s)
				want = ErrClosed
			case "tasks":
				g.signal()
			}
			within(t, func() {
				for range 4 {
					require.ErrorIs(t, <-done, want)
				}
			}, s)
			require.NoError(t, shutdown(t, s, context.Background()))
		})
	}
}

// TestShutdownStopsToWatchItsContext before it returns: nobody calls the context's methods any more.
func TestShutdownStopsToWatchItsContext(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	var g door
	s.Go(g.wait)
	ctx := &watched{Context: context.Background(), done: make(chan struct{})}
	var w atomic.Pointer[endWait]
	var told atomic.Bool
	ctx.stopping = func() {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}
		told.Store(w.Load().done.Load() != 0)
	}
	done := make(chan error)
	go func() { done <- s.Shutdown(ctx) }()
	until(t, "it watches", func() bool {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}
		s.lock.Lock()
		defer s.lock.Unlock()
		if len(s.watches) == 1 {
			w.Store(s.watches[0])
		}
		return w.Load() != nil
	}, s)
	g.signal()
	within(t, func() { require.NoError(t, <-done) }, s)
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	require.Nil(t, s.watches)
	require.EqualValues(t, 0, ctx.watches.Load())
	require.False(t, told.Load(), "the caller went on first")
}

// watched is a context that counts who watches it by AfterFunc, and says when one stops.
type watched struct {
	context.Context
	done     chan struct{}
	watches  atomic.Int32
	stopping func()
}

func (w *watched) Done() <-chan struct{} { return w.done }

func (w *watched) AfterFunc(func()) (stop func() bool) {
	w.watches.Add(1)
	var once sync.Once
	return func() bool {
		once.Do(func() { w.stopping(); w.watches.Add(-1) })
		return true
	}
}

// TestStressShutdown ends the context in the middle of thousands of parks, readies and spawns, or lets the
// tasks finish first; Close and SetProcs come in between.
func TestStressShutdown(t *testing.T) {
	before := plainGoroutines()
	for round := range 60 {
		r := rand.New(rand.NewPCG(uint64(round), 2))
		s, err := New(Config{Procs: []int{1, 2, 8}[round%3], PanicHandler: func(*PanicError) {}})
		require.NoError(t, err)
		var begun, ended atomic.Int64
		for i := range 100 {
			kind := (i + round) % 5
			s.Go(func() { closeVictim(s, kind, &begun, &ended) })
		}
		for n := int64(r.IntN(1000)); begun.Load() < n; {
			runtime.Gosched()
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.IntN(2_000_000)))
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { _ = s.Shutdown(ctx) })
		}
		if round%2 == 0 {
			wg.Go(func() { s.SetProcs(1 + r.IntN(4)) })
		}
		if round%5 == 0 {
			wg.Go(func() { _ = s.Close() })
		}
		within(t, wg.Wait, s)
		require.Zero(t, s.workersUp.Load())
		require.Equal(t, begun.Load(), ended.Load())
		cancel()
	}
	goroutinesBack(t, before)
}
