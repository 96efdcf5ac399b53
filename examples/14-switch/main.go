//go:build unix

// A context switch without the kernel: two tasks hand one P to each other a million times.
//
// You will see: how long that took, and how often the kernel was asked to switch threads meanwhile (the process's
// voluntary context switches): a hundred times or two, by the scheduler's and the runtime's monitors, not a million times. Then
// the same between two OS threads, which hand each other one byte through pipes: there the kernel switches whenever one has to wait.
//
// Concepts: switching in user space, what a thread switch costs.
// Read next: sched/switch.md; docs/tour.md, "14".
package main

import (
	"fmt"
	"log"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/sched"
)

func main() {
	const yields, turns = 1_000_000, 10_000
	show("Yields of two tasks", yields, byTasks)
	show("turns of two threads", turns, byThreads)
}

func show(what string, n int, f func(n int) error) {
	before, start := voluntary(), time.Now()
	if err := f(n); err != nil {
		log.Fatal(err)
	}
	took := time.Since(start)
	fmt.Printf("%9d %-20s %7.0f ns each, %6d voluntary switches by the kernel\n",
		n, what, float64(took.Nanoseconds())/float64(n), voluntary()-before)
}

// voluntary is how often threads of this process have gone to sleep in the kernel.
func voluntary() int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return int64(u.Nvcsw)
}

// byTasks lets two tasks on one P yield n times together: each Yield switches to the other.
func byTasks(n int) error {
	s, err := sched.New(sched.Config{Procs: 1})
	if err != nil {
		return err
	}
	yield := func() {
		for range n / 2 {
			sched.Yield()
		}
	}
	err = s.Run(func() {
		sched.Go(yield)
		yield()
	})
	if err != nil {
		return err
	}
	return s.Close()
}

// byThreads lets two goroutines, each wired to a thread, hand a byte to and fro until n have been written.
func byThreads(n int) error {
	here, there, err := os.Pipe()
	if err != nil {
		return err
	}
	back, forth, err := os.Pipe()
	if err != nil {
		return err
	}
	fd := func(f *os.File) int { return int(f.Fd()) } // puts it into blocking mode
	player := func(in, out int, err chan<- error) {
		runtime.LockOSThread() // and ends with the thread
		b := make([]byte, 1)
		for range n / 2 {
			if _, e := unix.Write(out, b); e != nil {
				err <- e
				return
			}
			if _, e := unix.Read(in, b); e != nil {
				err <- e
				return
			}
		}
		err <- nil
	}
	done := make(chan error, 2)
	go player(fd(here), fd(forth), done)
	go player(fd(back), fd(there), done)
	for range 2 {
		if e := <-done; e != nil {
			err = e
		}
	}
	for _, f := range []*os.File{here, there, back, forth} {
		if e := f.Close(); e != nil {
			err = e
		}
	}
	return err
}
