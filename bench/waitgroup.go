// Pairs for waitgroup: one parent, many children.

package main

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/userrt/userrt/waitgroup"
)

const fanoutTasks = 100

func waitgroupPairs() []Pair {
	return []Pair{waiters(1), waiters(1000), {
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

// waiters makes the pair of so many tasks that wait for one WaitGroup, round after round: two take turns, since one may
// be used again only when all have returned from its Wait.
func waiters(tasks int) Pair {
	return Pair{
		Name: fmt.Sprintf("waitgroup/wait-%d", tasks), Unit: nsPerOp, Step: tasks,
		Doc: fmt.Sprintf("%d tasks wait for one WaitGroup, again and again, and tell the one that lets them go by another; per wait", tasks),
		Native: func(r *Round) error {
			var gates [2]sync.WaitGroup
			var arrived, ended sync.WaitGroup
			rounds := r.N / tasks
			gates[0].Add(1)
			arrived.Add(tasks)
			for range tasks {
				ended.Go(func() {
					for round := range rounds {
						arrived.Done()
						gates[round%2].Wait()
					}
				})
			}
			released := int64(0)
			for round := range rounds {
				arrived.Wait()
				gates[(round+1)%2].Add(1)
				arrived.Add(tasks)
				gates[round%2].Done()
				released += int64(tasks)
			}
			ended.Wait()
			return mismatch("released", released, int64(r.N))
		},
		Userrt: func(r *Round) error {
			var gates [2]waitgroup.WaitGroup
			var arrived, ended waitgroup.WaitGroup
			rounds := r.N / tasks
			gates[0].Add(1)
			arrived.Add(tasks)
			for range tasks {
				ended.Go(func() {
					for round := range rounds {
						arrived.Done()
						gates[round%2].Wait()
					}
				})
			}
			released := int64(0)
			for round := range rounds {
				arrived.Wait()
				gates[(round+1)%2].Add(1)
				arrived.Add(tasks)
				gates[round%2].Done()
				released += int64(tasks)
			}
			ended.Wait()
			return mismatch("released", released, int64(r.N))
		},
	}
}
