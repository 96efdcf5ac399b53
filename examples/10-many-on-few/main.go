// Many on few: 1,000 tasks (N) on a few OS threads (M) over two processors (P), seen from outside.
//
// You will see: trace lines as USERRT_SCHEDTRACE=1 would print them, taken while the scheduler is busy, with
// the tasks that wait in each P's queue; how many tasks run, could run and wait; at last what each P has done, and how few
// threads it took. Never more run than there are processors, but the dump is no photograph: it looks at one task
// after the other, and who has begun meanwhile may be counted beside who has ended. And since a dump takes long, a third
// processor and thread may stand in for the one whose task is busy with it.
//
// Concepts: M:N scheduling, work stealing, the states of a task.
// Read next: the comments of Stats and Dump in package sched, and sched/doc.go.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"sync/atomic"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

const (
	tasks  = 1000
	rounds = 50
	looks  = 3
)

func main() {
	if err := show(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func show(w io.Writer) error {
	s, err := sched.New(sched.Config{Procs: 2})
	if err != nil {
		return err
	}
	if err := s.Run(func() { busy(s, w) }); err != nil {
		return err
	}
	st := s.Stats()
	for i, p := range st.Ps {
		fmt.Fprintf(w, "P%d: %d tasks ended here, %d picks, of which %d stolen\n", i, p.Ended, p.Picked, p.PickedStolen)
	}
	fmt.Fprintf(w, "%d tasks, %d picks, %d threads\n", st.Spawned, st.Picked, st.ThreadsCreated)
	return s.Close()
}

// busy keeps the scheduler so and looks at it a few times.
func busy(s *sched.Scheduler, w io.Writer) {
	var all waitgroup.WaitGroup
	var results atomic.Uint32
	never := hchan.Make[int](0)
	for range tasks / 10 { // some wait for what comes at the very end
		all.Go(func() { never.Recv() })
	}
	for range tasks * 9 / 10 {
		all.Go(func() {
			for x := range uint32(rounds) {
				results.Add(compute(x))
				sched.Yield()
			}
		})
	}
	for range looks {
		for range 5 {
			sched.Yield()
		}
		look(s, w)
	}
	never.Close()
	all.Wait()
}

func compute(x uint32) uint32 {
	for i := range uint32(1000) {
		x = x*1664525 + i
	}
	return x
}

func look(s *sched.Scheduler, w io.Writer) {
	if err := s.SchedTrace(w); err != nil {
		fmt.Fprintln(w, err)
	}
	var text bytes.Buffer
	var d sched.DumpInfo
	if err := s.DumpJSON(&text); err != nil {
		fmt.Fprintln(w, err)
	}
	if err := json.Unmarshal(text.Bytes(), &d); err != nil {
		fmt.Fprintln(w, err)
	}
	states := map[string]int{}
	for _, t := range d.Tasks {
		states[t.State]++
	}
	fmt.Fprintf(w, "%d tasks on %d threads over %d processors: %d running, %d runnable, %d waiting\n",
		len(d.Tasks), d.Threads, d.Procs, states["running"], states["runnable"], states["waiting"])
}
