//go:build linux

// The three kinds: n of them that wait, and two that take turns.
//
// Threads are goroutines wired to a thread of their own, so each costs what a goroutine costs as well; they wait in the kernel, for
// a byte that never comes through a pipe. Goroutines wait for a native channel, tasks for ours.
// To take turns the two of a kind share one processor: threads by their affinity, the others by GOMAXPROCS and Procs 1.

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
)

// kind has a function that lets n wait, calls measure, wakes them and returns how many were woken; and one that lets
// two of them take some turns.
type kind struct {
	name  string
	wait  func(n int, measure func()) (woken int, err error)
	turn  func(n int) error
	turns int
}

var kinds = []kind{
	{"threads", waitingThreads, threadTurns, 50_000},
	{"goroutines", waitingGoroutines, goroutineTurns, 200_000},
	{"tasks", waitingTasks, taskTurns, 200_000},
}

// child is main of a child process. The parent holds the other end of its input, and with that it ends.
func child(name string) {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	os.Exit(childMain(name, os.Args[1:]))
}

// childMain measures one kind, prints the result and returns the exit status.
func childMain(name string, args []string) int {
	for _, k := range kinds {
		if k.name == name && len(args) == 1 {
			r, err := k.run(args[0])
			if err == nil {
				err = json.NewEncoder(os.Stdout).Encode(r)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			return 0
		}
	}
	fmt.Fprintf(os.Stderr, "02-threads: %s=%q %q\n", childEnv, name, args)
	return 2
}

func (k kind) run(number string) (*result, error) {
	n, err := strconv.Atoi(number)
	if err != nil {
		return nil, err
	}
	var before, after unix.Rusage
	err = errors.Join(unix.Getrusage(unix.RUSAGE_SELF, &before), k.turn(k.turns), unix.Getrusage(unix.RUSAGE_SELF, &after))
	if err != nil {
		return nil, err
	}
	first, r := memory(), new(result)
	woken, err := k.wait(n, func() { *r = memory() })
	if err == nil && woken != n {
		err = fmt.Errorf("%d of %d %s woke up", woken, n, k.name)
	}
	r.Addresses -= first.Addresses
	r.Memory -= first.Memory
	r.PageTables -= first.PageTables
	r.Stacks -= first.Stacks
	r.Other -= first.Other
	r.Number = n
	r.Nanos = float64(nanos(after)-nanos(before)) / float64(k.turns)
	r.Switches = float64(switches(after)-switches(before)) / float64(k.turns)
	return r, err
}

// nanos is the processor time: unlike that on the clock it does not grow when the machine does other work too.
func nanos(u unix.Rusage) int64 { return u.Utime.Nano() + u.Stime.Nano() }

// switches is how often the kernel put another thread in the place of one of ours, because it waited or gave way.
func switches(u unix.Rusage) int64 { return int64(u.Nvcsw + u.Nivcsw) }

// memory is what there is now. What the kernel has for itself is known of the whole machine only, so what others do
// meanwhile is in Stacks and Other too.
func memory() result {
	debug.FreeOSMemory()
	const self, whole = "proc/self/status", "proc/meminfo"
	return result{
		Addresses: here.field(self, "VmSize"), Memory: here.field(self, "VmRSS"), PageTables: here.field(self, "VmPTE"),
		Stacks: here.field(whole, "KernelStack"), Other: here.field(whole, "SUnreclaim"),
		Threads: here.field(self, "Threads"),
	}
}

func waitingThreads(n int, measure func()) (int, error) {
	debug.SetMaxThreads(n + 1000) // Go's own limit is 10,000
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return 0, err
	}
	var woken atomic.Int64
	var ended sync.WaitGroup
	for range n {
		ended.Go(func() {
			runtime.LockOSThread() // for ever: the thread ends with the goroutine
			if get, err := read(pipe[0]); get == 0 && err == nil {
				woken.Add(1)
			}
		})
	}
	for here.field("proc/self/status", "Threads") < n {
		time.Sleep(time.Millisecond)
	}
	measure()
	err := unix.Close(pipe[1]) // the end of the pipe's data, for all of them
	ended.Wait()
	return int(woken.Load()), errors.Join(err, unix.Close(pipe[0]))
}

