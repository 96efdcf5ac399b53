// Pairs for timers: how late a sleeper wakes, what setting and firing a timer costs.
//
// Go's counterparts: time/sleep_test.go, BenchmarkReset, BenchmarkStop, BenchmarkSleep1000.

package main

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

const (
	sleepTime   = 100 * time.Microsecond
	timerBatch  = 1000
	timerSpread = 3000 // seconds before the hour at which timers are set, at most

	// Blocks are long beside the making of a timer and of body's tasks, and short beside what disturbs a machine.
	pendingBlock = 250 // round trips
	pendingStep  = 2 * pendingBlock
	percentOf    = "%"
)

func timerPairs() []Pair {
	return []Pair{
		{
			Name: "sched/sleep-late", Unit: nsPerOp, Step: 1,
			Doc:    "one task sleeps 100 µs, alone; how much later it wakes, per sleep",
			Native: func(r *Round) error { return sleepLate(r, time.Sleep) },
			Userrt: func(r *Round) error { return sleepLate(r, sched.Sleep) },
		},
		timerSet(timerBatch),
		{
			Name: "sched/timer-fire", Unit: nsPerOp, Step: timerBatch,
			Doc:    "AfterFunc 1,000 times, due at once, and wait for all the functions; per timer",
			Native: timerFireNative, Userrt: timerFireUserrt,
		},
		{
			Name: "sched/pending-timer", Unit: percentOf, Step: pendingStep,
			Doc:    "what a pending AfterFunc, each side its own, makes of hchan/pingpong; its time with one in % of that without",
			Native: func(r *Round) error { return compareBlocks(r, pendingNative, pingPongNative) },
			Userrt: func(r *Round) error { return compareBlocks(r, pendingUserrt, pingPongUserrt) },
		},
		{
			Name: "sched/native-timer", Unit: percentOf, Step: pendingStep,
			Doc:    "the same, with a time.AfterFunc on both sides; time with one in % of that without",
			Native: func(r *Round) error { return compareBlocks(r, pendingNative, pingPongNative) },
			Userrt: func(r *Round) error { return compareBlocks(r, pendingNative, pingPongUserrt) },
		},
	}
}

// The pairs above are the exception to what main.go says: a timer is pending while they are timed. A pending timer costs
// whoever looks at the clock for it, natively the scheduler in each of its passes. That is too little to be found by holding
// one pair's row against another's, so a round consists of blocks of body, with and without in turns, and its cost is the
// median of what one block takes more than its neighbour. begin makes the timer and returns how to stop it. It is an AfterFunc:
// a time.Timer with a channel is pending only while somebody waits for it.
func compareBlocks(r *Round, begin func() (stop func() bool), body Body) error {
	block := func() (float64, error) {
		start := time.Now()
		err := body(&Round{N: pendingBlock})
		return float64(time.Since(start)), err
	}
	with := func() (float64, error) {
		stop := begin()
		took, err := block()
		if !stop() {
			err = errors.Join(err, errors.New("the timer was not pending to the end"))
		}
		return took, err
	}
	var quotients []float64
	for i := range r.N / pendingStep {
		var times [2]float64
		for half := range 2 {
			measure, at := block, 0
			if half != i%2 {
				measure, at = with, 1
			}
			var err error
			if times[at], err = measure(); err != nil {
				return err
			}
		}
		quotients = append(quotients, times[1]/times[0])
	}
	median, _ := medianAndSpread(quotients)
	r.Cost = 100 * median * float64(r.N)
	return nil
}

func pendingNative() (stop func() bool) { return time.AfterFunc(time.Hour, func() {}).Stop }

func pendingUserrt() (stop func() bool) { return sched.AfterFunc(time.Hour, func() {}).Stop }

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

// timerSet makes the pair in which so many timers are set and stopped: at most so many are pending.
func timerSet(timers int) Pair {
	return Pair{
		Name: "sched/timer-set", Unit: nsPerOp, Step: timers,
		Doc:    fmt.Sprintf("set each of %s timers an hour ahead, again, and stop it; per timer", thousands(timers)),
		Native: func(r *Round) error { return timerSetNative(r, timers) },
		Userrt: func(r *Round) error { return timerSetUserrt(r, timers) },
	}
}

func timerSetNative(r *Round, size int) error {
	timers := make([]*time.Timer, size)
	for i := range timers {
		timers[i] = time.AfterFunc(time.Hour, func() {})
	}
	start := time.Now() // they have been made
	for round := range r.N / size {
		for i, t := range timers {
			if t.Reset(time.Hour-time.Duration(i%timerSpread)*time.Second) != (round == 0) {
				return fmt.Errorf("a timer that was stopped was pending, or the other way round")
			}
		}
		for _, t := range timers {
			if !t.Stop() {
				return fmt.Errorf("a timer was not pending")
			}
		}
	}
	r.Took = time.Since(start)
	return nil
}

func timerSetUserrt(r *Round, size int) error {
	timers := make([]*sched.Timer, size)
	for i := range timers {
		timers[i] = sched.AfterFunc(time.Hour, func() {})
	}
	start := time.Now() // they have been made
	for round := range r.N / size {
		for i, t := range timers {
			if t.Reset(time.Hour-time.Duration(i%timerSpread)*time.Second) != (round == 0) {
				return fmt.Errorf("a timer that was stopped was pending, or the other way round")
			}
		}
		for _, t := range timers {
			if !t.Stop() {
				return fmt.Errorf("a timer was not pending")
			}
		}
	}
	r.Took = time.Since(start)
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
