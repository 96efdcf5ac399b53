// Pairs for memory: what a task costs that waits, and one that has not started.
//
// Each round is a child process of this binary that makes the tasks of one side, collects, and prints how
// much memory the runtime holds more than before: what a first round leaves behind (free lists, the
// collector's spare spans) would make a second one in the same process look cheap.
//
// Go's counterpart: runtime/mstats.go, MemStats; what is counted is Sys less HeapIdle.

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
)

const (
	// memoryEnv asks a new process of this binary to measure: its value is a side and a number of tasks.
	memoryEnv   = "USERRT_BENCH_MEMORY"
	memoryTasks = 100_000
	// memoryRounds are the fewest of which there is an interval: each is a process of its own, and they hardly differ.
	memoryRounds = 6
	bytesPerOp   = "B/task"
)

// memorySides makes n tasks of one kind, calls measure when they are there, and ends them. It returns how many
// there were.
var memorySides = map[string]func(n int, measure func()) (int, error){
	"native-parked": parkNative, "userrt-parked": parkUserrt,
	"native-fresh": freshNative, "userrt-fresh": freshUserrt,
	"native-idle": idleNative, "userrt-idle": idleUserrt, // netmemory.go
}

func memoryPairs() []Pair {
	return []Pair{
		heldBy(memoryTasks, memoryRounds, "parked", "tasks that wait to receive"),
		heldBy(memoryTasks, memoryRounds, "fresh", "tasks that have been spawned and have not started"),
	}
}

// heldBy makes the pair for what so many tasks of a kind hold.
func heldBy(tasks, rounds int, kind, what string) Pair {
	return Pair{
		Name: "sched/" + kind + "-bytes", Unit: bytesPerOp, Step: tasks, Rounds: rounds,
		Doc:    fmt.Sprintf("%s %s; bytes each", thousands(tasks), what),
		Native: func(r *Round) error { return measureMemory(r, "native-"+kind) },
		Userrt: func(r *Round) error { return measureMemory(r, "userrt-"+kind) },
	}
}

// measureMemory has a child measure one side, and takes what it prints for the round's cost.
func measureMemory(r *Round, side string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", memoryEnv, side, r.N), "GOGC=400")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("measuring memory in a child process: %w", err)
	}
	perTask, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	if err != nil || perTask <= 0 {
		return fmt.Errorf("a child process measured %q bytes", out)
	}
	r.Cost = perTask * float64(r.N)
	return nil
}

func askedToMeasureMemory() bool { return os.Getenv(memoryEnv) != "" }

// memoryMain is main of the child; it prints bytes a task.
func memoryMain(stdout, stderr io.Writer) (status int) {
	var side string
	var n int
	if _, err := fmt.Sscan(os.Getenv(memoryEnv), &side, &n); err != nil || memorySides[side] == nil {
		fmt.Fprintf(stderr, "bench: %s=%q\n", memoryEnv, os.Getenv(memoryEnv))
		return 2
	}
	before := memoryHeld()
	var after uint64
	made, err := memorySides[side](n, func() { after = memoryHeld() })
	if err == nil && (made < n*99/100 || after <= before) {
		err = fmt.Errorf("%d tasks of %d, %d bytes before, %d after", made, n, before, after)
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	fmt.Fprintf(stdout, "%.1f\n", float64(after-before)/float64(made))
	return 0
}

// memoryHeld returns how many bytes the runtime holds for what is in use: heap, stacks, and its own.
func memoryHeld() uint64 {
	runtime.GC() // returns when all is swept; a second one, 2 s with a million stacks, changed nothing
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys - m.HeapIdle
}

func parkNative(n int, measure func()) (int, error) {
	var started atomic.Int64
	var ended sync.WaitGroup
	c := make(chan struct{})
	ended.Add(n)
	wait := func() {
		started.Add(1)
		<-c
		ended.Done()
	}
	for range n {
		go wait()
	}
	for started.Load() < int64(n) {
		runtime.Gosched()
	}
	measure()
	close(c)
	ended.Wait()
	return n, nil
}

func parkUserrt(n int, measure func()) (int, error) {
	s, err := sched.New(sched.Config{})
	if err != nil {
		return 0, err
	}
	var started, ended atomic.Int64
	c := hchan.Make[struct{}](0)
	wait := func() {
		started.Add(1)
		c.Recv()
		ended.Add(1)
	}
	for range n {
		s.Go(wait)
	}
	for started.Load() < int64(n) {
		runtime.Gosched()
	}
	measure()
	c.Close()
	for ended.Load() < int64(n) {
		runtime.Gosched()
	}
	return n, nil // without Close, which would take its time to end a million stacks: the process ends
}

// freshNative makes goroutines on one processor, where most of them wait for their turn.
func freshNative(n int, measure func()) (int, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var ran atomic.Int64
	stay := make(chan struct{})
	var ended sync.WaitGroup
	ended.Add(n)
	wait := func() { // one that is let run stays: it costs the same
		ran.Add(1)
		<-stay
		ended.Done()
	}
	for range n {
		go wait()
	}
	measure()
	close(stay)
	ended.Wait()
	return n, mismatch("goroutines run", ran.Load(), int64(n))
}

func freshUserrt(n int, measure func()) (int, error) {
	// Nobody is let in before, or there would be fewer to measure.
	s, err := sched.New(sched.Config{Procs: 1, Tunables: sched.Tunables{NoPreemption: true, NoRelief: true}})
	if err != nil {
		return 0, err
	}
	var ran atomic.Int64
	var early int64
	count := func() { ran.Add(1) }
	err = s.Run(func() {
		for range n {
			sched.Go(count)
		}
		measure()
		early = ran.Load()
	})
	for ran.Load() < int64(n) {
		runtime.Gosched()
	}
	return n - int(early), errors.Join(err, s.Close())
}
