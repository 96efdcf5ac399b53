// Pairs for locks: alone, in a crowd with short sections and with sections that yield, readers and writers, and the others.
//
// Go's counterparts: sync/mutex_test.go, BenchmarkMutexUncontended and BenchmarkMutex; sync/rwmutex_test.go,
// BenchmarkRWMutexWrite10; sync/cond_test.go, BenchmarkCond32; sync/once_test.go, BenchmarkOnce.

package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/userrt/userrt/locks"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

const (
	condCrowd      = 1000
	rwTasks        = 8
	semaphoreTasks = 8
	semaphoreSize  = 2
	onceBatch      = 1000
)

func locksPairs() []Pair {
	ps := []Pair{{
		Name: "locks/mutex", Unit: nsPerOp, Step: 1,
		Doc:    "one task locks a Mutex and unlocks it; per lock and unlock",
		Native: mutexNative, Userrt: mutexUserrt,
	}}
	for _, n := range []int{2, 8, 1000} {
		ps = append(ps, contended(n))
	}
	for _, n := range []int{2, 8, 1000} {
		ps = append(ps, yielding(n))
	}
	return append(ps,
		readers(90), readers(99),
		Pair{
			Name: "locks/cond-broadcast", Unit: nsPerOp, Step: condCrowd,
			Doc:    "1,000 tasks wait on a Cond, one wakes all, again and again; per task woken",
			Native: condNative, Userrt: condUserrt,
		},
		Pair{
			Name: "locks/semaphore", Unit: nsPerOp, Step: semaphoreTasks,
			Doc:    "8 tasks take 1 of 2, yield, and give it back: golang.org/x/sync/semaphore against Semaphore; per turn",
			Native: semaphoreNative, Userrt: semaphoreUserrt,
		},
		Pair{
			Name: "locks/once", Unit: nsPerOp, Step: onceBatch,
			Doc:    "Do of a Once that is done; per call",
			Native: onceNative, Userrt: onceUserrt,
		},
	)
}

// crowdNative and crowdUserrt start so many tasks, each with the number of its turns, and wait for all.

func crowdNative(tasks, turns int, fn func(turns int)) {
	var wg sync.WaitGroup
	for i := range tasks {
		wg.Go(func() { fn(share(turns, tasks, i)) })
	}
	wg.Wait()
}

func crowdUserrt(tasks, turns int, fn func(turns int)) {
	var wg waitgroup.WaitGroup
	for i := range tasks {
		wg.Go(func() { fn(share(turns, tasks, i)) })
	}
	wg.Wait()
}

// share is how many of turns the i-th of so many tasks makes.
func share(turns, tasks, i int) int {
	n := turns / tasks
	if i < turns%tasks {
		n++
	}
	return n
}

func mutexNative(r *Round) error {
	var mu sync.Mutex
	var sum int64
	for range r.N {
		mu.Lock()
		sum++
		mu.Unlock()
	}
	return mismatch("sum", sum, int64(r.N))
}

func mutexUserrt(r *Round) error {
	var mu locks.Mutex
	var sum int64
	for range r.N {
		mu.Lock()
		sum++
		mu.Unlock()
	}
	return mismatch("sum", sum, int64(r.N))
}

// contended makes the pair of so many tasks that add one to a number under one Mutex.
func contended(tasks int) Pair {
	return Pair{
		Name: fmt.Sprintf("locks/mutex-%d", tasks), Unit: nsPerOp, Step: tasks,
		Doc: fmt.Sprintf("%d tasks lock one Mutex, add to a number, and unlock; per turn", tasks),
		Native: func(r *Round) error {
			var mu sync.Mutex
			var sum int64
			crowdNative(tasks, r.N, func(turns int) {
				for range turns {
					mu.Lock()
					sum++
					mu.Unlock()
				}
			})
			return mismatch("sum", sum, int64(r.N))
		},
		Userrt: func(r *Round) error {
			var mu locks.Mutex
			var sum int64
			crowdUserrt(tasks, r.N, func(turns int) {
				for range turns {
					mu.Lock()
					sum++
					mu.Unlock()
				}
			})
			return mismatch("sum", sum, int64(r.N))
		},
	}.shared(tasks, false)
}

// yielding makes the pair of so many tasks that yield while they have the lock.
func yielding(tasks int) Pair {
	return Pair{
		Name: fmt.Sprintf("locks/mutex-yield-%d", tasks), Unit: nsPerOp, Step: tasks,
		Doc: fmt.Sprintf("%d tasks lock one Mutex, add to a number, yield, and unlock; per turn", tasks),
		Native: func(r *Round) error {
			var mu sync.Mutex
			var sum int64
			crowdNative(tasks, r.N, func(turns int) {
				for range turns {
					mu.Lock()
					sum++
					runtime.Gosched()
					mu.Unlock()
				}
			})
			return mismatch("sum", sum, int64(r.N))
		},
		Userrt: func(r *Round) error {
			var mu locks.Mutex
			var sum int64
			crowdUserrt(tasks, r.N, func(turns int) {
				for range turns {
					mu.Lock()
					sum++
					sched.Yield()
					mu.Unlock()
				}
			})
			return mismatch("sum", sum, int64(r.N))
		},
	}.shared(tasks, true)
}

