//go:build race

package racetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

// orderedCalls has a program for each edge to and from code of the user's that userrt calls.
var orderedCalls = []scenario{
	{name: "end to Ender", run: func(e *env) {
		for _, end := range []func(){func() {}, sched.Exit} {
			x, ended := 0, make(chan struct{})
			e.s.GoEnd(func() { x++; sched.Yield(); x++; end() }, enderFunc(func(sched.End) { x++; close(ended) }))
			<-ended
			x++
		}
	}},
	{name: "Ender to Shutdown", reps: 50, run: func(e *env) {
		x, s := 0, newScheduler(e.procs)
		s.GoEnd(func() { x++ }, enderFunc(func(sched.End) { x++ }))
		must(s.Shutdown(context.Background()))
		x++
	}},
	{name: "GoEnd to the Ender of a task that never starts to Shutdown", reps: 50, run: func(e *env) {
		x, s := 0, newScheduler(e.procs)
		must(s.Run(func() {
			x++
			s.GoEnd(func() { x++ }, enderFunc(func(sched.End) { x++ }))
			must(s.Close())
		}))
		_ = s.Shutdown(context.Background())
		x++
	}},
	{name: "panic to PanicHandler to Ender", reps: 50, run: func(e *env) {
		x := 1
		s, err := sched.New(sched.Config{Procs: e.procs, PanicHandler: func(p *sched.PanicError) {
			x++
			*p.Value.(*int)++
		}})
		must(err)
		s.GoEnd(func() { x++; panic(&x) }, enderFunc(func(end sched.End) { *end.Panic.Value.(*int)++ }))
		must(s.Shutdown(context.Background()))
		x++
	}},
	{name: "WaitGroup.Go of tasks that never start", reps: 50, run: func(e *env) {
		x, s := 0, newScheduler(e.procs)
		var wg waitgroup.WaitGroup
		must(s.Run(func() {
			x++
			for range 3 {
				wg.Go(func() {})
			}
			must(s.Close())
		}))
		wg.Wait()
		x++
		_ = s.Shutdown(context.Background())
	}},
	{name: "open to all calls of a Poller, Poll to Poll, to Close, to Shutdown", reps: 20, run: func(e *env) {
		opened, polled := 0, 0
		p := &userPoller{
			open:    func() { opened++; polled++ },
			waiting: func() { use(opened) },
			poll:    func() { use(opened); polled++ },
			closed:  func() { polled++ },
		}
		s := p.scheduler(e.procs)
		for range 5 {
			must(s.Run(p.wait))
		}
		must(s.Shutdown(context.Background()))
		polled++
	}},
	{name: "open to Poller", reps: 50, run: func(e *env) {
		s, got := newScheduler(e.procs), make(chan int)
		get := func() {
			x := 0
			q := &userPoller{open: func() { x++ }, closed: func() { x++ }}
			call(q.openOn(s).waiting) // reads what whoever was first has written
			got <- x
		}
		go get()
		go get()
		use(<-got + <-got)
		must(s.Shutdown(context.Background()))
	}},
	{name: "Park to Poll to Push to Park's return", reps: 20, run: func(e *env) {
		p := &userPoller{}
		s := p.scheduler(e.procs)
		f := func() {
			x := 0
			for range 5 {
				x++
				p.waitFor(func() { x++ })
				x++
			}
		}
		for range 3 {
			s.Go(f)
		}
		must(s.Shutdown(context.Background()))
	}},
	{name: "Push to goroutines and tasks of others", reps: 20, run: func(e *env) {
		p := &userPoller{}
		s := p.scheduler(e.procs)
		f := func() {
			x, begun, ended := 0, p.begun.Load(), make(chan struct{})
			go func() {
				defer close(ended)
				x++
				p.waitFor(func() { x++ })
				x++
			}()
			for p.begun.Load() == begun { // somebody may poll at once: len(queue) says nothing
				sched.Yield()
			}
			s.NeedPoll()
			<-ended
			x++
		}
		f()
		must(e.other.Run(f))
		must(s.Shutdown(context.Background()))
	}},
	{name: "a Scope's failure to who waits for its context", reps: 50, run: func(e *env) {
		x, y := 0, 0
		e.task(func() {
			is(sched.Scoped(context.Background(), func(sc *sched.Scope) error {
				called := make(chan struct{})
				context.AfterFunc(sc.Context(), func() { y++; close(called) })
				sc.Go(func(ctx context.Context) error {
					sched.Block(func() { <-ctx.Done(); <-called })
					x++
					y++
					return context.Cause(ctx)
				})
				sc.Go(func(context.Context) error { x++; y++; return io.EOF })
				return nil
			}), io.EOF)
			x++
			y++
		})
	}},
	{name: "a panic of a Scope's task to its context's cause", reps: 50, run: func(e *env) {
		x := 0
		e.task(func() {
			panics(func() {
				_ = sched.Scoped(context.Background(), func(sc *sched.Scope) error {
					sc.Go(func(ctx context.Context) error {
						sched.Block(func() { <-ctx.Done() })
						var p *sched.PanicError
						if !errors.As(context.Cause(ctx), &p) {
							panic("no panic")
						}
						*p.Value.(*int)++
						return nil
					})
					sc.Go(func(context.Context) error { x++; panic(&x) })
					return nil
				})
			})
			x++
		})
	}},
	{name: "a context's end to Shutdown's error", reps: 50, run: func(e *env) {
		x, s := 0, newScheduler(e.procs)
		ctx, cancel := context.WithCancel(context.Background())
		s.Go(func() { sched.Sleep(time.Hour) })
		go func() { x++; cancel() }()
		if s.Shutdown(ctx) == nil {
			panic("nothing was cut short")
		}
		x++
	}},
	{name: "Shutdown to a Context's methods to its return", reps: 50, run: func(e *env) {
		x, s := 0, newScheduler(e.procs)
		ctx := &watchedContext{Context: context.Background(), called: func() { x++ }, stopped: func() { x++ }}
		s.Go(sched.Yield)
		x++
		must(s.Shutdown(ctx))
		x++
	}},
	{name: "a dump to its Writer to its return", reps: 20, run: func(e *env) {
		for _, dump := range []func(io.Writer) error{e.s.Dump, e.s.DumpJSON, e.s.SchedTrace, sched.DumpAll} {
			f := func() {
				var b bytes.Buffer
				must(dump(&b))
				use(b.Len())
				b.Reset()
				must(dump(&b))
				use(len(b.String()))
			}
			e.tasks(f, f)
			f()
		}
	}},
}

// watchedContext calls functions when a function is registered to be called at its end, and when that is undone.
type watchedContext struct {
	context.Context
	called, stopped func()
}

// AfterFunc is what context.AfterFunc calls if there is one.
func (c *watchedContext) AfterFunc(func()) (stop func() bool) {
	c.called()
	return func() bool {
		c.stopped()
		return true
	}
}

func (c *watchedContext) Done() <-chan struct{} { return make(chan struct{}) }
