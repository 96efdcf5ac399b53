package hchan

import (
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// Send sends v. It blocks while no receiver waits and the buffer is full; on a nil channel it blocks
// for ever; on a closed one it panics with "send on closed channel", also if the channel is closed
// while Send waits. The same in Go: runtime/chan.go, chansend.
func (c *Chan[T]) Send(v T) {
	if c == nil {
		forever(sched.WaitReasonChanSendNilChan)
	}
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		if c != nil {
			hb.Read(c.closing.Addr())
		}
	}
	c.enter()
	if c.closed.load() != 0 {
		c.lock.Unlock()
		panic(errSendClosed)
	}
	if sg := c.recvq.first; sg != nil {
		if sg = c.recvq.dequeue(); sg != nil {
			whole[T](sg).elem = v
			c.handOver(sg)
			return
		}
	}
	if c.qcount.load() < c.dataqsiz {
		*c.tail() = v
		c.lock.Unlock()
		giveWay()
		return
	}
	// Wait for a receiver, which takes v out of the sudog. All in this function: a call level
	// between here and the switch costs 4 to 8 ns.
	gp := sched.Self()
	sg := c.sudog(gp)
	sg.elem = v
	if hb.On {
		sg.user = hb.User()
	}
	c.sendq.enqueue(&sg.sudog)
	leave := gp.BeginPark(sched.WaitReasonChanSend, &c.lock)
	leave()
	if !gp.EndPark() {
		c.unwound(&c.sendq, sg)
	}
	ok := sg.success
	c.free(sg)
	if !ok {
		panic(errSendClosed)
	}
}

// handOver wakes the receiver of sg, into which the caller has put the value, and releases lock. The same in Go: runtime/chan.go,
// send.
func (c *Chan[T]) handOver(sg *sudog) {
	gp := c.given(sg)
	c.lock.Unlock()
	gp.Ready()
	giveWay()
}

// given is the part of handOver that needs lock; gp is to be made ready without it.
func (c *Chan[T]) given(sg *sudog) (gp *sched.G) {
	gp = sg.g()
	sg.success = true
	if hb.On {
		c.handed(sg.user)
	}
	return gp
}

// TrySend sends v if that does not block, and reports whether it did. On a closed channel it panics
// as Send does; on a nil one it returns false. The same in Go: runtime/chan.go, selectnbsend.
func (c *Chan[T]) TrySend(v T) bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		if c != nil {
			hb.Read(c.closing.Addr())
		}
	}
	if c == nil || c.closed.load() == 0 && c.fullNow() {
		giveWay()
		return false
	}
	c.enter()
	if c.closed.load() != 0 {
		c.lock.Unlock()
		panic(errSendClosed)
	}
	if sg := c.recvq.dequeue(); sg != nil {
		whole[T](sg).elem = v
		c.handOver(sg)
		return true
	}
	ok := c.qcount.load() < c.dataqsiz
	if ok {
		*c.tail() = v
	}
	c.lock.Unlock()
	giveWay()
	return ok
}

// fullNow reports, without the lock, that a buffered channel was full at some moment of the call.
// An unbuffered one always asks the lock: whether somebody waits can't be read without.
func (c *Chan[T]) fullNow() bool {
	return c.dataqsiz > 0 && c.qcount.load() == c.dataqsiz
}
