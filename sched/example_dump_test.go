package sched_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/userrt/userrt/sched"
)

// dump reads what DumpJSON writes.
func dump(s *sched.Scheduler) (d sched.DumpInfo) {
	var b bytes.Buffer
	if err := s.DumpJSON(&b); err != nil {
		panic(err)
	}
	if err := json.Unmarshal(b.Bytes(), &d); err != nil {
		panic(err)
	}
	return d
}

// undisturbed calls f with a Scheduler of one P, again if f has run for so long, on a busy machine, that another
// P stood in for it: then f was not the only one to run.
func undisturbed(f func(s *sched.Scheduler, printf func(format string, args ...any))) {
	for {
		// A dump of many tasks may take longer than the usual slice, under the race detector each time.
		s, err := sched.New(sched.Config{Procs: 1, Tunables: sched.Tunables{TimeSlice: time.Minute}})
		if err != nil {
			panic(err)
		}
		var mu sync.Mutex // for the case that there are two at a time after all
		var out bytes.Buffer
		err = s.Run(func() {
			f(s, func(format string, args ...any) {
				mu.Lock()
				defer mu.Unlock()
				fmt.Fprintf(&out, format, args...)
			})
		})
		st := s.Stats()
		if err := errors.Join(err, s.Close()); err != nil {
			panic(err)
		}
		if st.Preemptions == 0 && st.Reliefs == 0 {
			fmt.Print(out.String())
			return
		}
	}
}

// One task walks through all states; its parent, the only other task, looks at it.
func ExampleScheduler_DumpJSON_states() {
	undisturbed(func(s *sched.Scheduler, printf func(format string, args ...any)) {
		parent, _ := sched.ID()
		state := func() string {
			for _, t := range dump(s).Tasks {
				switch {
				case t.ID == parent:
				case t.WaitReason != "":
					return t.State + ": " + t.WaitReason
				default:
					return t.State
				}
			}
			return "dead"
		}
		child := make(chan *sched.G, 1)
		blocks, unblock := make(chan bool), make(chan bool)
		sched.Go(func() {
			printf("chosen:   %s\n", state())
			child <- sched.Self()
			sched.Park(sched.WaitReasonSemacquire, nil, nil)
			sched.Block(func() { // as for a system call: the P goes to another thread
				blocks <- true
				<-unblock
			})
		})
		printf("spawned:  %s\n", state())
		sched.Yield() // to the child, until it parks
		for !strings.HasPrefix(state(), "waiting") {
			sched.Yield() // it is disturbed
		}
		printf("parked:   %s\n", state())
		(<-child).Ready()
		printf("readied:  %s\n", state())
		sched.Yield()
		<-blocks
		printf("in Block: %s\n", state())
		unblock <- true
		for state() != "dead" {
			sched.Yield()
		}
		printf("ended:    %s\n", state())
	})
	// Output:
	// spawned:  runnable
	// chosen:   running
	// parked:   waiting: semacquire
	// readied:  runnable
	// in Block: syscall
	// ended:    dead
}

// Where new tasks go: the newest is the next to run, the one before it goes to the end of the ring, and when
// the ring is full half of it moves to the global queue.
func ExampleScheduler_DumpJSON_queues() {
	for _, n := range []int{1, 2, 3, 257, 258, 259} {
		undisturbed(func(s *sched.Scheduler, printf func(format string, args ...any)) {
			for range n { // this is task 1
				sched.Go(func() {})
			}
			d := dump(s)
			p := d.Ps[0]
			printf("%3d spawned: runnext %d, ring %s, global queue %s\n", n, p.Runnext, span(p.Runq), span(d.GlobalQueue))
		})
	}
	// Output:
	//   1 spawned: runnext 2, ring empty, global queue empty
	//   2 spawned: runnext 3, ring 2, global queue empty
	//   3 spawned: runnext 4, ring 2 to 3, global queue empty
	// 257 spawned: runnext 258, ring 2 to 257 (256), global queue empty
	// 258 spawned: runnext 259, ring 130 to 257 (128), global queue 2 to 258 (129)
	// 259 spawned: runnext 260, ring 130 to 259 (129), global queue 2 to 258 (129)
}

// span tells the first and the last of some ids, and how many there are.
func span(ids []uint64) string {
	switch n := len(ids); n {
	case 0:
		return "empty"
	case 1:
		return fmt.Sprint(ids[0])
	case 2:
		return fmt.Sprint(ids[0], " to ", ids[1])
	default:
		return fmt.Sprintf("%d to %d (%d)", ids[0], ids[n-1], n)
	}
}
