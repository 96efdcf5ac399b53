package waitgroup_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

// A task for each part of the work, and a wait for all of them.
func ExampleWaitGroup() {
	words := []string{"park", "ready", "steal"}
	lengths := make([]int, len(words))

	var wg waitgroup.WaitGroup
	for i, word := range words {
		wg.Go(func() { lengths[i] = len(word) })
	}
	wg.Wait()

	for i, word := range words {
		fmt.Println(word, lengths[i])
	}
	// Output:
	// park 4
	// ready 5
	// steal 5
}

// Add and Done count by hand what is not a task of its own.
func ExampleWaitGroup_Add() {
	var wg waitgroup.WaitGroup
	wg.Add(2)
	finish := func(part string) {
		fmt.Println(part)
		wg.Done()
	}
	finish("first half")
	finish("second half")
	wg.Wait()
	fmt.Println("all")
	// Output:
	// first half
	// second half
	// all
}

// WaitContext waits for no longer than a context lasts. What it waited for goes on.
func ExampleWaitGroup_WaitContext() {
	var wg waitgroup.WaitGroup
	wg.Add(1)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println(wg.WaitContext(ctx))
	wg.Done()
	fmt.Println(wg.WaitContext(ctx)) // need not wait
	// Output:
	// context deadline exceeded
	// <nil>
}

// Fork and join: one task for each part, and Wait for all of them. Add is called by who starts the task. Where the task
// itself calls it, Wait may find a counter of zero before any of them has begun, and waits for nobody.
func ExampleWaitGroup_Add_where() {
	for _, inside := range []bool{false, true} {
		s, err := sched.New(sched.Config{Procs: 1, Tunables: sched.Tunables{TimeSlice: time.Minute}})
		if err != nil {
			panic(err)
		}
		var finished atomic.Int32
		err = s.Run(func() {
			var wg waitgroup.WaitGroup
			for range 3 {
				if !inside {
					wg.Add(1)
				}
				sched.Go(func() {
					if inside {
						wg.Add(1) // too late
					}
					defer wg.Done()
					finished.Add(1)
				})
			}
			wg.Wait()
			fmt.Printf("Add inside the task: %v; after Wait %d of 3 have finished\n", inside, finished.Load())
		})
		fmt.Println(err, s.Shutdown(context.Background()))
	}
	// Output:
	// Add inside the task: false; after Wait 3 of 3 have finished
	// <nil> <nil>
	// Add inside the task: true; after Wait 0 of 3 have finished
	// <nil> <nil>
}
