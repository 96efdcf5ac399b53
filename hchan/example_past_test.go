//go:build !race

// To the race detector a value that goes past the buffer goes through its next slot, and sendx and recvx move, here as in
// the runtime (runtime/chan.go, send).

package hchan_test

import (
	"fmt"
	"sync/atomic"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
)

// The buffer is empty, and a receiver waits. The sender writes past the buffer, straight to the receiver: neither qcount nor
// sendx moves, and the value is not in the channel at any time.
func ExampleChan_Snapshot_bufferEmpty() {
	onOneP(func() {
		c := hchan.Make[int](2)
		var got atomic.Int64
		sched.Go(func() { // task 2
			v, _ := c.Recv()
			got.Store(int64(v))
		})
		sched.Yield()
		show("task 2 receives", c)
		c.Send(1)
		show("send 1", c)
		fmt.Println("the receiver has", got.Load())
		sched.Yield()
		fmt.Println("the receiver has", got.Load())
		c.Send(2)
		show("send 2, nobody waits", c)
	})
	// Output:
	// task 2 receives        qcount 0, sendx 0, recvx 0, recvq [2], sendq []
	// send 1                 qcount 0, sendx 0, recvx 0, recvq [], sendq []
	// the receiver has 0
	// the receiver has 1
	// send 2, nobody waits   qcount 1, sendx 1, recvx 0, recvq [], sendq []
}
