// On which processor the rounds of -procs 1 run: both of a turn on the same one, those of the next turn on the next. The client of a
// pair for netpoll has the other processors. Only where client and server take turns they share one: to wake a processor that sleeps
// takes 100 µs in a virtual machine, and that is what would be measured.
//
// Processors are not equally fast at a given moment: one shares its core with somebody, one serves the network. A thread stays for
// long where it has run, and the threads of the two sides often not on the same processor; then their quotient is one of
// processors. A client that the system puts beside the server in one round, and not in the next, adds to that. Where a side has several, the differences average out, and which of more should be together is for the system to know.
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

	"github.com/userrt/userrt/internal/thread"
)

// A binding puts the threads of this process on one processor after the other. Its zero value does nothing.
type binding struct {
	all    thread.Mask
	cpus   []int // those of all; nil: nothing is bound
	client int   // the process that is bound to the others; 0: there is none
	shared bool  // to the same one instead
}

// bindRounds makes the binding for rounds of p with procs processors: one that does nothing if there are several or the system has
// only one for us, and where threads can't be bound. Processes that measure for p are left alone.
func bindRounds(p Pair, procs int) (b binding) {
	all, err := thread.Initial()
	if err != nil || procs > 1 || p.Rounds > 0 {
		return binding{}
	}
	for cpu := range maxProcs {
		if all.Has(cpu) {
			b.cpus = append(b.cpus, cpu)
		}
	}
	if len(b.cpus) < 2 {
		return binding{}
	}
	b.all = all
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
	ours, others := thread.Only(b.cpus[n]), thread.Only(slices.Concat(b.cpus[:n], b.cpus[n+1:])...)
	if b.shared {
		others = ours
	}
	return b.set(ours, others)
}

// free undoes it.
func (b binding) free() error {
	if b.cpus == nil {
		return nil
	}
	return b.set(b.all, b.all)
}

func (b binding) set(ours, clients thread.Mask) error {
	err := setThreads(os.Getpid(), ours)
	if b.client != 0 {
		err = errors.Join(err, setThreads(b.client, clients))
	}
	return err
}

// setThreads gives all threads of a process the mask m. A new thread has the mask of that which has started it; so when all that are
// there have m, those to come will.
func setThreads(process int, m thread.Mask) error {
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
			if err := thread.Set(tid, m); err != nil && !errors.Is(err, syscall.ESRCH) { // ESRCH: it has ended
				return err
			}
		}
		if !more {
			return nil
		}
	}
}
