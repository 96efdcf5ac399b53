// On which processor the rounds of -procs 1 run: both of a turn on the same one, those of the next turn on the next. The client of a
// pair for netpoll has the other processors. Only where client and server take turns they share one: to wake a processor that sleeps
// takes 100 µs in a virtual machine, and that is what would be measured.
//
// Processors are not equally fast at a given moment: one shares its core with somebody, one serves the network. A thread stays for
// long where it has run, and the threads of the two sides often not on the same processor; then their quotient is one of
// processors. A client that the system puts beside the server in one round, and not in the next, adds to that. Where a side has
// several, the differences average out, and which ones of more should be together is for the system to know.
//
// Go's counterpart: none; golang.org/x/perf leaves it to tools like taskset(1).

package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
)

// A binding puts the threads of this process on one processor after the other. Its zero value does nothing.
type binding struct {
	cpus   []int // on which this process may run; nil: nothing is bound
	client int   // the process that is bound to the others; 0: there is none
	shared bool  // it is bound to the same one instead
}

// bindRounds makes the binding for rounds of p with procs processors: one that does nothing if there are several or the system has
// only one for us, and where threads can't be bound. Processes that measure for p are left alone.
func bindRounds(p Pair, procs int) (b binding) {
	cpus, err := cpusOf(0)
	if err != nil || procs > 1 || p.Rounds > 0 || len(cpus) < 2 || bindThread(0, cpus) != nil { // some containers forbid it
		return binding{}
	}
	b.cpus = cpus
	if p.Client != nil {
		b.client, b.shared = p.Client(), p.TakesTurns
	}
	return b
}

// turn binds for a turn.
func (b binding) turn(n int) error {
	if b.cpus == nil {
		return nil
	}
	n %= len(b.cpus)
	ours, others := b.cpus[n:n+1], slices.Concat(b.cpus[:n], b.cpus[n+1:])
	if b.shared {
		others = ours
	}
	return b.bind(ours, others)
}

// free undoes it.
func (b binding) free() error {
	if b.cpus == nil {
		return nil
	}
	return b.bind(b.cpus, b.cpus)
}

func (b binding) bind(us, client []int) error {
	err := bindProcess(os.Getpid(), us)
	if b.client != 0 {
		err = errors.Join(err, bindProcess(b.client, client))
	}
	return err
}

// bindProcess binds all threads of a process. A new thread is bound as the one that has started it; so when all that are there are bound,
// those to come will be.
func bindProcess(process int, cpus []int) error {
	var done []int
	for {
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", process))
		if err != nil {
			return err
		}
		more := false
		for _, task := range tasks {
			tid, err := strconv.Atoi(task.Name())
			if err != nil {
				return err
			}
			if slices.Contains(done, tid) {
				continue
			}
			more, done = true, append(done, tid)
			if err := bindThread(tid, cpus); err != nil && !errors.Is(err, syscall.ESRCH) { // ESRCH: it has ended
				return err
			}
		}
		if !more {
			return nil
		}
	}
}
