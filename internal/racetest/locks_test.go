//go:build race

package racetest

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/locks"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

func endedContext() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// racesLocks are programs with a race around locks, and around a wait that has given up.
var racesLocks = []scenario{
	{name: "two different locks", run: func(e *env) {
		x := 0
		var a, b locks.Mutex
		e.tasks(func() { a.Lock(); x++; a.Unlock() }, func() { b.Lock(); x++; b.Unlock() })
	}},
	{name: "before Lock", run: func(e *env) {
		x := 0
		var mu locks.Mutex
		f := func() { x++; mu.Lock(); mu.Unlock() } //lint:ignore SA2001 as in Go's own case
		e.tasks(f, f)
	}},
	{name: "after Unlock", run: func(e *env) {
		x := 0
		var mu locks.Mutex
		f := func() { mu.Lock(); mu.Unlock(); x++ } //lint:ignore SA2001 as in Go's own case
		e.tasks(f, f)
	}},
	{name: "TryLock has failed", run: func(e *env) {
		x := 0
		var mu locks.Mutex
		mu.Lock()
		e.tasks(func() { x = 1; mu.Unlock(); mu.Lock() }, func() {
			if !mu.TryLock() {
				use(x)
			} else {
				mu.Unlock()
			}
		})
	}, reps: 400},
	{name: "LockContext has given up", run: func(e *env) {
		x := 0
		var mu locks.Mutex
		mu.Lock()
		e.tasks(func() { x = 1; mu.Unlock(); mu.Lock() }, func() {
			if mu.LockContext(endedContext()) != nil {
				use(x)
			} else {
				mu.Unlock()
			}
		})
	}, reps: 400},
	{name: "writes under RLock", run: func(e *env) {
		x := 0
		var mu locks.RWMutex
		f := func() { mu.RLock(); x++; mu.RUnlock() }
		e.tasks(f, f)
	}},
	{name: "readers are in no order", run: func(e *env) {
		x := 0
		var mu locks.RWMutex
		e.tasks(func() { x = 1; mu.RLock(); mu.RUnlock() }, func() { mu.RLock(); mu.RUnlock(); use(x) }) //lint:ignore SA2001 the edges are the point
	}},
	{name: "a Mutex is overwritten", inside: true, run: func(e *env) {
		var mu locks.Mutex
		e.tasks(mu.Lock, func() { overwrite(&mu) })
	}},
	{name: "after Signal", run: func(e *env) {
		x := 0
		waited(e, func(c *locks.Cond) { c.Signal(); x = 1 }, func() { use(x) })
	}},
	{name: "WaitContext of a Cond has given up", run: func(e *env) {
		x := 0
		c := locks.NewCond(&sync.Mutex{})
		e.tasks(func() { x = 1; c.Signal() }, func() {
			ctx, cancel := context.WithCancel(context.Background())
			e.s.Go(cancel)
			c.L.Lock()
			err := c.WaitContext(ctx)
			c.L.Unlock()
			if err != nil { // the Signal came before the wait, or after
				use(x)
			}
		})
	}},
	{name: "a read after WaitContext gave up", run: func(e *env) {
		x := 0
		e.task(func() {
			var wg waitgroup.WaitGroup
			end := hchan.Make[int](1)
			wg.Add(1)
			sched.Go(func() {
				x = 1
				wg.Done()
				end.Send(1)
			})
			if wg.WaitContext(endedContext()) != nil { // not if the task was quicker
				use(x)
			}
			end.Recv()
		})
	}},
	{name: "a semaphore of two is no lock", run: func(e *env) {
		x := 0
		s := locks.NewSemaphore(2)
		var inside atomic.Int32
		f := func() {
			must(s.Acquire(context.Background(), 1))
			for inside.Add(1); inside.Load() < 2; { // no Release comes before the other's Acquire
				sched.Yield()
			}
			x++
			s.Release(1)
		}
		e.tasks(f, f)
	}},
	{name: "TryAcquire has failed", run: func(e *env) {
		x := 0
		s := locks.NewSemaphore(0)
		e.tasks(func() { x = 1; s.Release(0) }, func() { s.TryAcquire(1); use(x) })
	}},
	{name: "before the function of a Once", run: func(e *env) {
		x := 0
		var once locks.Once
		f := func() { x++; once.Do(func() {}) }
		e.tasks(f, f)
	}},
}

//go:noinline
func overwrite(mu *locks.Mutex) { *mu = locks.Mutex{} }

// waited has a task wait on a Cond, another one wake it, and then the first do after.
func waited(e *env, wake func(c *locks.Cond), after func()) {
	c := locks.NewCond(&sync.Mutex{}) // whose edges are those of a native lock, from before the wait
	waiting := false
	e.tasks(func() {
		c.L.Lock()
		waiting = true
		c.Wait()
		c.L.Unlock()
		after()
	}, func() {
		for {
			c.L.Lock()
			ready := waiting
			c.L.Unlock()
			if ready {
				break
			}
			sched.Yield()
		}
		wake(c)
	})
}

