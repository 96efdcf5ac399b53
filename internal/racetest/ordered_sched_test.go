//go:build race

package racetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

// orderedSched has a program for each edge that package sched promises: what is done before happens before what is
// done after, so there is nothing to report.
var orderedSched = []scenario{
	{name: "a task's start and end", run: func(e *env) {
		x := 1
		e.tasks(func() { x++ })
		x++
	}},
	{name: "a task's id, made by whoever starts it", run: func(e *env) {
		id := func() { use(int(sched.Self().ID())) }
		e.tasks(id, id, id, id)
	}},
	{name: "a task's start from a task", run: func(e *env) {
		x := 1
		e.task(func() {
			x++
			var wg waitgroup.WaitGroup
			wg.Add(2)
			sched.Go(func() {
				x++
				sched.GoWith(func() { x++; wg.Done() }, sched.TaskOptions{Name: "grandchild"})
				wg.Done()
			})
			wg.Wait()
			x++
		})
	}},
	{name: "a task's start on another scheduler", run: func(e *env) {
		x := 1
		e.task(func() {
			x++
			must(e.other.Run(func() { x++ }))
			x++
		})
		x++
	}},
	{name: "end to Run", run: func(e *env) {
		x := 1
		must(e.s.Run(func() { x++; sched.Yield(); x++ }))
		x++
	}},
	{name: "Goexit to Run", run: func(e *env) {
		for _, exit := range []func(){sched.Exit, runtime.Goexit} {
			x := 1
			is(e.s.Run(func() { defer func() { x++ }(); x++; exit() }), sched.ErrExited)
			x++
		}
	}},
	{name: "panic to Run", reps: 50, run: func(e *env) {
		x := 1
		s, err := sched.New(sched.Config{Procs: e.procs, PanicHandler: func(*sched.PanicError) {}})
		must(err)
		var failed *sched.PanicError
		if !errors.As(s.Run(func() { defer func() { x++ }(); panic(&x) }), &failed) {
			panic("no panic")
		}
		*failed.Value.(*int)++
		must(s.Close())
	}},
	{name: "panic to PanicHandler to Run", reps: 50, run: func(e *env) {
		x := 1
		s, err := sched.New(sched.Config{Procs: e.procs, PanicHandler: func(*sched.PanicError) { x++ }})
		must(err)
		if s.Run(func() { x++; panic("x") }) == nil {
			panic("no panic")
		}
		x++
		must(s.Close())
	}},
	{name: "end to Wait", run: func(e *env) {
		x := 1
		e.task(func() {
			t := sched.Spawn(func() (*int, error) { x++; return &x, nil })
			var wg waitgroup.WaitGroup
			for range 3 {
				wg.Go(func() {
					p, _ := t.Wait()
					use(*p)
				})
			}
			wg.Wait()
			x++
		})
		t := sched.SpawnOn(e.s, func() (int, error) { x++; panic("x") })
		_, _ = t.Wait()
		x++
	}},
	{name: "end to Scoped", run: func(e *env) {
		x, ys := 1, make([]int, 3)
		scoped := func() {
			must(sched.Scoped(context.Background(), func(sc *sched.Scope) error {
				x++
				for i := range ys {
					sc.Go(func(context.Context) error { ys[i] += x; return nil })
				}
				return nil
			}))
			x += ys[0] + ys[1] + ys[2]
		}
		e.task(scoped)
		scoped()
	}},
	{name: "failure to Scoped", run: func(e *env) {
		x := 1
		e.task(func() {
			is(sched.Scoped(context.Background(), func(sc *sched.Scope) error {
				sc.Go(func(context.Context) error { x++; return io.EOF })
				return nil
			}), io.EOF)
			x++
			panics(func() {
				_ = sched.Scoped(context.Background(), func(sc *sched.Scope) error {
					sc.Go(func(context.Context) error { x++; panic("x") })
					return nil
				})
			})
			x++
		})
	}},
	{name: "end to Join", run: func(e *env) {
		var x, y, z int
		e.task(func() {
			sched.Join(func() { x++ }, func() { sched.Yield(); y++ }, func() { z++ })
			x += y + z
			panics(func() { sched.Join(func() { x++ }, func() { y++; panic("y") }) })
			x += y
		})
	}},
	{name: "end to Both", run: func(e *env) {
		e.task(func() {
			xs := make([]int, 32)
			var fill func(part []int) int
			fill = func(part []int) int {
				if len(part) == 1 {
					part[0]++
					return part[0]
				}
				l, r := sched.Both(fill, part[:len(part)/2], part[len(part)/2:])
				return l + r + part[0] + part[len(part)-1]
			}
			fill(xs)
			for _, x := range xs {
				use(x)
			}
		})
	}},
	{name: "end to For", run: func(e *env) {
		e.task(func() {
			xs, k := make([]int, 200), 1
			sched.For(len(xs), 1, func(lo, hi int) {
				for i := range xs[lo:hi] {
					xs[lo+i] = k
				}
			})
			k++
			for _, x := range xs {
				use(x)
			}
		})
	}},
	{name: "end to Shutdown", reps: 50, run: func(e *env) {
		x, s := 1, newScheduler(e.procs)
		s.Go(func() { x++; sched.Go(func() { x++ }) })
		must(s.Shutdown(context.Background()))
		x++
	}},
	{name: "end to a second Shutdown", reps: 50, run: func(e *env) {
		x, s := 1, newScheduler(e.procs)
		s.Go(func() { x++ })
		first := make(chan error)
		go func() { first <- s.Shutdown(context.Background()) }()
		must(s.Shutdown(context.Background()))
		x++
		must(<-first)
		must(s.Shutdown(context.Background()))
	}},
	{name: "end to the next of a Scope of one", reps: 50, run: func(e *env) {
		x := 0
		e.task(func() {
			must(sched.Scoped(context.Background(), func(sc *sched.Scope) error {
				sc.SetLimit(1)
				for range 10 {
					sc.Go(func(context.Context) error { x++; sched.Yield(); x++; return nil })
				}
				return nil
			}))
			if x != 20 {
				panic(x)
			}
		})
	}},
	{name: "Join and Both while the scheduler closes", reps: 50, run: func(e *env) {
		x, s := [4]int{}, newScheduler(e.procs)
		s.Go(func() {
			must(s.Close()) // begins it
			sched.Join(func() { x[0]++ }, func() { x[1]++ })
			sched.Both(func(i int) int { x[i]++; return i }, 2, 3)
		})
		_ = s.Shutdown(context.Background())
		if x != [4]int{1, 1, 1, 1} {
			panic(fmt.Sprint(x))
		}
	}},
	{name: "For goes on after a panic", reps: 2, run: func(e *env) {
		x := make([]int, 3000)
		e.task(func() {
			defer func() {
				if recover() == nil {
					panic("no panic")
				}
			}()
			sched.For(len(x), 1, func(lo, _ int) {
				if x[lo]++; lo == 0 {
					panic("first")
				}
			})
		})
		for _, n := range x {
			if n != 1 {
				panic(n)
			}
		}
	}},
	{name: "unwinding to Close", reps: 50, run: func(e *env) {
		x, s := 1, newScheduler(e.procs)
		s.Go(func() { defer func() { x++ }(); hchan.Make[int](0).Recv() })
		s.Go(func() { sched.Yield() })
		must(s.Close())
		x++
	}},
	{name: "Ready to Park", run: func(e *env) {
		x := 0
		var parked atomic.Pointer[sched.G]
		e.tasks(func() { parkIn(&parked); x++ }, func() {
			g := awaitParked(&parked)
			x++
			g.Ready()
		})
	}},
	{name: "Park to its commit", run: func(e *env) {
		x := 0
		var parked atomic.Pointer[sched.G]
		e.tasks(func() { x++; parkIn(&parked); x++ }, func() {
			g := awaitParked(&parked)
			x++
			g.Ready()
		})
	}},
	{name: "Ready to Park, goroutines", reps: 50, run: func(e *env) {
		x := 0
		for _, start := range []func(func()){func(f func()) { go f() }, e.s.Go} {
			var parked atomic.Pointer[sched.G]
			done := make(chan struct{})
			start(func() { parkIn(&parked); x++; close(done) })
			g := awaitParked(&parked)
			x++
			g.Ready()
			<-done
		}
	}},
	{name: "a lock of Park and Ready", run: func(e *env) {
		x := 0
		var l userLock
		f := func() {
			for range 5 {
				l.lock()
				x++
				sched.Yield()
				x++
				l.unlock()
			}
		}
		e.tasks(f, f, f)
	}},
	{name: "a queue of one's own after a WaitGroup's", run: func(e *env) {
		x := 0
		e.task(func() {
			var wg waitgroup.WaitGroup
			wg.Go(sched.Yield)
			wg.Wait() // the caller's Waiter has been in its queue
			var mu sync.Mutex
			var q sched.WaitQueue
			mu.Lock()
			wg.Go(func() {
				mu.Lock()
				defer mu.Unlock()
				x++
				q.Claim().G.Ready()
			})
			gp := sched.Self()
			q.PushBack(gp.Waiter())
			gp.Park(sched.WaitReasonZero, func(*sched.G, unsafe.Pointer) bool { mu.Unlock(); return true }, nil)
			x++
			wg.Wait()
		})
		x++
	}},
	{name: "AfterFunc to the function", run: func(e *env) {
		x := 0
		e.task(func() {
			done := hchan.Make[int](0)
			x++
			sched.AfterFunc(0, func() { x++; done.Send(1) })
			done.Recv()
			x++
		})
		done := make(chan struct{})
		e.other.AfterFunc(time.Microsecond, func() { x++; close(done) })
		<-done
		x++
	}},
	{name: "Reset to the function", run: func(e *env) {
		x := 0
		e.task(func() {
			done := hchan.Make[int](0)
			t := sched.AfterFunc(time.Hour, func() { x++; done.Send(1) })
			for range 3 {
				x++
				t.Reset(0)
				done.Recv()
			}
			t.Stop()
			x++
		})
	}},
	{name: "Reset by another task", run: func(e *env) {
		x := 0
		e.task(func() {
			done := hchan.Make[int](0)
			t := sched.AfterFunc(time.Hour, func() { x++; done.Send(1) })
			sched.Go(func() { x++; t.Reset(0) })
			done.Recv()
			x++
		})
	}},
	{name: "Set to an Alarm's function", run: func(e *env) {
		x := 0
		e.task(func() {
			var parked atomic.Pointer[sched.G]
			var a sched.Alarm
			a.Init(e.s, func(uint64, int64) {
				x++
				awaitParked(&parked).Ready()
			})
			sched.Go(func() {
				for parked.Load() == nil {
					sched.Yield()
				}
				x++
				a.Set(0, 0)
			})
			parkIn(&parked)
			x++
		})
	}},
	{name: "Sleep", reps: 20, run: func(e *env) {
		f := func() {
			x := 0
			for range 5 {
				x++
				sched.Sleep(10 * time.Microsecond)
			}
		}
		e.tasks(f, f, f, f)
	}},
	{name: "Yield, and moving to other workers", run: func(e *env) {
		f := func() {
			x := make([]int, 4)
			for i := range 20 {
				x[i%4]++
				sched.Yield()
			}
		}
		e.tasks(f, f, f, f, f, f)
	}},
	{name: "Block", run: func(e *env) {
		f := func() {
			x := 0
			sched.Block(func() { x++; runtime.Gosched(); x++ })
			x++
		}
		e.tasks(f, f, f)
	}},
	{name: "Block around a native receive", run: func(e *env) {
		x, c := 0, make(chan int)
		e.tasks(func() { sched.Block(func() { <-c }); x++ }, func() { x++; sched.Block(func() { c <- 1 }) })
	}},
	{name: "tasks wired to a thread", reps: 20, run: func(e *env) {
		x, c := 0, hchan.Make[int](0)
		e.tasks(func() {
			sched.LockOSThread()
			x++
			c.Send(1)
			c.Recv()
			x++
			sched.UnlockOSThread()
		}, func() {
			c.Recv()
			x++
			c.Send(1)
		})
	}},
	{name: "looks at a working scheduler", reps: 20, run: func(e *env) {
		e.tasks(func() {
			var wg waitgroup.WaitGroup
			for range 5 {
				wg.Go(func() { x := 1; sched.Yield(); x++; use(x) })
			}
			e.s.Stats()
			must(e.s.Dump(io.Discard))
			must(e.s.DumpJSON(io.Discard))
			wg.Wait()
		}, func() { e.s.Stats() }, func() { e.s.SetProcs(e.s.SetProcs(2)) })
	}},
	{name: "many tasks on few stacks", reps: 5, run: func(e *env) {
		e.task(func() {
			xs := make([]int, 500)
			var wg waitgroup.WaitGroup
			for i := range xs {
				xs[i]++
				wg.Go(func() {
					xs[i]++
					if i%3 == 0 {
						sched.Yield()
					}
					xs[i]++
					if i%7 == 0 {
						sched.Exit()
					}
				})
			}
			wg.Wait()
			for i := range xs {
				xs[i]++
			}
		})
	}},
}

func is(err, want error) {
	if !errors.Is(err, want) {
		panic(err)
	}
}

// userLock is a lock as users make it of sched's calls; those who wait get it in turn.
type userLock struct {
	mu     sync.Mutex // of what follows; held across the leaving of a stack
	locked bool
	queue  []*sched.G
}

func (l *userLock) lock() {
	l.mu.Lock()
	if !l.locked {
		l.locked = true
		l.mu.Unlock()
		return
	}
	l.queue = append(l.queue, sched.Self())
	sched.Park(sched.WaitReasonZero, func(_ *sched.G, arg unsafe.Pointer) bool {
		(*userLock)(arg).mu.Unlock()
		return true
	}, unsafe.Pointer(l))
}

func (l *userLock) unlock() {
	l.mu.Lock()
	for len(l.queue) > 0 {
		g := l.queue[0]
		l.queue = l.queue[1:]
		if g.Claim() {
			l.mu.Unlock()
			g.Ready()
			return
		}
	}
	l.locked = false
	l.mu.Unlock()
}
