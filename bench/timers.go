// Pairs for timers: how late a sleeper wakes, what setting and firing a timer costs.
//
// Go's counterparts: time/sleep_test.go, BenchmarkReset, BenchmarkStop, BenchmarkSleep1000.

package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

const (
	sleepTime  = 100 * time.Microsecond
	timerBatch = 1000
)

func timerPairs() []Pair {
	return []Pair{
		{
			Name: "sched/sleep-late", Unit: nsPerOp, Step: 1,
			Doc:    "one task sleeps 100 µs, alone; how much later it wakes, per sleep",
			Native: func(r *Round) error { return sleepLate(r, time.Sleep) },
			Userrt: func(r *Round) error { return sleepLate(r, sched.Sleep) },
		},
		{
			Name: "sched/timer-set", Unit: nsPerOp, Step: timerBatch,
			Doc:    "set each of 1,000 timers an hour ahead, again, and stop it; per timer",
			Native: timerSetNative, Userrt: timerSetUserrt,
		},
		{
			Name: "sched/timer-fire", Unit: nsPerOp, Step: timerBatch,
			Doc:    "AfterFunc 1,000 times, due at once, and wait for all the functions; per timer",
			Native: timerFireNative, Userrt: timerFireUserrt,
		},
	}
}

// sleepLate counts the lateness only: the sleep itself is the same on both sides.
func sleepLate(r *Round, sleep func(time.Duration)) error {
	var late time.Duration
	for range r.N {
		start := time.Now()
		sleep(sleepTime)
		l := time.Since(start) - sleepTime
		if l < 0 {
			return fmt.Errorf("woke %v early", -l)
		}
		late += l
	}
	r.Took = max(late, 1)
	return nil
}

func timerSetNative(r *Round) error {
	timers := make([]*time.Timer, timerBatch)
	for i := range timers {
		timers[i] = time.AfterFunc(time.Hour, func() {})
	}
	for round := range r.N / timerBatch {
		for i, t := range timers {
			if t.Reset(time.Hour-time.Duration(i)*time.Second) != (round == 0) {
				return fmt.Errorf("a timer that was stopped was pending, or the other way round")
			}
		}
		for _, t := range timers {
			if !t.Stop() {
				return fmt.Errorf("a timer was not pending")
			}
		}
	}
	return nil
}

func timerSetUserrt(r *Round) error {
	timers := make([]*sched.Timer, timerBatch)
	for i := range timers {
		timers[i] = sched.AfterFunc(time.Hour, func() {})
	}
	for round := range r.N / timerBatch {
		for i, t := range timers {
			if t.Reset(time.Hour-time.Duration(i)*time.Second) != (round == 0) {
				return fmt.Errorf("a timer that was stopped was pending, or the other way round")
			}
		}
		for _, t := range timers {
			if !t.Stop() {
				return fmt.Errorf("a timer was not pending")
			}
		}
	}
	return nil
}

func timerFireNative(r *Round) error {
	var fired atomic.Int64
	var wg sync.WaitGroup
	f := func() { fired.Add(1); wg.Done() }
	for range r.N / timerBatch {
		wg.Add(timerBatch)
		for range timerBatch {
			time.AfterFunc(0, f)
		}
		wg.Wait()
	}
	return mismatch("timers fired", fired.Load(), int64(r.N))
}

func timerFireUserrt(r *Round) error {
	var fired atomic.Int64
	var wg waitgroup.WaitGroup
	f := func() { fired.Add(1); wg.Done() }
	for range r.N / timerBatch {
		wg.Add(timerBatch)
		for range timerBatch {
			sched.AfterFunc(0, f)
		}
		wg.Wait()
	}
	return mismatch("timers fired", fired.Load(), int64(r.N))
}
