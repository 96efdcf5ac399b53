// Pairs for waitgroup: one parent, many children.

package main

import (
	"sync"
	"sync/atomic"

	"github.com/userrt/userrt/waitgroup"
)

const fanoutTasks = 100

func waitgroupPairs() []Pair {
	return []Pair{{
		Name: "waitgroup/fanout", Unit: nsPerOp, Step: fanoutTasks,
		Doc:    "a parent starts 100 tasks by WaitGroup.Go, each adds to an atomic, and waits; per task",
		Native: fanoutNative, Userrt: fanoutUserrt,
	}}
}

func fanoutNative(r *Round) error {
	var wg sync.WaitGroup
	var sum atomic.Int64
	task := func() { sum.Add(1) }
	for range r.N / fanoutTasks {
		for range fanoutTasks {
			wg.Go(task)
		}
		wg.Wait()
	}
	return mismatch("sum", sum.Load(), int64(r.N))
}

func fanoutUserrt(r *Round) error {
	var wg waitgroup.WaitGroup
	var sum atomic.Int64
	task := func() { sum.Add(1) }
	for range r.N / fanoutTasks {
		for range fanoutTasks {
			wg.Go(task)
		}
		wg.Wait()
	}
	return mismatch("sum", sum.Load(), int64(r.N))
}
