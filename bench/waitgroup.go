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
	return []Pair{waiters(1), waiters(1000), fanout(fanoutTasks)}
}

// fanout makes the pair in which a parent starts so many tasks.
func fanout(tasks int) Pair {
	return Pair{
		Name: "waitgroup/fanout", Unit: nsPerOp, Step: tasks,
		Doc:    fmt.Sprintf("a parent starts %s tasks by WaitGroup.Go, each adds to an atomic, and waits; per task", thousands(tasks)),
		Native: func(r *Round) error { return fanoutNative(r, tasks) },
		Userrt: func(r *Round) error { return fanoutUserrt(r, tasks) },
	}
}

func fanoutNative(r *Round, tasks int) error {
	var wg sync.WaitGroup
	var sum atomic.Int64
	task := func() { sum.Add(1) }
	for batch := range r.N / tasks {
		for range tasks {
			wg.Go(task)
		}
		wg.Wait()
		if err := mismatch("sum", sum.Load(), int64((batch+1)*tasks)); err != nil {
			return err
		}
	}
	return nil
}

func fanoutUserrt(r *Round, tasks int) error {
	var wg waitgroup.WaitGroup
	var sum atomic.Int64
	task := func() { sum.Add(1) }
	for batch := range r.N / tasks {
		for range tasks {
			wg.Go(task)
		}
		wg.Wait()
		if err := mismatch("sum", sum.Load(), int64((batch+1)*tasks)); err != nil {
			return err
		}
	}
	return nil
}

// waiters makes the pair of so many tasks that wait for one WaitGroup, round after round: two take turns, since one may
// be used again only when all have returned from its Wait.
func waiters(tasks int) Pair {
	return Pair{
		Name: fmt.Sprintf("waitgroup/wait-%d", tasks), Unit: nsPerOp, Step: tasks,
		Doc: fmt.Sprintf("a WaitGroup with %s, let go again and again; by another the one who does so learns that all are through; per wait", plural(tasks, "waiting task")),
		Native: func(r *Round) error {
			var gates [2]sync.WaitGroup
			var arrived, ended sync.WaitGroup
			var released atomic.Int64
			opened := 0 // rounds; who has waited for one sees that it is
			rounds := r.N / tasks
			gates[0].Add(1)
			arrived.Add(tasks)
			for range tasks {
				ended.Go(func() {
					var inTime int64
					for round := range rounds {
						arrived.Done()
						gates[round%2].Wait()
						if opened == round+1 {
							inTime++
						}
					}
					released.Add(inTime)
				})
			}
			for round := range rounds {
				arrived.Wait()
				gates[(round+1)%2].Add(1)
				arrived.Add(tasks)
				opened++
				gates[round%2].Done()
			}
			ended.Wait()
			return mismatch("released", released.Load(), int64(r.N))
		},
		Userrt: func(r *Round) error {
			var gates [2]waitgroup.WaitGroup
			var arrived, ended waitgroup.WaitGroup
			var released atomic.Int64
			opened := 0 // rounds; who has waited for one sees that it is
			rounds := r.N / tasks
			gates[0].Add(1)
			arrived.Add(tasks)
			for range tasks {
				ended.Go(func() {
					var inTime int64
					for round := range rounds {
						arrived.Done()
						gates[round%2].Wait()
						if opened == round+1 {
							inTime++
						}
					}
					released.Add(inTime)
				})
			}
			for round := range rounds {
				arrived.Wait()
				gates[(round+1)%2].Add(1)
				arrived.Add(tasks)
				opened++
				gates[round%2].Done()
			}
			ended.Wait()
			return mismatch("released", released.Load(), int64(r.N))
		},
	}
}
