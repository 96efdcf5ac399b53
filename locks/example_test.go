package locks_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/locks"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

// onOneP runs f in a task of a Scheduler with one P, where what happens between two yields is not interrupted. (But that a task
// which has run for long gives way; with such a time slice none has.)
func onOneP(f func()) *sched.Scheduler {
	s, err := sched.New(sched.Config{Procs: 1, Tunables: sched.Tunables{TimeSlice: time.Minute}})
	if err != nil {
		panic(err)
	}
	if err := s.Run(f); err != nil {
		panic(err)
	}
	return s
}

// i++ is three steps: read, add, write. Two tasks that each do it come to 2 if one does all three before the other begins, and
// to 1 if both read before either writes: an update is lost. (The accesses here are atomic, so that this is no data race in the
// sense of the race detector; it is a race all the same.)
func Example_lostUpdate() {
	show := func(how string, increment func(i *atomic.Int64)) {
		var i atomic.Int64
		s := onOneP(func() {
			var wg waitgroup.WaitGroup
			for range 2 {
				wg.Go(func() { increment(&i) })
			}
			wg.Wait()
		})
		defer s.Close()
		fmt.Println(how, i.Load())
	}
	show("one after the other:   ", func(i *atomic.Int64) { i.Store(i.Load() + 1) })
	show("both read first:       ", func(i *atomic.Int64) {
		old := i.Load()
		sched.Yield() // now the other one
		i.Store(old + 1)
	})
	var mu locks.Mutex
	show("the same, with a Mutex:", func(i *atomic.Int64) {
		mu.Lock()
		defer mu.Unlock()
		old := i.Load()
		sched.Yield() // the other one waits for the lock
		i.Store(old + 1)
	})
	// Output:
	// one after the other:    2
	// both read first:        1
	// the same, with a Mutex: 2
}

// Two tasks take two locks in opposite orders, and each waits for what the other has. With DetectDeadlock Run says
// so, and names tasks and locks.
func Example_lockOrder() {
	s, err := sched.New(sched.Config{Procs: 1, DetectDeadlock: true})
	if err != nil {
		panic(err)
	}
	var fork, knife locks.Mutex
	dine := func(first, second *locks.Mutex) func() {
		return func() {
			first.Lock()
			sched.Yield()
			second.Lock()   // for ever
			second.Unlock() //lint:ignore SA2001 nobody gets here
			first.Unlock()
		}
	}
	err = s.Run(func() {
		var both waitgroup.WaitGroup
		both.Add(2)
		sched.GoWith(dine(&fork, &knife), sched.TaskOptions{Name: "Plato"})
		sched.GoWith(dine(&knife, &fork), sched.TaskOptions{Name: "Kant"})
		both.Wait()
	})
	var dead *sched.DeadlockError
	if errors.As(err, &dead) {
		names := strings.NewReplacer(fmt.Sprintf("%p", &fork), "fork", fmt.Sprintf("%p", &knife), "knife")
		slices.SortFunc(dead.Tasks, func(a, b sched.DeadlockTask) int { return strings.Compare(b.Name, a.Name) })
		for _, task := range dead.Tasks[:2] {
			fmt.Printf("%s [%v] on %s held by %s\n", task.Name, task.Reason, names.Replace(task.On), task.Holder.Name)
		}
	}
	fmt.Println(s.Close()) // unwinds them
	// Output:
	// Plato [sync.Mutex.Lock] on Mutex knife locked held by Kant
	// Kant [sync.Mutex.Lock] on Mutex fork locked held by Plato
	// <nil>
}

