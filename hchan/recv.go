package hchan

import (
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// Recv receives. It blocks while no sender waits and the buffer is empty; on a nil channel it blocks
// for ever. ok is false when the channel is closed and empty; v is then T's zero value.
// The same in Go: runtime/chan.go, chanrecv.
func (c *Chan[T]) Recv() (v T, ok bool) {
	ok = c.recv(&v)
	return v, ok
}

// recv receives into *v, or leaves it as it is and returns false: so Recv's is zero then. A result of recv's own would be
// zeroed first, and copied once more by its caller: a quarter of what hchan/large takes. Recv is inlined and adds nothing.
func (c *Chan[T]) recv(v *T) (ok bool) {
	if c == nil {
		forever(sched.WaitReasonChanReceiveNilChan)
	}
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		own := new(T) // for us to write to; put then writes to the caller's as the user
		defer put(unsafe.Pointer(v), own)
		v = own
	}
	c.enter()
	if c.sendq.first != nil {
		if sg := c.sendq.dequeue(); sg != nil {
			if c.dataqsiz > 0 || hb.On {
				*v = *c.oldest(sg)
				c.takeOver(sg)
				return true
			}
			*v = whole[T](sg).elem // takeOver by hand, for no buffer: two calls, 9 of 190 ns of a round trip
			gp := sg.g()
			sg.success = true
			c.lock.Unlock()
			gp.Ready()
			giveWay()
			return true
		}
	}
	if c.qcount.load() > 0 {
		slot := c.head()
		*v = *slot
		c.wipe(slot)
		c.lock.Unlock()
		giveWay()
		return true
	}
	if c.closed.load() != 0 {
		c.lock.Unlock()
		if hb.On {
			hb.Acquire(c.closing.Addr())
		}
		giveWay()
		return false
	}
	if c.timer {
		if at, due := c.ticked(); due {
			*v = at
			c.lock.Unlock()
			giveWay()
			return true
		}
		c.arm()
	}
	// Wait for a sender, which puts the value into the sudog.
	gp := sched.Self()
	sg := c.sudog(gp)
	if hb.On {
		sg.user = hb.User()
	}
	c.recvq.enqueue(&sg.sudog)
	leave := gp.BeginPark(sched.WaitReasonChanReceive, &c.lock)
	leave()
	if !gp.EndPark() {
		c.unwound(&c.recvq, sg)
	}
	if ok = sg.success; ok { // else something may lie there from before; see wipe
		*v = sg.elem
	}
	c.free(sg)
	if hb.On && !ok {
		hb.Acquire(c.closing.Addr())
	}
	return ok
}

// oldest returns where the value lies that is received while the sender of sg waits, for the caller to read before takeOver or
// taken. Without a buffer it is the sender's. With one, which is full, it is the oldest in the buffer. Needs lock.
func (c *Chan[T]) oldest(sg *sudog) *T {
	if c.dataqsiz > 0 {
		return &c.buf[c.recvx]
	}
	return &whole[T](sg).elem
}

// takeOver wakes the sender of sg, whose channel's oldest value the caller has taken, and releases lock. The same in Go:
// runtime/chan.go, recv.
func (c *Chan[T]) takeOver(sg *sudog) {
	gp := c.taken(sg)
	c.lock.Unlock()
	gp.Ready()
	giveWay()
}

// taken is the part of takeOver that needs lock; gp is to be made ready without it. With a buffer the sender's value takes the slot of
// the one that was taken, which is both the head and the tail of the queue.
func (c *Chan[T]) taken(sg *sudog) (gp *sched.G) {
	if hb.On {
		if c.dataqsiz > 0 {
			c.passed(c.recvx, hb.User())
			c.passed(c.recvx, sg.user)
		} else {
			c.handed(sg.user)
		}
	}
	if c.dataqsiz > 0 {
		c.buf[c.recvx] = whole[T](sg).elem
		if c.recvx++; c.recvx == c.dataqsiz {
			c.recvx = 0
		}
		c.sendx = c.recvx
	}
	sg.success = true
	return sg.g()
}

// TryRecv receives if that does not block; received reports whether it did. On a closed and empty
// channel it does, with ok false; on a nil one it does not. The same in Go: runtime/chan.go,
// selectnbrecv.
func (c *Chan[T]) TryRecv() (v T, ok, received bool) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if c == nil || c.emptyNow() {
		giveWay()
		return v, false, false
	}
	c.enter()
	if sg := c.sendq.dequeue(); sg != nil {
		v = *c.oldest(sg)
		c.takeOver(sg)
		return v, true, true
	}
	switch {
	case c.qcount.load() > 0:
		slot := c.head()
		v, ok, received = *slot, true, true
		c.wipe(slot)
	case c.closed.load() != 0:
		received = true
		if hb.On {
			hb.Acquire(c.closing.Addr())
		}
	case c.timer:
		v, ok = c.ticked()
		received = ok
	}
	c.lock.Unlock()
	giveWay()
	return v, ok, received
}

// emptyNow reports, without the lock, that a buffered channel was open and empty at some moment of
// the call: closed is read after qcount, and a channel does not open again.
func (c *Chan[T]) emptyNow() bool {
	return c.dataqsiz > 0 && c.qcount.load() == 0 && c.closed.load() == 0
}
