// On which processors the rounds of -procs 1 run. Both sides of a turn have the same one, and so have those of the next turn, in which the other side comes first; then it is the next one's turn. The client
// of a pair for netpoll has the others. Only if it never works at the same time as the server (Pair.PingPong) it has the server's: else most
// of what is measured is how long a processor that sleeps takes to wake, 100 µs in a virtual machine.
//
// Processors are not equally fast at a given moment: one shares its core with somebody, another serves the network. A thread stays for
// long where it has run, and those of the two sides have often run on different ones; then the speedup is partly that of a processor. That
// the system puts a client beside the server in one round, and not in the next, adds to it. With several processors a side such
// differences average out, and which threads should be together is for the system to know: so nothing is bound.
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

// bindRounds makes the binding for rounds of p with procs processors. It does nothing if procs is more than 1, the system has only one for
// us, or threads can't be bound; nor for a pair of memory, whose rounds are processes of their own.
func bindRounds(p Pair, procs int) (b binding) {
	cpus, err := cpusOf(0)
	if err != nil || procs > 1 || p.Rounds > 0 || len(cpus) < 2 || bindProcess(os.Getpid(), cpus) != nil { // some containers forbid it, or have no /proc
		return binding{}
	}
	b.cpus = cpus
	if p.Client != nil {
		b.client, b.shared = p.Client(), p.PingPong
	}
	return b
}

// turn binds for turn n, from 0: each processor has two in a row.
func (b binding) turn(n int) error {
	if b.cpus == nil {
		return nil
	}
	n = n / 2 % len(b.cpus)
	ours, others := b.cpus[n:n+1], slices.Concat(b.cpus[:n], b.cpus[n+1:])
	if b.shared {
		others = ours
	}
	return b.bind(ours, others)
}

// free undoes what turn has done.
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

// bindProcess binds all threads of a process. A new thread is bound as the one that has started it is: so once all that exist are bound,
// those to come are too.
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
