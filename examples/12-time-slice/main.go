// The 10 ms time slice: a task that computes and computes does not starve the others.
//
// You will see: a task that wants to wake up every millisecond, beside a hog, on one P and on two: how late it woke, and what
// the scheduler has done about the hog. A hog that makes calls of userrt (here on a channel) is marked after 10 ms and gives way
// at its next call: a preemption, again and again. One that makes no call can't be interrupted by a library;
// another P and thread stand in for its P for as long as it goes on: one relief, and then nobody waits. With a second P the
// sleeper has that. (On a busy machine a hog whose thread is kept waiting by the kernel may be relieved too.)
//
// Concepts: time slices, preemption, the monitor thread.
// Read next: docs/tour.md, "12"; sched/preempt.go and sched/relief.go.
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
)

const wakeUps = 20

func main() {
	for _, procs := range []int{1, 2} {
		for _, calls := range []bool{true, false} {
			r, err := measure(procs, calls)
			if err != nil {
				log.Fatal(err)
			}
			r.print(os.Stdout)
		}
	}
}

type result struct {
	procs int
	calls bool
	late  []time.Duration // of each wake-up
	turns uint64          // that the hog has made
	stats sched.Stats
}

// measure has a task sleep and wake while a hog runs.
func measure(procs int, calls bool) (*result, error) {
	s, err := sched.New(sched.Config{Procs: procs})
	if err != nil {
		return nil, err
	}
	r := &result{procs: procs, calls: calls}
	var stop atomic.Bool
	err = s.Run(func() {
		hog := sched.Spawn(func() (uint64, error) { return loop(&stop, calls), nil })
		for range wakeUps {
			const d = time.Millisecond
			start := time.Now()
			sched.Sleep(d)
			r.late = append(r.late, time.Since(start)-d)
		}
		stop.Store(true)
		r.turns, err = hog.Wait()
	})
	if err != nil {
		return nil, err
	}
	r.stats = s.Stats()
	return r, s.Close()
}

// loop is the hog.
func loop(stop *atomic.Bool, calls bool) (turns uint64) {
	c := hchan.Make[uint64](1)
	for !stop.Load() {
		if calls {
			c.Send(turns) // there is room: it does not wait
			turns, _ = c.Recv()
		}
		turns++
	}
	return turns
}

func (r *result) print(w io.Writer) {
	slices.Sort(r.late)
	ms := func(d time.Duration) float64 { return d.Seconds() * 1e3 }
	hog := "no call"
	if r.calls {
		hog = "calls"
	}
	fmt.Fprintf(w, "Procs %d, hog with %-7s: %d wake-ups, late by %4.1f ms (median), %4.1f ms at worst; %d preemptions, %d reliefs; the hog made %d turns\n",
		r.procs, hog, len(r.late), ms(r.late[len(r.late)/2]), ms(r.late[len(r.late)-1]), r.stats.Preemptions, r.stats.Reliefs, r.turns)
}
