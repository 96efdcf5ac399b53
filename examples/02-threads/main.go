//go:build linux

// Threads are costly: 10,000 OS threads, goroutines and tasks that wait, and what handing a turn from one to another costs.
//
// You will see: how many threads this machine lets a program have, then a table. A waiting thread costs tens of kilobytes, most of
// them the kernel's, which a process does not see in its own figures; a goroutine or a task costs one small stack. Two threads that
// take turns are switched by the kernel, for a microsecond or more; the others without it. Last, what that means for
// 10,000 connections (the C10k problem).
//
// Each row is measured in a child process, which ends when this program does. -n asks for another number than 10,000; fewer threads
// are made where a limit of the system is near, see limits.go.
//
// Concepts: what a thread is made of, why a task for each connection, and not a thread.
// Read next: docs/tour.md, "2"; kinds.go for who waits and how; examples/14-switch.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"os/exec"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// childEnv names the kind that a new process of this program is to measure.
	childEnv = "USERRT_THREADS_KIND"
	// patience is how long a child may take; it takes a second or two.
	patience = time.Minute
	most     = 100_000
)

func main() {
	if k := os.Getenv(childEnv); k != "" {
		child(k)
	}
	n := flag.Int("n", 10_000, "how many of each `kind`; the machine may have room for fewer threads")
	flag.Parse()
	if *n < 1 || *n > most || flag.NArg() > 0 {
		log.Fatalf("usage: 02-threads [-n number from 1 to %d]", most)
	}
	if err := show(os.Stdout, *n); err != nil {
		log.Fatal(err)
	}
}

// show measures n of each kind and prints what there is to see.
func show(w io.Writer, n int) error {
	threads := min(n, room(w, here.limits()))
	if threads < n {
		fmt.Fprintf(w, "so %d threads are made and not %d\n", threads, n)
	}
	if threads < 1 {
		return errors.New("no room for threads")
	}
	fmt.Fprintf(w, "\n%10s %8s | %33s | %25s | %8s | %s\n", "", "", "the process, bytes each", "the kernel, bytes each", "", "one turn of two")
	fmt.Fprintf(w, "%10s %8s | %10s %10s %11s | %12s %12s | %8s | %9s %s\n",
		"", "number", "addresses", "in memory", "page tables", "stacks", "other", "together", "CPU ns", "kernel switches")
	var all []*result
	for _, k := range kinds {
		r := &result{Number: n}
		if k.name == "threads" {
			r.Number = threads
		}
		if err := r.measure(k.name); err != nil {
			return err
		}
		r.print(w, k.name)
		all = append(all, r)
	}
	arithmetic(w, all)
	return nil
}

// room prints the limits and returns how many threads leave half of each to others.
func room(w io.Writer, all []limit) int {
	fmt.Fprintf(w, "limits; half of what is left of each may be taken:\n")
	least := math.MaxInt
	for _, l := range all {
		fmt.Fprintf(w, "%30s %15d: room for %d threads%s\n", l.name, l.most, l.room, l.note)
		least = min(least, l.room/2)
	}
	fmt.Fprintf(w, "%30s %15d: raised as far as needed\n", "debug.SetMaxThreads", 10_000)
	return least
}

// result is what a child says; the first block is in bytes, and what has been added since nobody waited.
type result struct {
	Addresses, Memory, PageTables, Stacks, Other int

	Number, Threads int     // that waited; threads of the process then
	Nanos, Switches float64 // a turn: processor time, and switches between threads
}

// measure has a child measure r.Number of a kind.
func (r *result) measure(kind string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, strconv.Itoa(r.Number))
	cmd.Env = append(os.Environ(), childEnv+"="+kind)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	in, err := cmd.StdinPipe() // ends with this process, and the child with it
	if err != nil {
		return err
	}
	defer in.Close()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("measuring %s in a child process: %w", kind, err)
	}
	return json.Unmarshal(out.Bytes(), r)
}

func (r *result) each(bytes int) int { return max(bytes, 0) / r.Number }

// bytes is what one costs in memory, of the process and of the kernel.
func (r *result) bytes() int { return r.each(r.Memory + r.PageTables + r.Stacks + r.Other) }

func (r *result) print(w io.Writer, kind string) {
	fmt.Fprintf(w, "%10s %8d | %10d %10d %11d | %12d %12d | %8d | %9.0f %.3f\n", kind, r.Number,
		r.each(r.Addresses), r.each(r.Memory), r.each(r.PageTables), r.each(r.Stacks), r.each(r.Other), r.bytes(), r.Nanos, r.Switches)
}

// arithmetic says what the numbers mean for a server with ten thousand connections.
func arithmetic(w io.Writer, all []*result) {
	const conns, requests, mib, gib = 10_000, 10, 1 << 20, 1 << 30
	fmt.Fprintf(w, "\na server with %d connections, each of which asks %d times a second, two switches a request:\n", conns, requests)
	for i, r := range all {
		fmt.Fprintf(w, "%10s  %4d MiB of memory; a processor makes at most %4.2f million switches a second, so %5.1f %% of one is spent on that\n",
			kinds[i].name, r.bytes()*conns/mib, 1e3/r.Nanos, 100*2*requests*conns*r.Nanos/1e9)
	}
	var stack unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_STACK, &stack) == nil && stack.Cur != unix.RLIM_INFINITY {
		fmt.Fprintf(w, "threads that C makes reserve %d KiB of stack each (ulimit -s): %.1f GiB of addresses for %d;\n"+
			"those that Go makes without C have 16 KiB from Go's heap, and the goroutine on them its own stack\n",
			stack.Cur>>10, float64(stack.Cur)*conns/gib, conns)
	}
}
