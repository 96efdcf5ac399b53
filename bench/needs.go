// What one operation of each pair can't do without, in operations of the machine.
//
// The terms follow from what the operation must do, not from how userrt does it:
//
//   - A task that waits leaves its stack, and whoever is woken is switched to: on an unbuffered channel each value finds one of the
//     two sides waiting, so there is one swap for each, however many tasks there are. A task that has not started needs none: it can
//     begin on the stack of the one that has just ended.
//   - What several tasks write takes a locked instruction ("cas") where it is a word, a lock and its release ("lock") where it is more.
//   - A call that may queue or wait must know on whose behalf ("self").
//   - What a user's call passes on to another task must be on the heap ("closure").
//   - Where operations don't wait for each other, so many processors can do so many at a time, which divides the cost; see shared.
//     Where they do, no number of processors helps; see always. Tasks that have a processor each may not need to switch at all.
//
// So a floor is a bound that nothing can come below, and that with caches, queues and choices nothing will reach: a row at 1.5 has little left to gain, one at 10 has,
// or its floor is too simple. It holds for both sides alike; AboveFloor is said of userrt.

package main

import (
	"runtime"
	"strconv"
	"strings"
)

// A term is so many of an operation of floors.go.
type term struct {
	n  float64
	op string
}

// needs tells what one operation can't do without when there are so many processors; nil for a pair without floor.
type needs func(procs int) []term

// needs is p.Floor where there is one.
func (p *Pair) needs(procs int) []term {
	if p.Floor == nil {
		return nil
	}
	return p.Floor(procs)
}

// always is the needs of an operation that starts when the one before is over.
func always(terms ...term) needs { return func(int) []term { return terms } }

// shared is the needs of operations of which each processor can do one at the same time.
func shared(terms ...term) needs {
	return func(procs int) []term {
		procs = min(procs, runtime.NumCPU())
		divided := make([]term, len(terms))
		for i, t := range terms {
			divided[i] = term{t.n / float64(procs), t.op}
		}
		return divided
	}
}

// onOne is more for one processor: what tasks need that must share it. With one for each there are only the others.
func onOne(more term, others needs) needs {
	return func(procs int) []term {
		if procs == 1 {
			return append([]term{more}, others(procs)...)
		}
		return others(procs)
	}
}

// stream is the needs of a value that one task sends to another over a channel with a buffer. A sender that begins when the receiver waits
// can send slots+2 values until it must wait itself: one into the receiver's hand, one into each slot, and one that it keeps. Then there are two
// switches.
func stream(slots int, terms ...term) needs {
	return onOne(term{2 / float64(slots+2), "swap"}, always(append([]term{{2, "lock"}}, terms...)...))
}

// requests is the needs of a request that takes so many of op in the server, which has procs processors, and so many in the client, which
// has the machine's. A server that waits for many connections is told of many at a time.
func requests(op string, server, client float64) needs {
	return func(procs int) []term {
		cores := float64(runtime.NumCPU())
		return []term{{max(server/min(float64(procs), cores), (server+client)/cores), op}}
	}
}

// sum returns what the terms cost together, if the cost of each is known.
func sum(terms []term, costs map[string]float64) (total float64, ok bool) {
	for _, t := range terms {
		c, known := costs[t.op]
		if !known {
			return 0, false
		}
		total += t.n * c
	}
	return total, len(terms) > 0
}

// formula prints terms: "2 swap + 0.5 cas".
func formula(terms []term) string {
	parts := make([]string, len(terms))
	for i, t := range terms {
		parts[i] = strconv.FormatFloat(t.n, 'g', 3, 64) + " " + t.op
	}
	return strings.Join(parts, " + ")
}

// above completes res, of p, with its floor.
func (res *Result) above(p Pair, costs map[string]float64) {
	terms := p.needs(res.Procs)
	if cost, ok := sum(terms, costs); ok {
		res.Floor, res.FloorCost, res.AboveFloor = formula(terms), cost, res.Userrt/cost
	}
}
