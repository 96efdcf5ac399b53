package sched

import (
	"fmt"
	"math"
	"time"
)

// Numbers and switches, for measuring. The runtime has constants in their place, and GODEBUG for some.

// Tunables sets the scheduler's numbers and switches its mechanisms off one by one, to measure what each is
// worth. The zero value has the runtime's numbers and everything on.
type Tunables struct {
	// FairTicks is how many tasks a P chooses between two looks at the global queue before its own; 0 means
	// 61. Below 0 it never does: the global queue then waits until the P has nothing else.
	FairTicks int
	// TimeSlice is how long a task may run while others wait before it is asked to give way; 0 means 10 ms.
	TimeSlice time.Duration
	// RunqSize is how many tasks a P's ring holds before half of them go to the global queue; 0 means 256,
	// which is also the most.
	RunqSize int
	// StealRounds is how often a worker goes round all Ps before it gives up; 0 means 4.
	StealRounds int

	NoRunnext        bool // a readied or new task goes to the end of the ring
	NoStealing       bool // workers take from their own ring and the global queue only
	StealOne         bool // a thief takes one task, not half a ring
	NoSpinning       bool // a worker looks round once, then sleeps
	NoDirectSwitch   bool // each switch goes by way of the worker's g0, as in the runtime
	NoStacklessStart bool // a new task starts on a stack of its own, not on that of the task which has just ended
	NoPreemption     bool // no task is asked to give way
	NoRelief         bool // nobody stands in for a task that makes no call
	NoPrefetch       bool // the processor is not asked ahead for the memory that the next tasks of a long ring need
	NoChildFirst     bool // a parent that waits for its only child queues up, instead of letting it run first
	NoLending        bool // no worker lends its P to a plain goroutine that it has readied
	NoKeeping        bool // tasks that clash on locks and channels are stolen as others are
	NoPace           bool // wake and steal as the runtime does, however short the tasks are; includes NoKeeping. See wakeSlow
}

const (
	fairTicks   = 61         // runtime/proc.go, findRunnable: "schedtick%61"
	preemptNS   = 10_000_000 // runtime/proc.go, forcePreemptNS
	stealRounds = 4          // runtime/proc.go, stealWork
)

// check refuses numbers that make no sense.
func (t *Tunables) check() error {
	switch {
	case t.FairTicks > math.MaxInt32:
		return &ConfigError{"Tunables.FairTicks", fmt.Sprintf("%d is too large", t.FairTicks)}
	case t.TimeSlice < 0:
		return &ConfigError{"Tunables.TimeSlice", fmt.Sprintf("%v is negative", t.TimeSlice)}
	case t.RunqSize < 0 || t.RunqSize > runqSize || t.RunqSize == 1:
		return &ConfigError{"Tunables.RunqSize", fmt.Sprintf("%d is not 0 or in 2 to %d", t.RunqSize, runqSize)}
	case t.StealRounds < 0 || t.StealRounds > 1000:
		return &ConfigError{"Tunables.StealRounds", fmt.Sprintf("%d is not in 0 to 1000", t.StealRounds)}
	}
	return nil
}

// filled returns t with numbers in place of zeros.
func (t Tunables) filled() Tunables {
	switch {
	case t.FairTicks == 0:
		t.FairTicks = fairTicks
	case t.FairTicks < 0:
		t.FairTicks = math.MaxInt32
	}
	if t.TimeSlice == 0 {
		t.TimeSlice = preemptNS
	}
	if t.RunqSize == 0 {
		t.RunqSize = runqSize
	}
	if t.StealRounds == 0 {
		t.StealRounds = stealRounds
	}
	if t.NoSpinning {
		t.StealRounds = 1
	}
	return t
}
