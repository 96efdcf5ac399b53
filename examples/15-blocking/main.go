// A system call that blocks: the P goes to another thread meanwhile.
//
// You will see: eight tasks that write to a file and wait until it is on the disk (fsync), beside two that compute, on two Ps. Within
// sched.Block a task keeps its thread, which sleeps in the kernel, but not its P: that is handed to another thread, a
// new one or one from the cache of idle ones, and the computing goes on. When the call is over the task needs a P again, and if
// there is none it queues like any other, and its thread goes into the cache. Then the same without Block: the scheduler does not
// know that the task waits, and can only let another P stand in when that has lasted for 10 ms.
//
// Concepts: synchronous system calls, hand-off of a P, the thread cache.
// Read next: docs/tour.md, "15"; sched/block.go.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

const (
	procs   = 2
	writers = 8
	writes  = 20 // of each
)

func main() {
	for _, block := range []bool{true, false} {
		r, err := measure(block)
		if err != nil {
			log.Fatal(err)
		}
		r.print(os.Stdout)
	}
}

type result struct {
	block    bool
	took     time.Duration
	computed atomic.Int64 // steps
	stats    sched.Stats
}

func measure(block bool) (*result, error) {
	dir, err := os.MkdirTemp("", "blocking")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s, err := sched.New(sched.Config{Procs: procs})
	if err != nil {
		return nil, err
	}
	r, start := &result{block: block}, time.Now()
	var failed error
	bracket := sched.Block
	if !block {
		bracket = func(f func()) { f() }
	}
	err = s.Run(func() {
		var stop atomic.Bool
		var computing, writing waitgroup.WaitGroup
		for range procs {
			computing.Go(func() {
				for x := uint32(1); !stop.Load(); r.computed.Add(1) {
					for range 10_000 {
						x = x*1664525 + 1013904223
					}
					sched.Yield()
				}
			})
		}
		var errs [writers]error
		for i := range writers {
			writing.Go(func() { errs[i] = writeAll(fmt.Sprintf("%s/%d", dir, i), bracket) })
		}
		writing.Wait()
		stop.Store(true)
		computing.Wait()
		failed = errors.Join(errs[:]...)
	})
	r.took = time.Since(start)
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	r.stats = s.Stats()
	return r, s.Close()
}

// writeAll writes to a new file and waits for the disk after each write, within bracket.
func writeAll(name string, bracket func(func())) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for range writes {
		bracket(func() {
			if _, err = f.Write(make([]byte, 4096)); err == nil {
				err = f.Sync()
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *result) print(w io.Writer) {
	fmt.Fprintf(w, "block=%-5v: %d writes in %v, %d steps computed meanwhile; %d calls of Block, %d hand-offs, %d threads made, %d times one reused, %d reliefs\n",
		r.block, writers*writes, r.took.Round(time.Millisecond), r.computed.Load(),
		r.stats.Blocks, r.stats.HandOffs, r.stats.ThreadsCreated, r.stats.ThreadsReused, r.stats.Reliefs)
}