// orderedLocks has a program for each edge of package locks.
var orderedLocks = []scenario{
	{name: "Unlock to Lock", run: func(e *env) {
		x := 0
		var mu locks.Mutex
		f := func() {
			for i := range 5 {
				switch {
				case i == 1:
					must(mu.LockContext(context.Background()))
				case i == 2:
					for !mu.TryLock() {
						sched.Yield()
					}
				default:
					mu.Lock()
				}
				x++
				if i%2 == 0 {
					sched.Yield()
				}
				x++
				mu.Unlock()
			}
		}
		e.tasks(f, f, f, f)
	}},
	{name: "Unlock by another", run: func(e *env) {
		x := 0
		var mu locks.Mutex
		mu.Lock()
		e.tasks(func() { mu.Lock(); x++; mu.Unlock() }, func() { x++; mu.Unlock() })
	}},
	{name: "tasks and goroutines on one Mutex", run: func(e *env) {
		x := 0
		var mu locks.Mutex
		f := func() {
			mu.Lock()
			x++
			sched.Yield()
			mu.Unlock()
		}
		wait := onGoroutine(f)
		e.tasks(f, f)
		wait()
	}},
	{name: "readers and writers", run: func(e *env) {
		x := 0
		var mu locks.RWMutex
		write := func() {
			mu.Lock()
			x++
			sched.Yield()
			x++
			mu.Unlock()
		}
		read := func() {
			mu.RLock()
			use(x)
			sched.Yield()
			use(x)
			mu.RUnlock()
		}
		other := func() {
			must(mu.LockContext(context.Background()))
			x++
			mu.Unlock()
			must(mu.RLockContext(context.Background()))
			use(x)
			mu.RUnlock()
			if mu.TryRLock() {
				use(x)
				mu.RUnlock()
			}
			if mu.TryLock() {
				x++
				mu.Unlock()
			}
		}
		e.tasks(write, read, other, read, write, read)
	}},
	{name: "Signal to Wait, without the lock", run: func(e *env) {
		x := 0
		waited(e, func(c *locks.Cond) { x++; c.Signal() }, func() { x++ })
		waited(e, func(c *locks.Cond) { x++; c.Broadcast() }, func() { x++ })
	}},
	{name: "a Cond with a Mutex", run: func(e *env) {
		x, turn := 0, 0
		c := locks.NewCond(&locks.Mutex{})
		player := func(me int) func() {
			return func() {
				for range 4 {
					c.L.Lock()
					for turn != me {
						if me == 0 {
							c.Wait()
						} else {
							must(c.WaitContext(context.Background()))
						}
					}
					c.L.Unlock()
					x++ // it is my turn: nobody else touches it
					c.L.Lock()
					turn = 1 - me
					c.Broadcast()
					c.L.Unlock()
				}
			}
		}
		e.tasks(player(0), player(1))
	}},
	{name: "Once", run: func(e *env) {
		x := 0
		var once locks.Once
		value := locks.OnceValue(func() *int { y := 1; return &y })
		f := func() {
			once.Do(func() { sched.Yield(); x++ })
			use(x)
			use(*value())
		}
		e.tasks(f, f, f, f)
	}},
	{name: "Once whose function exits", run: func(e *env) {
		x := 0
		var once locks.Once
		f := func() {
			defer func() { use(x) }()
			once.Do(func() { x++; sched.Exit() })
		}
		e.tasks(f, f)
	}},
	{name: "Release to Acquire", run: func(e *env) {
		x := 0
		s := locks.NewSemaphore(2)
		f := func() {
			for i := range 4 {
				if i != 1 || !s.TryAcquire(2) {
					must(s.Acquire(context.Background(), 2))
				}
				x++
				sched.Yield()
				x++
				s.Release(2)
			}
		}
		e.tasks(f, f, f)
	}},
	{name: "Done to WaitContext", run: func(e *env) {
		x := 0
		e.task(func() {
			ctx, cancel := context.WithCancel(context.Background())
			var wg waitgroup.WaitGroup
			for range 3 {
				wg.Add(1)
				sched.Go(func() { x++; wg.Done() })
				must(wg.WaitContext(ctx))
				x++
			}
			cancel()
		})
	}},
	{name: "what was done before cancel", run: func(e *env) {
		x := 0
		e.task(func() {
			ctx, cancel := context.WithCancel(context.Background())
			var mu locks.Mutex
			mu.Lock()
			sched.Go(func() { x++; cancel() })
			if mu.LockContext(ctx) == nil {
				panic("it was locked")
			}
			x++
		})
	}},
}
