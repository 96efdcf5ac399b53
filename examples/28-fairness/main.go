// Fairness of a lock: who gets it how often, and how long the unluckiest waits, beside sync.Mutex.
//
// You will see: for 2, 8 and 100 tasks that want one Mutex all the time, how often the luckiest and the unluckiest had
// it, and the longest wait of all; the same for goroutines and sync.Mutex. Once with short sections, where whoever has just
// unlocked mostly gets the lock again, since the others are parked; once with sections that yield. Both locks are
// unfair for up to a millisecond, since that is fastest, and then hand over in the order of arrival: without that the
// longest wait would be as long as the program runs. (On a busy machine a thread may itself wait for a processor for some 10 ms.)
//
// Concepts: mutual exclusion, barging, starvation mode; parking the task and not the thread.
// Read next: docs/tour.md, "28"; locks/mutex.go and locks/mutex_slow.go.
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/userrt/userrt/locks"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

func main() {
	for _, yields := range []bool{false, true} {
		for _, tasks := range []int{2, 8, 100} {
			native := native(tasks, yields, 300*time.Millisecond)
			ours, err := ours(tasks, yields, 300*time.Millisecond)
			if err != nil {
				log.Fatal(err)
			}
			native.print(os.Stdout, "sync ", yields)
			ours.print(os.Stdout, "locks", yields)
		}
	}
}

// result has of each task how often it had the lock and how long it has waited for it at most.
type result struct {
	turns   []int
	longest []time.Duration
	inside  int // all turns, counted under the lock alone
}

// contend is one task: it wants the lock again and again until the end, from the start on.
func (r *result) contend(i int, start, end time.Time, lock, unlock, section func()) {
	for now := start; now.Before(end); {
		lock()
		got := time.Now()
		r.longest[i] = max(r.longest[i], got.Sub(now))
		r.turns[i]++
		r.inside++
		section()
		unlock()
		now = time.Now()
	}
}

func newResult(tasks int) *result {
	return &result{turns: make([]int, tasks), longest: make([]time.Duration, tasks)}
}

func native(tasks int, yields bool, d time.Duration) *result {
	r := newResult(tasks)
	var mu sync.Mutex
	var wg sync.WaitGroup
	section := func() {}
	if yields {
		section = runtime.Gosched
	}
	start := time.Now()
	for i := range tasks {
		wg.Go(func() { r.contend(i, start, start.Add(d), mu.Lock, mu.Unlock, section) })
	}
	wg.Wait()
	return r
}

func ours(tasks int, yields bool, d time.Duration) (*result, error) {
	s, err := sched.New(sched.Config{})
	if err != nil {
		return nil, err
	}
	r := newResult(tasks)
	err = s.Run(func() {
		var mu locks.Mutex
		var wg waitgroup.WaitGroup
		section := func() {}
		if yields {
			section = sched.Yield
		}
		start := time.Now()
		for i := range tasks {
			wg.Go(func() { r.contend(i, start, start.Add(d), mu.Lock, mu.Unlock, section) })
		}
		wg.Wait()
	})
	if err != nil {
		return nil, err
	}
	return r, s.Close()
}

func (r *result) print(w io.Writer, whose string, yields bool) {
	sum := 0
	for _, n := range r.turns {
		sum += n
	}
	section := "short"
	if yields {
		section = "yields"
	}
	fmt.Fprintf(w, "%s section %-6s %3d tasks: %8d turns, the luckiest had %7d, the unluckiest %7d; longest wait %7.2f ms\n",
		whose, section, len(r.turns), sum, slices.Max(r.turns), slices.Min(r.turns), slices.Max(r.longest).Seconds()*1e3)
}
