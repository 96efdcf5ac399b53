// The series, those with few tasks first.

package main

import (
	"errors"
	"fmt"
)

const (
	// turnsEach is how often each of many tasks does what is measured, so that making the tasks is a small part of it.
	turnsEach = 10
	// ownFiles is how many descriptors the process may have beside those of connections.
	ownFiles = 100
)

// decades returns 10 to the power of from, .. to.
func decades(from, to int) (sizes []int) {
	size := 1
	for i := range to + 1 {
		if i >= from {
			sizes = append(sizes, size)
		}
		size *= 10
	}
	return sizes
}

func allSeries() []series {
	c := new(client)
	return []series{
		{"cases", "cases of a select", []int{1, 2, 4, 8, 16, 32, 64}, selecting},
		{"slots", "slots of a channel", []int{0, 1, 8, 128, 1024, 65_536}, func(n int) Pair { return buffered(1, n) }},
		{"pipeline", "stages", decades(0, 3), pipelineOf},
		{"timers", "timers", decades(1, 6), timerSet},
		{"conns", "connections", decades(0, 4), func(n int) Pair { return conns(c, n) }},
		{"spawn", "tasks", decades(1, 6), spawn},
		{"fanout", "tasks", decades(1, 5), fanout},
		{"yield", "tasks", decades(0, 5), func(n int) Pair { return turns(yield(n)) }},
		{"receivers", "tasks in a channel's queue", decades(1, 5), receivers},
		{"lockers", "tasks in a Mutex's queue", decades(1, 5), func(n int) Pair { return turns(yielding(n)) }},
		{"skynet", "leaves", decades(1, 6), skynet},
		{"parked", "tasks", decades(3, 6), func(n int) Pair { return heldBy(n, 1, "parked", "tasks that wait to receive") }},
	}
}

// turns makes each task of p, whose Step is one turn of each, have some more.
func turns(p Pair) Pair {
	p.Step *= turnsEach
	return p
}

// pipelineOf is hchan/pipeline-100 with so many stages. An operation is a value at a stage, so that the way of a value, which
// is as long as the pipeline, looks even.
func pipelineOf(stages int) Pair {
	part := func(r *Round, f func(r *Round, stages int) error) error {
		return f(&Round{N: r.N / stages}, stages)
	}
	return Pair{
		Unit: nsPerOp, Step: stages,
		Doc:    fmt.Sprintf("a value through %s tasks that each add one, over unbuffered channels; per value and task", thousands(stages)),
		Native: func(r *Round) error { return part(r, pipelineNative) },
		Userrt: func(r *Round) error { return part(r, pipelineUserrt) },
	}
}

// receivers is the pair of so many tasks that wait for one channel's values, of which a single task sends them.
func receivers(n int) Pair {
	return turns(Pair{
		Unit: nsPerOp, Step: n,
		Doc:    fmt.Sprintf("one task sends to an unbuffered channel, %s receive; per value", thousands(n)),
		Native: exchangeNative(1, n), Userrt: exchangeUserrt(1, n),
	})
}

// conns is netpoll/echo with so many connections, as far as there are descriptors for them.
func conns(c *client, n int) Pair {
	w := load{kind: "echo", conns: n, depth: 1}
	if n >= 1000 {
		w.batch = 2
	}
	p := served(c, "echo", w, nsPerOp, fmt.Sprintf("an echo server, %s connections, messages of 64 bytes; per request and response", thousands(n)))
	p.Open = func() error {
		if limit := fileLimit(); uint64(n+ownFiles) > limit {
			return fmt.Errorf("%s connections need more than the %d descriptors that a process may have here: %w", thousands(n), limit, errors.ErrUnsupported)
		}
		return c.start()
	}
	return p
}
