// Work stealing: one P is loaded, another comes idle. Where does it look first?
//
// You will see: the tasks that P1 ran, in order, while the task on P0 went on computing. Eight of them lay in P0's own queue,
// made by its task; four in the global queue, made by a plain goroutine. P1 starts with the global queue, since that is
// cheap to look at and nobody else may come to it; only then it steals, half of P0's ring at a time, with one atomic step, and what P0
// was to run next at the very end, for that one is likely to run at once where it is.
//
// Courses often teach the order "steal, global queue, network". The Go runtime's is: own queue, global queue, network,
// then stealing, which touches other Ps' memory (and every 61st time the global queue before its own). userrt's is the same.
//
// Concepts: work stealing, local and global run queue, runnext.
// Read next: docs/tour.md, "17"; sched/find.go and sched/steal.go.
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/sched"
)

const local, global = 8, 4

func main() {
	events, err := play()
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range events {
		e.print(os.Stdout)
	}
}

// event is a task's start, or a theft.
type event struct {
	p     int
	task  string // "local 1" to "local 8" are in P0's queue, "global 1" to "global 4" in that of all
	theft bool   // P p has taken the task, and maybe others with it, from P0
}

// trace keeps events in order. Tasks write down their names when they are made, as their ids are known only to themselves.
type trace struct {
	mu     sync.Mutex
	events []event
	names  map[uint64]string
	on     bool
}

func (tr *trace) add(id uint64, p int, theft bool) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.on {
		tr.events = append(tr.events, event{p, tr.names[id], theft})
	}
}

func play() ([]event, error) {
	tr := &trace{names: map[uint64]string{}}
	name := ""
	s, err := sched.New(sched.Config{
		Procs:    1, // at first
		Tunables: sched.Tunables{TimeSlice: time.Hour},
		Hooks: sched.Hooks{
			TaskSpawned: func(id, _ uint64) { tr.mu.Lock(); tr.names[id] = name; tr.mu.Unlock() },
			TaskStarted: func(id uint64, p int) { tr.add(id, p, false) },
			TaskStolen:  func(id uint64, _, thief int) { tr.add(id, thief, true) },
		},
	})
	if err != nil {
		return nil, err
	}
	err = s.Run(func() {
		var left atomic.Int32
		left.Store(local + global)
		spawn := func(kind string, n int) {
			for i := range n {
				name = fmt.Sprintf("%s %d", kind, i+1)
				s.Go(func() { left.Add(-1) })
			}
		}
		spawn("local", local) // onto the P of the task that runs here
		made := make(chan bool)
		go func() { // a plain goroutine has no P
			spawn("global", global)
			close(made)
		}()
		<-made // natively: the task keeps its P
		tr.mu.Lock()
		tr.on = true
		tr.mu.Unlock()
		s.SetProcs(2)
		for left.Load() > 0 { // no call: P0 runs nothing else
		}
	})
	if err != nil {
		return nil, err
	}
	return tr.events, s.Close()
}

func (e event) print(w io.Writer) {
	if e.theft {
		fmt.Fprintf(w, "P%d steals from P0, %s first\n", e.p, e.task)
		return
	}
	fmt.Fprintf(w, "P%d runs %s\n", e.p, e.task)
}
