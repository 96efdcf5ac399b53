// A task is light: a million of them wait at once, and are woken.
//
// You will see: what each of a million waiting goroutines costs in bytes, and each of a million tasks, how long it took to make them,
// and that all were woken when the channel on which they wait was closed. Nearly all of the memory is the stack on which a
// function waits, 2 KiB at the least; a task that has not started has none, so tasks that wait for their turn only cost less than a tenth.
//
// Each side is measured in a child process of its own, since what the first leaves to the runtime would make the second look
// cheap. A million of either take some 3 GiB; -n asks for another number, and fewer are made where memory is short.
// `go run ./bench -run bytes` measures the same as two of its pairs.
//
// Concepts: what a task is made of, stacks that begin small.
// Read next: docs/tour.md, "6"; sched/gfree.go, where a task comes from and goes to; examples/02-threads.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

const (
	// childEnv names the side that a new process of this program is to measure.
	childEnv = "USERRT_MILLION_SIDE"
	million  = 1_000_000
	// perTask is what one is assumed to take when memory is looked at.
	perTask = 8 << 10
)

func main() {
	if side := os.Getenv(childEnv); side != "" {
		child(side)
	}
	n := flag.Int("n", million, "how many tasks and goroutines")
	flag.Parse()
	if *n < 1 || *n > 10*million || flag.NArg() > 0 {
		log.Fatalf("usage: 06-million [-n number from 1 to %d]", 10*million)
	}
	if fits := freeMemory() / perTask; fits > 0 && fits < *n {
		fmt.Printf("memory is free for %d of %d\n", fits, *n)
		*n = fits
	}
	for _, side := range []string{"goroutines", "tasks"} {
		if err := measure(os.Stdout, side, *n); err != nil {
			log.Fatal(err)
		}
	}
}

// freeMemory is what Linux says is free, in bytes; 0 where nobody says.
func freeMemory() (kib int) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if _, err := fmt.Sscanf(lines.Text(), "MemAvailable: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}

// sides let n wait, call waiting when they do, wake them and count.
var sides = map[string]func(n int, waiting func()) (woken int, err error){"goroutines": goroutines, "tasks": tasks}

// measure has a child measure one side and print what it saw to w.
func measure(w io.Writer, side string, n int) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(exe, strconv.Itoa(n))
	cmd.Env = append(os.Environ(), childEnv+"="+side)
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	in, err := cmd.StdinPipe() // ends with this process, and the child with it
	if err != nil {
		return err
	}
	defer in.Close()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("measuring %s in a child process: %w", side, err)
	}
	return nil
}

// child is main of a child process.
func child(side string) {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	line, err := run(side, strings.Join(os.Args[1:], " "))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(line)
	os.Exit(0)
}

func run(side, number string) (line string, err error) {
	n, err := strconv.Atoi(number)
	if err != nil || sides[side] == nil {
		return "", fmt.Errorf("06-million: cannot measure %q %s", number, side)
	}
	var made, all time.Duration
	var bytes uint64
	before, start := held(), time.Now()
	woken, err := sides[side](n, func() {
		made = time.Since(start)
		bytes = held() - before
		start = time.Now()
	})
	all = time.Since(start)
	if err == nil && woken != n {
		err = fmt.Errorf("%d of %d %s were woken", woken, n, side)
	}
	return fmt.Sprintf("%8d %-10s wait, %4d bytes each, made in %.2f s; %d woken and ended in %.2f s",
		n, side, bytes/uint64(n), made.Seconds(), woken, all.Seconds()), err
}

// held is what the runtime has in use: heap, stacks, and its own.
func held() uint64 {
	runtime.GC()
	runtime.GC() // what the first has swept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys - m.HeapIdle
}

func tasks(n int, waiting func()) (int, error) {
	s, err := sched.New(sched.Config{})
	if err != nil {
		return 0, err
	}
	var there, woken atomic.Int64
	err = s.Run(func() {
		var ended waitgroup.WaitGroup
		c := hchan.Make[struct{}](0)
		for range n {
			ended.Go(func() {
				there.Add(1)
				c.Recv()
				woken.Add(1)
			})
		}
		for int(there.Load()) < n {
			sched.Yield()
		}
		waiting()
		c.Close()
		ended.Wait()
	})
	if err != nil {
		return 0, err
	}
	return int(woken.Load()), s.Close()
}

// goroutines is the same, natively.
func goroutines(n int, waiting func()) (int, error) {
	var there, woken atomic.Int64
	var ended sync.WaitGroup
	c := make(chan struct{})
	for range n {
		ended.Go(func() {
			there.Add(1)
			<-c
			woken.Add(1)
		})
	}
	for int(there.Load()) < n {
		runtime.Gosched()
	}
	waiting()
	close(c)
	ended.Wait()
	return int(woken.Load()), nil
}
