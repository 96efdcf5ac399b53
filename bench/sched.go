// Pairs for sched: starting tasks, waiting for them, forking, yielding.
//
// Go's counterparts: runtime/proc_test.go, BenchmarkCreateGoroutines and
// BenchmarkCreateGoroutinesSingle.

package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

const (
	spawnBatch = 1000 // tasks of sched/spawn that are waited for together
	fibArg     = 27   // of sched/forkjoin
	fibForks   = 317_810
	fibResult  = 196_418
)

func schedPairs() []Pair {
	return []Pair{
		{
			Name: "sched/spawn", Unit: nsPerOp, Step: spawnBatch,
			Doc:    "start empty tasks, in batches of 1,000 that a WaitGroup waits for; per task",
			Native: spawnNative, Userrt: spawnUserrt,
		},
		{
			Name: "sched/spawnjoin", Unit: nsPerOp, Step: 1,
			Doc:    "start one task, wait for it with a WaitGroup, start the next; per task",
			Native: spawnJoinNative, Userrt: spawnJoinUserrt,
		},
		{
			Name: "sched/forkjoin", Unit: nsPerOp, Step: fibForks,
			Doc:    "fib(27) in which every call forks: go and a WaitGroup against Join; per fork",
			Native: forkJoinNative, Userrt: forkJoinUserrt,
		},
		yield(1),
		yield(2),
		yield(1000),
	}
}

// The tasks of sched/spawn do nothing but tell the WaitGroup, all but one in each batch, in another
// place each time: that one writes a plain variable, so a Wait that returns early is found out.

func spawnNative(r *Round) error {
	var wg sync.WaitGroup
	var batches int64
	empty := func() { wg.Done() }
	witness := func() { batches++; wg.Done() }
	for batch := range r.N / spawnBatch {
		wg.Add(spawnBatch)
		for i := range spawnBatch {
			if i == batch%spawnBatch {
				go witness()
			} else {
				go empty()
			}
		}
		wg.Wait()
		if err := mismatch("batches", batches, int64(batch)+1); err != nil {
			return err
		}
	}
	return nil
}

func spawnUserrt(r *Round) error {
	var wg waitgroup.WaitGroup
	var batches int64
	empty := func() { wg.Done() }
	witness := func() { batches++; wg.Done() }
	for batch := range r.N / spawnBatch {
		wg.Add(spawnBatch)
		for i := range spawnBatch {
			if i == batch%spawnBatch {
				sched.Go(witness)
			} else {
				sched.Go(empty)
			}
		}
		wg.Wait()
		if err := mismatch("batches", batches, int64(batch)+1); err != nil {
			return err
		}
	}
	return nil
}

func spawnJoinNative(r *Round) error {
	var wg sync.WaitGroup
	var ran int64
	task := func() { ran++; wg.Done() }
	for range r.N {
		wg.Add(1)
		go task()
		wg.Wait()
	}
	return mismatch("tasks run", ran, int64(r.N))
}

func spawnJoinUserrt(r *Round) error {
	var wg waitgroup.WaitGroup
	var ran int64
	task := func() { ran++; wg.Done() }
	for range r.N {
		wg.Add(1)
		sched.Go(task)
		wg.Wait()
	}
	return mismatch("tasks run", ran, int64(r.N))
}

func forkJoinNative(r *Round) error {
	for range r.N / fibForks {
		if err := mismatch("fib(27)", int64(fibNative(fibArg)), fibResult); err != nil {
			return err
		}
	}
	return nil
}

// fibNative forks as one does without a fork-join library: one half on a goroutine of its own, the
// other here.
func fibNative(n int) int {
	if n < 2 {
		return n
	}
	var wg sync.WaitGroup
	var a int
	wg.Add(1)
	go func() { a = fibNative(n - 1); wg.Done() }()
	b := fibNative(n - 2)
	wg.Wait()
	return a + b
}

func forkJoinUserrt(r *Round) error {
	for range r.N / fibForks {
		if err := mismatch("fib(27)", int64(fibUserrt(fibArg)), fibResult); err != nil {
			return err
		}
	}
	return nil
}

func fibUserrt(n int) int {
	if n < 2 {
		return n
	}
	var a, b int
	sched.Join(
		func() { a = fibUserrt(n - 1) },
		func() { b = fibUserrt(n - 2) },
	)
	return a + b
}

// yield makes the pair in which so many tasks yield to each other. With one there is nobody to
// yield to: what is left is the way through the scheduler.
func yield(tasks int) Pair {
	doc := fmt.Sprintf("%d tasks that yield in turn; per yield", tasks)
	if tasks == 1 {
		doc = "one task that yields, alone; per yield"
	}
	return Pair{
		Name: fmt.Sprintf("sched/yield-%d", tasks), Unit: nsPerOp, Step: tasks, Doc: doc,
		Native: func(r *Round) error {
			var wg sync.WaitGroup
			var yields atomic.Int64
			each := r.N / tasks
			wg.Add(tasks)
			for range tasks {
				go func() {
					var n int64
					for range each {
						runtime.Gosched()
						n++
					}
					yields.Add(n)
					wg.Done()
				}()
			}
			wg.Wait()
			return mismatch("yields", yields.Load(), int64(r.N))
		},
		Userrt: func(r *Round) error {
			var wg waitgroup.WaitGroup
			var yields atomic.Int64
			each := r.N / tasks
			wg.Add(tasks)
			for range tasks {
				sched.Go(func() {
					var n int64
					for range each {
						sched.Yield()
						n++
					}
					yields.Add(n)
					wg.Done()
				})
			}
			wg.Wait()
			return mismatch("yields", yields.Load(), int64(r.N))
		},
	}
}
