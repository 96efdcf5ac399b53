// A system call that blocks: the P goes to another thread meanwhile.
//
// You will see: one P, eight tasks that wait in the kernel again and again, and a ninth that computes. What they wait for is the
// disk (fsync), or a clock (50 ms), which is as long on each machine. Within sched.Block a task keeps its thread, which sleeps in the
// kernel, but not its P: that is handed to another thread, a new one or one from the cache of idle ones, and the computing goes on; the
// longest time between two of its steps tells how well. When the call is over the task needs a P again, and if there is none it
// queues like any other, and its thread goes into the cache. The ninth gives way after each step, or makes no call at all: then a P that
// stands in for its own serves the eight. How long the kernel alone keeps such a loop waiting on this machine is measured first.
// Each worker that was started was wanted for a reason, so the counters add up. Then the same without Block: the scheduler does not
// know that a task waits, and can only let another P stand in when that has lasted for 10 ms.
//
// Concepts: synchronous system calls, hand-off of a P, the thread cache.
// Read next: docs/tour.md, "15"; sched/block.go.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

const (
	waiters = 8
	pause   = 50 * time.Millisecond
)

// kinds are what the eight do, and how often each.
var kinds = []kind{
	{"fsync", 20, openFile},
	{"50ms", 5, openClock},
}

type kind struct {
	name   string
	rounds int
	open   func(dir string, i int) (call func() error, err error)
}

func main() {
	steps, gap := alone(200 * time.Millisecond)
	fmt.Printf("the ninth alone, natively: %d steps, longest gap %v\n", steps, gap.Round(10*time.Microsecond))
	for _, k := range kinds {
		for _, how := range []how{{block: true, yields: true}, {block: true}, {yields: true}} {
			r, err := measure(k, how)
			if err != nil {
				log.Fatal(err)
			}
			r.print(os.Stdout)
		}
	}
}

// openFile makes the call that writes to a new file and waits for the disk.
func openFile(dir string, i int) (func() error, error) {
	f, err := os.Create(fmt.Sprintf("%s/%d", dir, i))
	if err != nil {
		return nil, err
	}
	return func() error { // the process ends soon, or the directory: nobody need close it
		_, err := f.Write(make([]byte, 4096))
		return errors.Join(err, f.Sync())
	}, nil
}

// openClock makes the call that waits for as long as a slow disk.
func openClock(string, int) (func() error, error) {
	return func() error { time.Sleep(pause); return nil }, nil
}

type how struct {
	block  bool // the eight wait within Block
	yields bool // the ninth gives way after each step
}

type result struct {
	kind
	how
	took  time.Duration
	steps int           // of the ninth
	gap   time.Duration // the longest between two of them
	stats sched.Stats
}

func measure(k kind, how how) (*result, error) {
	dir, err := os.MkdirTemp("", "blocking")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s, err := sched.New(sched.Config{Procs: 1})
	if err != nil {
		return nil, err
	}
	r, start := &result{kind: k, how: how}, time.Now()
	var failed error
	err = s.Run(func() {
		var stop atomic.Bool
		var computing, waiting waitgroup.WaitGroup
		between := func() {}
		if r.yields {
			between = sched.Yield
		}
		computing.Go(func() { r.steps, r.gap = compute(&stop, between) })
		var errs [waiters]error
		for i := range waiters {
			waiting.Go(func() { errs[i] = r.wait(dir, i) })
		}
		waiting.Wait()
		stop.Store(true)
		computing.Wait()
		failed = errors.Join(errs[:]...)
	})
	r.took = time.Since(start)
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	r.stats = atRest(s)
	return r, s.Close()
}

// compute is the ninth: steps of some microseconds until stop, and between is called after each.
func compute(stop *atomic.Bool, between func()) (steps int, gap time.Duration) {
	last := time.Now()
	for x := uint32(1); !stop.Load(); steps++ {
		for range 10_000 {
			x = x*1664525 + 1013904223
		}
		between()
		now := time.Now()
		gap = max(gap, now.Sub(last))
		last = now
	}
	return steps, gap
}

// alone is the ninth as a plain goroutine with nothing beside it but what else the machine has to do.
func alone(d time.Duration) (steps int, gap time.Duration) {
	var stop atomic.Bool
	time.AfterFunc(d, func() { stop.Store(true) })
	return compute(&stop, func() {})
}

// wait is one of the eight.
func (r *result) wait(dir string, i int) error {
	call, err := r.open(dir, i)
	if err != nil {
		return err
	}
	for range r.rounds {
		if r.block {
			sched.Block(func() { err = call() })
		} else {
			err = call()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// atRest returns the counters when the workers have gone to sleep: until then they need not add up.
func atRest(s *sched.Scheduler) sched.Stats {
	for {
		if st := s.Stats(); st.IdleThreads == st.Threads {
			return st
		}
		time.Sleep(time.Millisecond)
	}
}

func (r *result) print(w io.Writer) {
	st := r.stats
	ninth := "yields"
	if !r.yields {
		ninth = "makes no call"
	}
	fmt.Fprintf(w, "%s, block=%v: %d calls in %v; the ninth %s: %d steps, longest gap %v\n",
		r.name, r.block, waiters*r.rounds, r.took.Round(time.Millisecond), ninth, r.steps, r.gap.Round(10*time.Microsecond))
	fmt.Fprintf(w, "    %d threads made + %d reused = %d hand-offs + %d wake-ups for an idle P; %d calls of Block, %d reliefs\n",
		st.ThreadsCreated, st.ThreadsReused, st.HandOffs, st.Wakes, st.Blocks, st.Reliefs)
}