// A thousand tasks wait for each kind of lock, and a thread or two are enough for all: it is tasks that wait.
func Example_parkTasksNotThreads() {
	var mu locks.Mutex
	var rw, read locks.RWMutex
	cond := locks.NewCond(&locks.Mutex{})
	var once locks.Once
	sem := locks.NewSemaphore(1)

	var gate locks.Mutex // keeps the Once's function from returning
	s := onOneP(func() {
		gate.Lock()
		mu.Lock()
		rw.Lock()
		read.Lock()
		_ = sem.Acquire(context.Background(), 1)
	})
	waits := []struct {
		name string
		wait func()
	}{
		{"Mutex.Lock", func() { mu.Lock(); defer mu.Unlock() }},
		{"RWMutex.Lock", func() { rw.Lock(); defer rw.Unlock() }},
		{"RWMutex.RLock", func() { read.RLock(); defer read.RUnlock() }},
		{"Cond.Wait", func() { cond.L.Lock(); defer cond.L.Unlock(); cond.Wait() }},
		{"Once.Do", func() { once.Do(func() { gate.Lock() }) }},
		{"Semaphore.Acquire", func() { _ = sem.Acquire(context.Background(), 1); sem.Release(1) }},
	}
	atRest := func() sched.Stats { // when every task waits
		for {
			if st := s.Stats(); st.IdleProcs > 0 && st.GlobalQueue == 0 {
				return st
			}
			time.Sleep(time.Millisecond)
		}
	}
	for _, w := range waits {
		before := atRest().Tasks // the task of a Run that has returned is counted until its P is idle
		for range 1000 {
			s.Go(w.wait)
		}
		st := atRest()
		fmt.Printf("%-17s %d tasks wait, few threads: %v\n", w.name, st.Tasks-before, st.Threads < 5)
	}
	mu.Unlock()
	rw.Unlock()
	read.Unlock()
	cond.Broadcast()
	gate.Unlock()
	sem.Release(1)
	fmt.Println("all go on:", s.Shutdown(context.Background()))
	// Output:
	// Mutex.Lock        1000 tasks wait, few threads: true
	// RWMutex.Lock      1000 tasks wait, few threads: true
	// RWMutex.RLock     1000 tasks wait, few threads: true
	// Cond.Wait         1000 tasks wait, few threads: true
	// Once.Do           1000 tasks wait, few threads: true
	// Semaphore.Acquire 1000 tasks wait, few threads: true
	// all go on: <nil>
}

// LockContext waits for a lock for no longer than a context lasts.
func ExampleMutex_LockContext() {
	var mu locks.Mutex
	mu.Lock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println(mu.LockContext(ctx))
	mu.Unlock()
	fmt.Println(mu.LockContext(ctx)) // need not wait
	// Output:
	// context deadline exceeded
	// <nil>
}

// Readers have the lock together, a writer has it alone.
func ExampleRWMutex() {
	var mu locks.RWMutex
	stock := map[string]int{"tea": 3}
	var wg waitgroup.WaitGroup
	for range 3 {
		wg.Go(func() {
			mu.RLock()
			defer mu.RUnlock()
			_ = stock["tea"]
		})
	}
	wg.Go(func() {
		mu.Lock()
		defer mu.Unlock()
		stock["tea"]--
	})
	wg.Wait()

	mu.RLock()
	fmt.Println(stock["tea"])
	fmt.Println("one more reader:", mu.TryRLock())
	fmt.Println("a writer:", mu.TryLock())
	mu.RUnlock()
	mu.RUnlock()
	fmt.Println("a writer now:", mu.TryLock())
	mu.Unlock()
	// Output:
	// 2
	// one more reader: true
	// a writer: false
	// a writer now: true
}

// Whoever comes first does it, and the others wait until it is done.
func ExampleOnce() {
	var once locks.Once
	var wg waitgroup.WaitGroup
	ready := false
	var found atomic.Int64
	for range 10 {
		wg.Go(func() {
			once.Do(func() {
				fmt.Println("getting ready")
				sched.Yield()
				ready = true
			})
			if ready {
				found.Add(1)
			}
		})
	}
	wg.Wait()
	fmt.Println(found.Load(), "found it ready")
	// Output:
	// getting ready
	// 10 found it ready
}

// A value that is computed when it is first asked for, and kept.
func ExampleOnceValue() {
	sum := locks.OnceValue(func() int {
		fmt.Println("adding")
		sum := 0
		for i := range 101 {
			sum += i
		}
		return sum
	})
	var wg waitgroup.WaitGroup
	for range 3 {
		wg.Go(func() { _ = sum() })
	}
	wg.Wait()
	fmt.Println(sum())
	// Output:
	// adding
	// 5050
}

// A Semaphore bounds how many do something at the same time.
func ExampleSemaphore() {
	const most = 3
	sem := locks.NewSemaphore(most)
	var now, high atomic.Int64
	var wg waitgroup.WaitGroup
	for range 20 {
		wg.Go(func() {
			if sem.Acquire(context.Background(), 1) != nil {
				return
			}
			defer sem.Release(1)
			high.Store(max(high.Load(), now.Add(1)))
			sched.Yield()
			now.Add(-1)
		})
	}
	wg.Wait()
	fmt.Println(high.Load() <= most)
	// Output:
	// true
}

// Wait stands in a loop: when it returns, what was waited for may be gone again.
func ExampleCond() {
	var mu locks.Mutex
	cond := locks.NewCond(&mu)
	var queue []string
	done := make(chan bool)
	sched.Go(func() {
		mu.Lock()
		for len(queue) == 0 {
			cond.Wait()
		}
		fmt.Println(queue[0])
		mu.Unlock()
		close(done)
	})
	mu.Lock()
	queue = append(queue, "tea")
	mu.Unlock()
	cond.Signal()
	<-done
	// Output:
	// tea
}
