// Timers: how late a sleeper wakes, here and natively.
//
// You will see: for a few lengths of sleep, how much later than asked 400 sleeps end, as quantiles, first with
// time.Sleep in a goroutine, then with sched.Sleep in a task; then the same while two tasks, or goroutines, keep
// the processors busy. No sleep is ever short. The numbers differ from run to run and from machine to machine.
// When nothing else runs, the native runtime waits in epoll, which counts in milliseconds; our worker waits in
// futex(2), which counts in nanoseconds.
//
// Concepts: timers and deadlines; a worker that sleeps for all others.
// Read next: sched/timers.go and sched/events.go.
package main

import (
	"fmt"
	"log"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/sched"
)

var sleeps = 400 // of each length

func main() {
	runtime.GOMAXPROCS(2)
	s, err := sched.New(sched.Config{Procs: 2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("lateness            sleep        10 %        50 %        90 %        worst")
	for _, busy := range []bool{false, true} {
		for _, d := range []time.Duration{50 * time.Microsecond, 500 * time.Microsecond, 3 * time.Millisecond} {
			show("time.Sleep", busy, d, native(busy, d))
			show("sched.Sleep", busy, d, userrt(s, busy, d))
		}
	}
	if err := s.Close(); err != nil {
		log.Fatal(err)
	}
}

// measure sleeps again and again and returns how late it woke.
func measure(d time.Duration, sleep func(time.Duration)) (late []time.Duration) {
	for range sleeps {
		start := time.Now()
		sleep(d)
		late = append(late, time.Since(start)-d)
	}
	return late
}

func native(busy bool, d time.Duration) (late []time.Duration) {
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for busy && !stop.Load() {
				runtime.Gosched()
			}
		})
	}
	wg.Go(func() { late = measure(d, time.Sleep); stop.Store(true) })
	wg.Wait()
	return late
}

func userrt(s *sched.Scheduler, busy bool, d time.Duration) (late []time.Duration) {
	var stop atomic.Bool
	for range 2 {
		s.Go(func() {
			for busy && !stop.Load() {
				sched.Yield()
			}
		})
	}
	if err := s.Run(func() { late = measure(d, sched.Sleep); stop.Store(true) }); err != nil {
		log.Fatal(err)
	}
	return late
}

func show(name string, busy bool, d time.Duration, late []time.Duration) {
	slices.Sort(late)
	if late[0] < 0 {
		log.Fatalf("%s(%v) was short by %v", name, d, -late[0])
	}
	if busy {
		name += ", busy"
	}
	q := func(percent int) time.Duration { return late[(len(late)-1)*percent/100].Round(100 * time.Nanosecond) }
	fmt.Printf("%-17s %7v %11v %11v %11v %12v\n", name, d, q(10), q(50), q(90), q(100))
}
