package sched_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/userrt/userrt/sched"
)

func ExampleScheduler_Run() {
	s, err := sched.New(sched.Config{
		Procs:        2,
		PanicHandler: func(*sched.PanicError) {}, // Run returns it
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(s.Run(func() { fmt.Println("in a task") }))
	fmt.Println(s.Run(func() {
		defer fmt.Println("deferred calls run")
		sched.Exit()
	}))
	var failed *sched.PanicError
	if errors.As(s.Run(func() { panic("out of tea") }), &failed) {
		fmt.Println("panic:", failed.Value)
	}
	fmt.Println(s.Close())
	fmt.Println(s.Run(func() {}))
	// Output:
	// in a task
	// <nil>
	// deferred calls run
	// sched: task exited
	// panic: out of tea
	// <nil>
	// sched: Scheduler closed
}

func ExampleJoin() {
	var fib func(n int) int
	fib = func(n int) int {
		if n < 2 {
			return n
		}
		var a, b int
		sched.Join(
			func() { a = fib(n - 1) },
			func() { b = fib(n - 2) }, // runs here too, unless another worker is free to take it
		)
		return a + b
	}
	err := sched.Default().Run(func() { fmt.Println(fib(20)) })
	fmt.Println(err)
	// Output:
	// 6765
	// <nil>
}

func ExampleGoWith() {
	report := make(chan *sched.PanicError, 1)
	s, err := sched.New(sched.Config{Procs: 1, PanicHandler: func(e *sched.PanicError) { report <- e }})
	if err != nil {
		panic(err)
	}
	s.GoWith(func() {
		var cups []string
		fmt.Println(cups[0])
	}, sched.TaskOptions{Name: "tea maker"})
	e := <-report // its Stack ends with where the task was made
	fmt.Printf("task %q: %v\n", e.TaskName, e.Value)
	fmt.Println(s.Close())
	// Output:
	// task "tea maker": runtime error: index out of range [0] with length 0
	// <nil>
}

func ExampleSpawn() {
	word := sched.Spawn(func() (string, error) { return "concurrently", nil })
	number := sched.Spawn(func() (int, error) { return strconv.Atoi("twelve") })
	wrong := sched.Spawn(func() (int, error) { panic("out of tea") })

	w, err := word.Wait()
	fmt.Println(w, err)
	n, err := number.Wait()
	fmt.Println(n, err)
	_, err = wrong.Wait() // the panic has ended neither the process nor this goroutine
	var failed *sched.PanicError
	fmt.Println(errors.As(err, &failed), failed.Value)
	// Output:
	// concurrently <nil>
	// 0 strconv.Atoi: parsing "twelve": invalid syntax
	// true out of tea
}

func ExampleScoped() {
	weights := map[string]int{"apple": 150, "pear": 170}
	total := func(fruits ...string) (int, error) {
		var sum atomic.Int64
		err := sched.Scoped(context.Background(), func(sc *sched.Scope) error {
			for _, fruit := range fruits {
				sc.Go(func(context.Context) error {
					grams, ok := weights[fruit]
					if !ok {
						return fmt.Errorf("no %s in the basket", fruit)
					}
					sum.Add(int64(grams))
					return nil
				})
			}
			return nil
		})
		return int(sum.Load()), err // all tasks have ended
	}
	fmt.Println(total("apple", "pear", "apple"))
	_, err := total("apple", "quince")
	fmt.Println(err)
	// Output:
	// 470 <nil>
	// no quince in the basket
}

func ExampleScope_SetLimit() {
	var mu sync.Mutex // guards the counters
	busy, most := 0, 0
	s, err := sched.New(sched.Config{Procs: 2})
	if err != nil {
		panic(err)
	}
	err = s.Run(func() {
		_ = sched.Scoped(context.Background(), func(sc *sched.Scope) error {
			sc.SetLimit(3)
			for range 100 {
				sc.Go(func(context.Context) error { // blocks while three are active
					mu.Lock()
					busy++
					most = max(most, busy)
					mu.Unlock()
					sched.Yield()
					mu.Lock()
					busy--
					mu.Unlock()
					return nil
				})
			}
			return nil
		})
	})
	fmt.Println("ever more than 3:", most > 3, err, s.Close())
	// Output: ever more than 3: false <nil> <nil>
}

// latch is a primitive of a user's own: wait blocks until open has been called.
type latch struct {
	mu      sync.Mutex // guards all below; held for a few instructions only
	opened  bool
	waiters []*sched.G
}

func (l *latch) wait() {
	l.mu.Lock()
	if l.opened {
		l.mu.Unlock()
		return
	}
	g := sched.Self()
	l.waiters = append(l.waiters, g)
	if !g.Park(sched.WaitReasonSemacquire, unlock, unsafe.Pointer(&l.mu)) {
		l.forget(g) // the Scheduler closes
		sched.Exit()
	}
}

// unlock is the commit: it runs when g's stack has been left, and only then lets open see g.
func unlock(_ *sched.G, mu unsafe.Pointer) bool {
	(*sync.Mutex)(mu).Unlock()
	return true
}

func (l *latch) forget(g *sched.G) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, w := range l.waiters {
		if w == g {
			l.waiters = append(l.waiters[:i], l.waiters[i+1:]...)
			return
		}
	}
}

func (l *latch) open() {
	l.mu.Lock()
	l.opened = true
	var won []*sched.G
	for _, g := range l.waiters {
		if g.Claim() { // false: Close was faster
			won = append(won, g)
		}
	}
	l.waiters = nil
	l.mu.Unlock()
	for _, g := range won {
		g.Ready()
	}
}

func ExamplePark() {
	s, err := sched.New(sched.Config{Procs: 2})
	if err != nil {
		panic(err)
	}
	var start, done latch
	s.Go(func() {
		start.wait()
		fmt.Println("a task goes ahead")
		done.open()
	})
	fmt.Println("ready, set")
	start.open()
	done.wait() // on a plain goroutine
	fmt.Println(s.Close())
	// Output:
	// ready, set
	// a task goes ahead
	// <nil>
}

func ExampleAfterFunc() {
	s, _ := sched.New(sched.Config{Procs: 1})
	defer s.Close()
	s.Run(func() {
		late := sched.AfterFunc(time.Hour, func() { fmt.Println("an hour later") })
		var rung atomic.Bool
		sched.AfterFunc(time.Millisecond, func() {
			fmt.Println("a millisecond later")
			rung.Store(true)
		})
		for !rung.Load() {
			sched.Sleep(time.Millisecond) // parks the task, not its thread
		}
		fmt.Println("prevented:", late.Stop())
	})
	// Output:
	// a millisecond later
	// prevented: true
}
