// A Pair, its two bodies, and the list of all pairs.
//
// Go's counterpart of a body is the function that testing/benchmark.go, runN calls with a count
// of its choosing; here there are two of them for one claim.

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Pair is one claim measured: the same work done by the native runtime and by userrt. The bodies
// are written as close to each other as the two APIs allow; where they differ, a comment says why.
type Pair struct {
	Name string // "package/what", unique
	Doc  string // one line: the work, and what one operation of it is
	Why  string // one line: what its number tells (why.go)
	Unit string // of the cost; lower is better
	// Step is the least number of operations that can be done: a batch, a whole tree. Round.N is
	// always a multiple of it.
	Step int
	// Rounds bounds the measured rounds of a pair that takes long and varies little; 0 means no bound. Such a
	// pair is measured for the first value of -procs only.
	Rounds int
	// AtMost bounds the measured rounds too, if there are defaultCount of others; where more are asked for it grows in
	// proportion. 0 means no bound.
	AtMost int
	// Target is how long a round should last, for a pair whose rounds begin with something that is not measured or with a
	// state that settles; 0 means roundTarget. With -time it is the longer of the two.
	Target time.Duration
	// Floor is what one operation can't do without (needs.go); nil where there is no such thing, as with memory.
	Floor needs

	// Client returns the id of the process in which both sides' clients run; nil where there is none.
	Client func() int
	// PingPong says that the client and the side that serves it never work at the same time.
	PingPong bool

	// Open prepares what both sides share and Close frees it; either may be nil. Open is called,
	// from a plain goroutine, before the rounds of each value of -procs, Close once at the end.
	Open  func() error
	Close func() error

	Native Body // runs on a goroutine of its own
	Userrt Body // runs in a task, inside (*sched.Scheduler).Run

	// NativeShares and UserrtShares run as Native and Userrt do, and tell how tasks share a lock (fairness.go); nil but for the
	// pairs of one Mutex.
	NativeShares, UserrtShares sharing
}

// once reports whether p is measured for the first value of -procs only.
func (p Pair) once() bool { return p.Rounds > 0 }

// Body does r.N operations and checks what came out: a wrong answer is an error, however fast.
type Body func(r *Round) error

// Round is one call of a body.
type Round struct {
	N int // operations to do, a multiple of the pair's Step
	// Took is set by a body whose own clock is better than the one around it, because part of the
	// body is preparation. Zero: the time around the body counts.
	Took time.Duration
	// Cost is set by a body that measures something else than time: the total, in the pair's unit.
	Cost float64
}

// The units of pairs that measure time: on the clock, and of a processor.
const (
	nsPerOp  = "ns/op"
	cpuPerOp = "cpu-ns/op"
)

// nameWidth is what the names of pairs are padded to.
const nameWidth = 22

// pairs returns all pairs, in the order in which they are measured and shown.
func pairs() []Pair {
	return withReasons(withFloors(slices.Concat(schedPairs(), []Pair{unbalanced()}, hogPairs(), timerPairs(), memoryPairs(), hchanPairs(), selectPairs(), flowPairs(), waitgroupPairs(), locksPairs(), []Pair{skynet(100_000)}, netpollPairs())))
}

// asked returns the pair as the command line wants it: with rounds that last at least target, and a bound of their number
// that suits count.
func (p Pair) asked(count int, target time.Duration) Pair {
	p.Target = max(p.Target, target)
	p.AtMost = max(p.AtMost, p.AtMost*count/defaultCount)
	return p
}

// rounds is how many rounds a side has if so many are asked for.
func (p Pair) rounds(count int) int {
	for _, most := range []int{p.Rounds, p.AtMost} {
		if most > 0 {
			count = min(count, most)
		}
	}
	return count
}

// target is how long a round lasts.
func (p Pair) target() time.Duration { return cmp.Or(p.Target, roundTarget) }

// thousands prints n with a comma after each three digits: "1,000,000".
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// mismatch returns nil when got is what was wanted, and otherwise the error that says so.
func mismatch(what string, got, want int64) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("wrong result: %s %d, want %d", what, got, want)
}
