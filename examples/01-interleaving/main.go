// Concurrency is not parallelism: the same four tasks on one P, then on two.
//
// You will see: the order in which the steps of tasks A to D began. On one P they take turns, a step each, and no two are ever
// under way at the same moment: that is concurrency, a way to write the program. On two P they run in parallel, two
// at a moment, the order is another one each time, and the whole takes less time if the machine has two processors to spare. The
// program has not changed.
//
// Concepts: concurrency, parallelism, interleaving.
// Read next: docs/tour.md, "1"; the number of Ps is sched.Config.Procs.
package main

import (
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
	tasks = 4
	steps = 12
)

func main() {
	for _, procs := range []int{1, 2} {
		r, err := play(procs)
		if err != nil {
			log.Fatal(err)
		}
		r.print(os.Stdout)
	}
}

// record is what happened: the letters of the tasks in the order in which their steps began.
type record struct {
	procs    int
	order    [tasks * steps]byte
	next     atomic.Int32 // index into order
	underWay atomic.Int32 // steps that have begun and not ended
	most     atomic.Int32 // the largest underWay ever
	took     time.Duration
}

func play(procs int) (*record, error) {
	s, err := sched.New(sched.Config{
		Procs:    procs,
		Tunables: sched.Tunables{NoRelief: true}, // or a P more may stand in for one whose step takes longer than 10 ms
	})
	if err != nil {
		return nil, err
	}
	r := &record{procs: procs}
	start := time.Now()
	err = s.Run(func() {
		var all waitgroup.WaitGroup
		for i := range tasks {
			all.Go(func() {
				for range steps {
					r.step(byte('A' + i))
					sched.Yield() // between two steps others may run
				}
			})
		}
		all.Wait()
	})
	r.took = time.Since(start)
	if err != nil {
		return nil, err
	}
	return r, s.Close()
}

// step is some work of the task with that letter.
func (r *record) step(letter byte) {
	n := r.underWay.Add(1)
	for most := r.most.Load(); n > most && !r.most.CompareAndSwap(most, n); most = r.most.Load() {
	}
	r.order[r.next.Add(1)-1] = letter
	work(300_000)
	r.underWay.Add(-1)
}

var result atomic.Uint64

func work(n int) {
	x := uint64(1)
	for range n {
		x = x*6364136223846793005 + 1442695040888963407
	}
	result.Add(x)
}

func (r *record) print(w io.Writer) {
	fmt.Fprintf(w, "Procs %d: %s\n         at most %d at the same moment, %v in all\n",
		r.procs, r.order[:], r.most.Load(), r.took.Round(time.Millisecond))
}
