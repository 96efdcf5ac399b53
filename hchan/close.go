package hchan

import (
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// Close closes the channel: receivers get what is queued and then zero values with ok false, senders
// panic. All waiters are woken, receivers first, each in the order in which they came. It panics
// with "close of nil channel" and "close of closed channel". The same in Go: runtime/chan.go,
// closechan.
func (c *Chan[T]) Close() {
	if c == nil {
		panic(errCloseNil)
	}
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	c.lock.Lock()
	if c.closed.load() != 0 {
		c.lock.Unlock()
		panic(errCloseClosed)
	}
	if hb.On {
		hb.Write(c.closing.Addr()) // no send may run beside it
		hb.Release(c.closing.Addr())
	}
	c.closed.StoreRel(1)
	// Claimed under the lock, woken without it: a woken G may want the lock at once. The sudogs are
	// out of their queues, so next is free to link them.
	var first, last *sudog
	for _, q := range []*waitq{&c.recvq, &c.sendq} {
		for sg := q.dequeue(); sg != nil; sg = q.dequeue() {
			sg.closed = true
			if last == nil {
				first = sg
			} else {
				last.next = sg
			}
			last = sg
		}
	}
	c.lock.Unlock()
	for sg := first; sg != nil; {
		next := sg.next
		var gp *sched.G
		gp, sg.next = sg.g(), nil
		gp.Ready() // from here on sg is its waiter's
		sg = next
	}
	giveWay()
}
