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

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

const (
	spawnBatch = 1000       // tasks of sched/spawn that are waited for together
	forSize    = 10_000_000 // words of sched/for
)

func schedPairs() []Pair {
	return []Pair{
		spawn(spawnBatch),
		{
			Name: "sched/spawnjoin", Unit: nsPerOp, Step: 1,
			Doc:    "start one task, wait for it with a WaitGroup, start the next; per task",
			Native: spawnJoinNative, Userrt: spawnJoinUserrt,
		},
		{
			Name: "sched/run", Unit: nsPerOp, Step: 1,
			Doc:    "a plain goroutine starts one task by Run, which waits for it; natively a goroutine, and a WaitGroup; per task",
			Native: spawnJoinNative, Userrt: runTaskUserrt,
		},
		{
			Name: "sched/forkjoin", Unit: nsPerOp, Step: fibForks, AtMost: fewRounds,
			Doc:    "fib(27) in which every call forks: go and a WaitGroup against Join; per fork",
			Native: forkJoinNative, Userrt: forkJoinUserrt,
		},
		{
			Name: "sched/forkjoin-both", Unit: nsPerOp, Step: fibForks, AtMost: fewRounds,
			Doc:    "the same, with Both in the place of Join; per fork",
			Native: forkJoinNative, Userrt: forkJoinBothUserrt,
		},
		{
			Name: "sched/for", Unit: nsPerOp, Step: forSize,
			Doc:    "sum a function of 10,000,000 words: a half for each of two goroutines against For; per word",
			Native: forNative, Userrt: forUserrt,
			Open: openForWords, Close: closeForWords,
		},
		yield(1),
		yield(2),
		yield(1000),
	}
}

// spawn makes the pair in which so many empty tasks are started and waited for together. They do nothing but tell the WaitGroup, all but one
// in each batch, in another place each time: that one writes a plain variable, so a Wait that returns early is found out.
func spawn(batch int) Pair {
	return Pair{
		Name: "sched/spawn", Unit: nsPerOp, Step: batch,
		Doc:    fmt.Sprintf("start empty tasks, in batches of %s that a WaitGroup waits for; per task", thousands(batch)),
		Native: func(r *Round) error { return spawnNative(r, batch) },
		Userrt: func(r *Round) error { return spawnUserrt(r, batch) },
	}
}

func spawnNative(r *Round, size int) error {
	var wg sync.WaitGroup
	var batches int64
	empty := func() { wg.Done() }
	witness := func() { batches++; wg.Done() }
	for batch := range r.N / size {
		wg.Add(size)
		for i := range size {
			if i == batch%size {
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

func spawnUserrt(r *Round, size int) error {
	var wg waitgroup.WaitGroup
	var batches int64
	empty := func() { wg.Done() }
	witness := func() { batches++; wg.Done() }
	for batch := range r.N / size {
		wg.Add(size)
		for i := range size {
			if i == batch%size {
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

func runTaskUserrt(r *Round) error {
	s := sched.Current()
	var ran int64
	task := func() { ran++ }
	var err error
	done := hchan.Make[struct{}](0)
	go func() {
		defer done.Close()
		for range r.N {
			if err = s.Run(task); err != nil {
				return
			}
		}
	}()
	done.Recv()
	if err != nil {
		return err
	}
	return mismatch("tasks run", ran, int64(r.N))
}

func forkJoinNative(r *Round) error {
	for range r.N / fibForks {
		if err := mismatch("fib", int64(fibNative(fibArg)), fibResult); err != nil {
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
		if err := mismatch("fib", int64(fibUserrt(fibArg)), fibResult); err != nil {
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

func forkJoinBothUserrt(r *Round) error {
	for range r.N / fibForks {
		if err := mismatch("fib", int64(fibBoth(fibArg)), fibResult); err != nil {
			return err
		}
	}
	return nil
}

func fibBoth(n int) int {
	if n < 2 {
		return n
	}
	a, b := sched.Both(fibBoth, n-1, n-2)
	return a + b
}

// The words of sched/for, and what both sides must make of them.
var (
	forWords []uint64
	forWant  uint64
)

func openForWords() error {
	if forWords != nil {
		return nil
	}
	forWords = make([]uint64, forSize)
	for i := range forWords {
		forWords[i] = uint64(i) * 0x9e3779b97f4a7c15
	}
	forWant = 0
	for _, w := range forWords {
		forWant += mix(w)
	}
	return nil
}

func closeForWords() error {
	forWords = nil
	return nil
}

// mix is a little arithmetic.
func mix(w uint64) uint64 { return (w ^ w>>29) * 5 }

// sumMixed is the loop of both sides: one copy of it, or where each happens to lie decides by 10 % who is faster.
//
//go:noinline
func sumMixed(words []uint64) (sum uint64) {
	for _, w := range words {
		sum += mix(w)
	}
	return sum
}

func forNative(r *Round) error {
	for range r.N / forSize {
		var wg sync.WaitGroup
		var sum atomic.Uint64
		wg.Add(2)
		for _, half := range [][]uint64{forWords[:forSize/2], forWords[forSize/2:]} {
			go func() { sum.Add(sumMixed(half)); wg.Done() }()
		}
		wg.Wait()
		if err := mismatch("sum", int64(sum.Load()), int64(forWant)); err != nil {
			return err
		}
	}
	return nil
}

// forUserrt leaves it to For into how many pieces the words fall.
func forUserrt(r *Round) error {
	for range r.N / forSize {
		var sum atomic.Uint64
		sched.For(forSize, 0, func(lo, hi int) { sum.Add(sumMixed(forWords[lo:hi])) })
		if err := mismatch("sum", int64(sum.Load()), int64(forWant)); err != nil {
			return err
		}
	}
	return nil
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