// readers makes the pair of 8 tasks of whose turns so many in a hundred only read.
func readers(percent int) Pair {
	return Pair{
		Name: fmt.Sprintf("locks/rwmutex-%d", percent), Unit: nsPerOp, Step: 100 * rwTasks,
		Doc: fmt.Sprintf("8 tasks, %d of 100 turns with an RWMutex locked for reading, the others for writing; per turn", percent),
		Native: func(r *Round) error {
			var mu sync.RWMutex
			var begun, ended int64 // writes; a reader that is let in amid one sees them differ
			var wrong atomic.Int64
			crowdNative(rwTasks, r.N, func(turns int) {
				for i := range turns {
					if i%100 < percent {
						mu.RLock()
						if begun != ended {
							wrong.Add(1)
						}
						mu.RUnlock()
					} else {
						mu.Lock()
						begun++
						ended++
						mu.Unlock()
					}
				}
			})
			return errors.Join(mismatch("reads amid a write", wrong.Load(), 0), mismatch("writes", ended, int64(r.N/100*(100-percent))))
		},
		Userrt: func(r *Round) error {
			var mu locks.RWMutex
			var begun, ended int64 // writes; a reader that is let in amid one sees them differ
			var wrong atomic.Int64
			crowdUserrt(rwTasks, r.N, func(turns int) {
				for i := range turns {
					if i%100 < percent {
						mu.RLock()
						if begun != ended {
							wrong.Add(1)
						}
						mu.RUnlock()
					} else {
						mu.Lock()
						begun++
						ended++
						mu.Unlock()
					}
				}
			})
			return errors.Join(mismatch("reads amid a write", wrong.Load(), 0), mismatch("writes", ended, int64(r.N/100*(100-percent))))
		},
	}
}

func condNative(r *Round) error {
	c := sync.NewCond(&sync.Mutex{})
	all := sync.NewCond(c.L)
	waiting, woken, round := 0, 0, 0
	rounds := r.N / condCrowd
	var wg sync.WaitGroup
	for range condCrowd {
		wg.Go(func() {
			c.L.Lock()
			for mine := range rounds {
				if waiting++; waiting == condCrowd {
					all.Signal()
				}
				for round == mine {
					c.Wait()
				}
				woken++
			}
			c.L.Unlock()
		})
	}
	for range rounds {
		c.L.Lock()
		for waiting < condCrowd {
			all.Wait()
		}
		waiting = 0
		round++
		c.Broadcast()
		c.L.Unlock()
	}
	wg.Wait()
	return mismatch("woken", int64(woken), int64(r.N))
}

func condUserrt(r *Round) error {
	c := locks.NewCond(&locks.Mutex{})
	all := locks.NewCond(c.L)
	waiting, woken, round := 0, 0, 0
	rounds := r.N / condCrowd
	var wg waitgroup.WaitGroup
	for range condCrowd {
		wg.Go(func() {
			c.L.Lock()
			for mine := range rounds {
				if waiting++; waiting == condCrowd {
					all.Signal()
				}
				for round == mine {
					c.Wait()
				}
				woken++
			}
			c.L.Unlock()
		})
	}
	for range rounds {
		c.L.Lock()
		for waiting < condCrowd {
			all.Wait()
		}
		waiting = 0
		round++
		c.Broadcast()
		c.L.Unlock()
	}
	wg.Wait()
	return mismatch("woken", int64(woken), int64(r.N))
}

func semaphoreNative(r *Round) error {
	s := semaphore.NewWeighted(semaphoreSize)
	ctx := context.Background()
	var inside, wrong atomic.Int64
	crowdNative(semaphoreTasks, r.N, func(turns int) {
		for range turns {
			if s.Acquire(ctx, 1) != nil || inside.Add(1) > semaphoreSize {
				wrong.Add(1)
			}
			runtime.Gosched()
			inside.Add(-1)
			s.Release(1)
		}
	})
	return checkSemaphore(s.TryAcquire, wrong.Load())
}

func semaphoreUserrt(r *Round) error {
	s := locks.NewSemaphore(semaphoreSize)
	ctx := context.Background()
	var inside, wrong atomic.Int64
	crowdUserrt(semaphoreTasks, r.N, func(turns int) {
		for range turns {
			if s.Acquire(ctx, 1) != nil || inside.Add(1) > semaphoreSize {
				wrong.Add(1)
			}
			sched.Yield()
			inside.Add(-1)
			s.Release(1)
		}
	})
	return checkSemaphore(s.TryAcquire, wrong.Load())
}

// checkSemaphore says whether none was let in who should not have been, and whether what was taken is back, all of it and no
// more.
func checkSemaphore(try func(n int64) bool, wrong int64) error {
	if !try(semaphoreSize) || try(1) {
		return errors.New("wrong result: a semaphore holds more or less than in the beginning")
	}
	return mismatch("turns out of bounds", wrong, 0)
}

func onceNative(r *Round) error {
	var once sync.Once
	calls := int64(0)
	f := func() { calls++ }
	for range r.N {
		once.Do(f)
	}
	return mismatch("calls", calls, 1)
}

func onceUserrt(r *Round) error {
	var once locks.Once
	calls := int64(0)
	f := func() { calls++ }
	for range r.N {
		once.Do(f)
	}
	return mismatch("calls", calls, 1)
}