func waitingGoroutines(n int, measure func()) (int, error) {
	var waiting, woken atomic.Int64
	var ended sync.WaitGroup
	c := make(chan struct{})
	for range n {
		ended.Go(func() {
			waiting.Add(1)
			<-c
			woken.Add(1)
		})
	}
	for int(waiting.Load()) < n {
		time.Sleep(time.Millisecond)
	}
	measure()
	close(c)
	ended.Wait()
	return int(woken.Load()), nil
}

func waitingTasks(n int, measure func()) (int, error) {
	s, err := sched.New(sched.Config{})
	if err != nil {
		return 0, err
	}
	var waiting, woken atomic.Int64
	c := hchan.Make[struct{}](0)
	for range n {
		s.Go(func() {
			waiting.Add(1)
			c.Recv()
			woken.Add(1)
		})
	}
	for int(waiting.Load()) < n {
		time.Sleep(time.Millisecond)
	}
	measure()
	c.Close()
	for int(woken.Load()) < n {
		time.Sleep(time.Millisecond)
	}
	return int(woken.Load()), s.Close()
}

// threadTurns hands one byte to and fro between two threads of one processor, which each wait for it in the kernel.
func threadTurns(n int) error {
	var there, back [2]int
	if err := errors.Join(unix.Pipe2(there[:], unix.O_CLOEXEC), unix.Pipe2(back[:], unix.O_CLOEXEC)); err != nil {
		return err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3)) // else the two would wait for Go's P, not for each other
	cpu, err := oneCPU()
	if err != nil {
		return err
	}
	player := func(in, out int, first bool) (err error) {
		runtime.LockOSThread()
		if err := unix.SchedSetaffinity(0, cpu); err != nil {
			return err
		}
		b := []byte{1}
		for i := 0; i < n/2 && err == nil; i++ {
			if !first {
				_, err = read(in)
			}
			if err == nil {
				_, err = unix.Write(out, b)
			}
			if first && err == nil {
				_, err = read(in)
			}
		}
		return err
	}
	done := make(chan error, 2)
	go func() { done <- player(back[0], there[1], true) }()
	go func() { done <- player(there[0], back[1], false) }()
	err = errors.Join(<-done, <-done)
	for _, fd := range []int{there[0], there[1], back[0], back[1]} {
		err = errors.Join(err, unix.Close(fd))
	}
	return err
}

// oneCPU is a set of one of the processors that this process may use.
func oneCPU() (*unix.CPUSet, error) {
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return nil, err
	}
	for i := range len(all) * 64 {
		if all.IsSet(i) {
			one.Set(i)
			return &one, nil
		}
	}
	return nil, errors.New("no processor to run on")
}

// read reads one byte; a signal of Go's own may interrupt it.
func read(fd int) (int, error) {
	var b [1]byte
	for {
		n, err := unix.Read(fd, b[:])
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

func goroutineTurns(n int) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	there, back := make(chan struct{}), make(chan struct{})
	go func() {
		for range n / 2 {
			<-there
			back <- struct{}{}
		}
	}()
	for range n / 2 {
		there <- struct{}{}
		<-back
	}
	return nil
}

func taskTurns(n int) error {
	s, err := sched.New(sched.Config{Procs: 1})
	if err != nil {
		return err
	}
	there, back := hchan.Make[struct{}](0), hchan.Make[struct{}](0)
	err = s.Run(func() {
		sched.Go(func() {
			for range n / 2 {
				there.Recv()
				back.Send(struct{}{})
			}
		})
		for range n / 2 {
			there.Send(struct{}{})
			back.Recv()
		}
	})
	return errors.Join(err, s.Close())
}
