// Fairness: how a lock is shared out among tasks that all want it again and again. The pairs of one Mutex have it beside their cost.
//
// In the timed rounds each task has a number of turns of its own, so nothing could be seen there. Here all try for as long as the round
// lasts: who had the lock how often, and how long anyone has waited for it, from the moment at which it wanted it. All want it from the
// start on, also those that don't get a processor for long. The tasks read the clock before and after they wait, which the timed rounds
// are free of; so this is a round of its own for each side, after the others, and no cost comes from it.
//
// Go's counterpart: sync/mutex_test.go, TestMutexFairness, of one hog and one other goroutine.

package main

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/userrt/userrt/locks"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

// fairRounds is for how many rounds' time the tasks try: 200 ms, in which each of 8 has several time slices of 10 ms.
const fairRounds = 20

// Fairness is what one side has made of it.
type Fairness struct {
	Tasks     int     `json:"tasks"`
	Turns     int     `json:"turns"`     // of all tasks
	Least     int     `json:"least"`     // of the task that had fewest
	Most      int     `json:"most"`      // of the task that had most
	Deviation float64 `json:"deviation"` // of the turns over the tasks: standard deviation/mean
	Longest   float64 `json:"longest"`   // wait for a turn, in ns
}

// sharing has one side's tasks want a lock for so long.
type sharing func(d time.Duration) (*Fairness, error)

// contest is one round: tasks that want a lock until the time is up.
type contest struct {
	start                 time.Time
	d                     time.Duration
	lock, section, unlock func()
	sum                   int // guarded by the lock
	turns                 []int
	longest               []time.Duration
}

func newContest(tasks int, d time.Duration, lock, section, unlock func()) *contest {
	return &contest{
		start: time.Now(), d: d, lock: lock, section: section, unlock: unlock,
		turns: make([]int, tasks), longest: make([]time.Duration, tasks),
	}
}

// compete is the i-th task. It has one turn at least, which may be after the end.
func (c *contest) compete(i int) {
	turns, longest := 0, time.Duration(0)
	for asked := time.Duration(0); asked < c.d; asked = time.Since(c.start) {
		c.lock()
		longest = max(longest, time.Since(c.start)-asked)
		turns++
		c.sum++
		c.section()
		c.unlock()
	}
	c.turns[i], c.longest[i] = turns, longest
}

// outcome sums up, and says whether two were ever in at the same time, as far as that can be seen in a number.
func (c *contest) outcome() (*Fairness, error) {
	f := &Fairness{
		Tasks: len(c.turns), Least: slices.Min(c.turns), Most: slices.Max(c.turns),
		Longest: float64(slices.Max(c.longest).Nanoseconds()),
	}
	for _, n := range c.turns {
		f.Turns += n
	}
	mean, squares := float64(f.Turns)/float64(f.Tasks), 0.0
	for _, n := range c.turns {
		squares += (float64(n) - mean) * (float64(n) - mean)
	}
	f.Deviation = math.Sqrt(squares/float64(f.Tasks)) / mean
	return f, mismatch("sum", int64(c.sum), int64(f.Turns))
}

// shared makes p, whose tasks all want one Mutex and yield while they have it or don't, a pair with fairness.
func (p Pair) shared(tasks int, yields bool) Pair {
	nothing := func() {}
	p.NativeShares = func(d time.Duration) (*Fairness, error) {
		section := nothing
		if yields {
			section = runtime.Gosched
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		c := newContest(tasks, d, mu.Lock, section, mu.Unlock)
		for i := range tasks {
			wg.Go(func() { c.compete(i) })
		}
		wg.Wait()
		return c.outcome()
	}
	p.UserrtShares = func(d time.Duration) (*Fairness, error) {
		section := nothing
		if yields {
			section = sched.Yield
		}
		var mu locks.Mutex
		var wg waitgroup.WaitGroup
		c := newContest(tasks, d, mu.Lock, section, mu.Unlock)
		for i := range tasks {
			wg.Go(func() { c.compete(i) })
		}
		wg.Wait()
		return c.outcome()
	}
	return p
}

// fairness adds to res what each side does with d, if p is a pair with fairness.
func (p Pair) fairness(res *Result, d time.Duration) (err error) {
	if p.NativeShares == nil {
		return nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("fairness of %s at procs %d: %w", p.Name, res.Procs, err)
		}
	}()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(res.Procs))
	s, err := sched.New(sched.Config{Procs: res.Procs})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	runtime.GC()
	if _, err := runNative(func(*Round) (err error) { res.NativeFair, err = p.NativeShares(d); return err }, 1); err != nil {
		return fmt.Errorf("native: %w", err)
	}
	runtime.GC()
	if _, err := runUserrt(s, func(*Round) (err error) { res.UserrtFair, err = p.UserrtShares(d); return err }, 1); err != nil {
		return fmt.Errorf("userrt: %w", err)
	}
	return nil
}
