package hchan_test

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
)

// onOneP runs fn as task 1 of a Scheduler with one P, so that nothing runs but what fn lets run. (But that a task which has run
// for long gives way; with such a time slice none has.)
func onOneP(fn func()) {
	s, err := sched.New(sched.Config{Procs: 1, Tunables: sched.Tunables{TimeSlice: time.Minute}})
	if err != nil {
		panic(err)
	}
	if err := s.Run(fn); err != nil {
		panic(err)
	}
	if err := s.Close(); err != nil {
		panic(err)
	}
}

// show prints what a channel is like after a step.
func show(step string, c *hchan.Chan[int]) {
	s := c.Snapshot()
	fmt.Printf("%-22s qcount %d, sendx %d, recvx %d, recvq %v, sendq %v\n", step, s.Qcount, s.Sendx, s.Recvx, s.Recvq, s.Sendq)
}

// A channel with three slots fills up; the fourth sender parks in sendq. sendx is the slot of the next send, and comes back to 0.
func ExampleChan_Snapshot() {
	onOneP(func() {
		c := hchan.Make[int](3)
		show("make(3)", c)
		for v := 1; v <= 3; v++ {
			c.Send(v)
			show(fmt.Sprint("send ", v), c)
		}
		sched.Go(func() { c.Send(4) }) // task 2
		sched.Yield()
		show("task 2 sends 4", c)
		c.Recv()
		show("receive", c)
	})
	// Output:
	// make(3)                qcount 0, sendx 0, recvx 0, recvq [], sendq []
	// send 1                 qcount 1, sendx 1, recvx 0, recvq [], sendq []
	// send 2                 qcount 2, sendx 2, recvx 0, recvq [], sendq []
	// send 3                 qcount 3, sendx 0, recvx 0, recvq [], sendq []
	// task 2 sends 4         qcount 3, sendx 0, recvx 0, recvq [], sendq [2]
	// receive                qcount 3, sendx 1, recvx 1, recvq [], sendq []
}

// The buffer is full, and a sender waits; its value is in its sudog. The receiver takes the oldest value, 1, out of the
// buffer, puts the sender's into the slot that has become free, and readies the sender, which has nothing left to do: the
// buffer is full again at once, and 1, 2, 3 arrive in that order.
func ExampleChan_Snapshot_bufferFull() {
	onOneP(func() {
		c := hchan.Make[int](2)
		c.Send(1)
		c.Send(2)
		var sent atomic.Bool
		sched.Go(func() { // task 2
			c.Send(3)
			sent.Store(true)
		})
		sched.Yield()
		show("full, 2 sends 3", c)
		v, _ := c.Recv()
		show(fmt.Sprint("received ", v), c)
		fmt.Println("the sender has run:", sent.Load())
		sched.Yield()
		fmt.Println("the sender has run:", sent.Load())
		v, _ = c.Recv()
		show(fmt.Sprint("received ", v), c)
		v, _ = c.Recv()
		show(fmt.Sprint("received ", v), c)
	})
	// Output:
	// full, 2 sends 3        qcount 2, sendx 0, recvx 0, recvq [], sendq [2]
	// received 1             qcount 2, sendx 1, recvx 1, recvq [], sendq []
	// the sender has run: false
	// the sender has run: true
	// received 2             qcount 1, sendx 1, recvx 0, recvq [], sendq []
	// received 3             qcount 0, sendx 1, recvx 1, recvq [], sendq []
}

// What is queued of the values 1, 2, 3 and 4: the buffer has room for two, and the others lie with the senders that wait.
func ExampleChan_Queued() {
	onOneP(func() {
		c := hchan.Make[int](2)
		for v := 1; v <= 4; v++ {
			sched.Go(func() { c.Send(v) })
			sched.Yield()
		}
		for range 4 {
			fmt.Println(c.Queued())
			c.Recv()
		}
		fmt.Println(c.Queued())
	})
	// Output:
	// [1 2] [3 4]
	// [2 3] [4]
	// [3 4] []
	// [4] []
	// [] []
}

// Without a buffer a value goes from hand to hand, whoever comes first: a waiting receiver is written to, a waiting
// sender's value is taken out of its sudog.
func ExampleChan_Snapshot_unbuffered() {
	onOneP(func() {
		c := hchan.Make[int](0)
		var got atomic.Int64
		sched.Go(func() { // task 2
			v, _ := c.Recv()
			got.Store(int64(v))
		})
		sched.Yield()
		show("task 2 receives", c)
		c.Send(1)
		show("send 1", c)
		sched.Yield()
		fmt.Println("task 2 has", got.Load())

		sched.Go(func() { c.Send(2) }) // task 3
		sched.Yield()
		show("task 3 sends 2", c)
		v, _ := c.Recv()
		show(fmt.Sprint("received ", v), c)
	})
	// Output:
	// task 2 receives        qcount 0, sendx 0, recvx 0, recvq [2], sendq []
	// send 1                 qcount 0, sendx 0, recvx 0, recvq [], sendq []
	// task 2 has 1
	// task 3 sends 2         qcount 0, sendx 0, recvx 0, recvq [], sendq [3]
	// received 2             qcount 0, sendx 0, recvx 0, recvq [], sendq []
}

// A select that waits is in the queue of each of its channels, with a sudog for each case. Whichever goes ahead, it leaves all.
func ExampleSelect_queues() {
	onOneP(func() {
		a, b := hchan.Make[int](0), hchan.Make[int](1)
		b.Send(0)
		sched.Go(func() { // task 2
			var v int
			fmt.Println("case", hchan.Select(hchan.OnRecv(a, &v, nil), hchan.OnSend(b, 1)), "with", v)
		})
		sched.Yield()
		show("a, task 2 selects", a)
		show("b, task 2 selects", b)
		a.Send(7)
		sched.Yield()
		show("a, after send 7", a)
		show("b, after send 7", b)
	})
	// Output:
	// a, task 2 selects      qcount 0, sendx 0, recvx 0, recvq [2], sendq []
	// b, task 2 selects      qcount 1, sendx 0, recvx 0, recvq [], sendq [2]
	// case 0 with 7
	// a, after send 7        qcount 0, sendx 0, recvx 0, recvq [], sendq []
	// b, after send 7        qcount 1, sendx 0, recvx 0, recvq [], sendq []
}
