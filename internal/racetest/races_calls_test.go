//go:build race

package racetest

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/sched"
)

// racesInCalls are races of code of the user's that userrt calls, and of code that looks ordered by what such a call
// touches, if that counts as userrt's own.
var racesInCalls = []scenario{
	{name: "the Enders of two tasks", run: func(e *env) {
		x := 0
		var wg sync.WaitGroup
		wg.Add(2)
		for range 2 {
			e.s.GoEnd(func() {}, enderFunc(func(sched.End) { x++; wg.Done() }))
		}
		wg.Wait()
	}},
	{name: "the Enders of two tasks that exit", run: func(e *env) {
		x := 0
		var wg sync.WaitGroup
		wg.Add(2)
		for range 2 {
			e.s.GoEnd(sched.Exit, enderFunc(func(sched.End) { x++; wg.Done() }))
		}
		wg.Wait()
	}},
	{name: "the Enders of two tasks that never start", proc: []int{1}, reps: 20, run: func(e *env) {
		x, s := 0, newScheduler(e.procs)
		must(s.Run(func() {
			for range 2 {
				s.GoEnd(func() {}, enderFunc(func(sched.End) { x++ }))
			}
			must(s.Close())
		}))
		_ = s.Shutdown(context.Background())
	}},
	{name: "an Ender tells of its own task only", reps: 50, run: func(e *env) {
		x := 0
		others, ended := make(chan struct{}), make(chan struct{})
		e.s.Go(func() { x = 1; close(others) })
		e.s.GoEnd(func() { sched.Sleep(20 * time.Microsecond) }, enderFunc(func(sched.End) { close(ended) }))
		<-ended
		use(x)
		<-others
	}},
	{name: "an Ender that begins with an atomic", reps: 50, run: func(e *env) {
		x := 0
		end := &atomicEnder{ended: make(chan struct{})}
		e.s.GoEnd(func() { x = 1 }, end)
		e.task(func() {
			sched.Sleep(20 * time.Microsecond)
			end.n.Load()
			use(x)
		})
		<-end.ended
	}},
	{name: "the PanicHandler of two tasks", reps: 50, run: func(e *env) {
		x := 0
		s, err := sched.New(sched.Config{Procs: e.procs, PanicHandler: func(*sched.PanicError) { x++ }})
		must(err)
		for range 2 {
			s.Go(func() { panic("x") })
		}
		must(s.Shutdown(context.Background()))
	}},
	{name: "Poll and Waiting", reps: 20, run: func(e *env) {
		asked := 0
		p := &userPoller{waiting: func() { asked++ }, poll: func() { asked++ }}
		s := p.scheduler(e.procs)
		for range 5 {
			must(s.Run(p.wait))
		}
		must(s.Shutdown(context.Background()))
	}},
	{name: "Poll, and a task that it has not woken", reps: 20, run: func(e *env) {
		x := 0
		p := &userPoller{poll: func() { x++ }}
		s := p.scheduler(e.procs)
		s.Go(p.wait)
		must(s.Run(func() { sched.Sleep(20 * time.Microsecond); use(x) }))
		must(s.Shutdown(context.Background()))
	}},
	{name: "a Poller tells of nothing", reps: 20, run: func(e *env) {
		x := 0
		var flag atomic.Int32
		p := &userPoller{waiting: func() { flag.Store(1) }, poll: func() { flag.Store(1) }}
		s := p.scheduler(e.procs)
		var wg sync.WaitGroup
		wg.Add(2)
		s.Go(func() { defer wg.Done(); x = 1; sched.Yield() })
		s.Go(func() { defer wg.Done(); p.wait(); sched.Sleep(20 * time.Microsecond); flag.Load(); use(x) })
		wg.Wait()
		must(s.Shutdown(context.Background()))
	}},
	{name: "a Context of two Shutdowns", reps: 20, run: func(e *env) {
		asked, s := 0, newScheduler(1)
		ctx := &countingContext{Context: context.Background(), n: &asked}
		s.Go(func() { sched.Sleep(time.Millisecond) })
		f := func() { must(s.Shutdown(ctx)) }
		e.tasks(f, f)
	}},
	{name: "a Context of two Scopes", run: func(e *env) {
		asked := 0
		ctx := &countingContext{Context: context.Background(), n: &asked}
		f := func() { must(sched.Scoped(ctx, func(*sched.Scope) error { return nil })) }
		e.tasks(f, f)
	}},
	{name: "the cancelling of a Scope tells of what has failed only", reps: 50, run: func(e *env) {
		x := 0
		e.task(func() {
			is(sched.Scoped(context.Background(), func(sc *sched.Scope) error {
				sc.Go(func(ctx context.Context) error {
					sched.Block(func() { <-ctx.Done() })
					use(x)
					return nil
				})
				sc.Go(func(context.Context) error { sched.Sleep(100 * time.Microsecond); return io.EOF })
				sc.Go(func(context.Context) error { x = 1; return nil })
				return nil
			}), io.EOF)
		})
	}},
	{name: "a Writer of two dumps", reps: 20, run: func(e *env) {
		for _, dump := range []func(io.Writer) error{e.s.Dump, e.s.DumpJSON, e.s.SchedTrace, sched.DumpAll} {
			w := &countingWriter{}
			f := func() { must(dump(w)) }
			e.tasks(f, f)
		}
	}},
	{name: "a dump tells of nothing", reps: 20, run: func(e *env) {
		for _, dump := range []func(io.Writer) error{e.s.Dump, e.s.DumpJSON, e.s.SchedTrace, sched.DumpAll} {
			x := 0
			e.tasks(func() { x = 1 }, func() { must(dump(io.Discard)); use(x) })
		}
	}},
}

type enderFunc func(sched.End)

func (f enderFunc) TaskEnded(end sched.End) { f(end) }

// atomicEnder has an atomic variable at its address, which it does not touch.
type atomicEnder struct {
	n     atomic.Int32
	ended chan struct{}
}

func (e *atomicEnder) TaskEnded(sched.End) { close(e.ended) }

// countingWriter counts what is written to it.
type countingWriter struct{ n int }

func (w *countingWriter) Write(b []byte) (int, error) {
	w.n += len(b)
	return len(b), nil
}

// countingContext counts how often it is asked.
type countingContext struct {
	context.Context
	n *int
}

func (c *countingContext) Done() <-chan struct{} {
	*c.n++
	return c.Context.Done()
}
