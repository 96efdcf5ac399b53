package hchan

import (
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
)

// What the race detector is told of a channel; package hb has the table of edges. Nothing of it is compiled without the
// detector. The same in Go: runtime/chan.go, racenotify, racesync.

// passed states the edges of the buffer's slot i for user, who has just filled or emptied it: after whoever emptied or
// filled it last, and before whoever will next. So a send comes before the receive of its value, and the k-th receive
// before the send number k + Cap. Slots are told apart by address; of zero size, they are one. Needs lock.
func (c *Chan[T]) passed(i uint32, user hb.Ctx) {
	at := unsafe.Pointer(unsafe.SliceData(c.buf))
	if size := unsafe.Sizeof(c.buf[0]); size > 0 {
		at = unsafe.Add(at, uintptr(i)*size)
	} else {
		at = unsafe.Pointer(&c.buf)
	}
	user.Acquire(at)
	user.Release(at)
}

// handed states the edges of a value given from hand to hand, between the caller's user and that of who waits: what each
// has done before comes before what the other does next. Needs lock.
func (c *Chan[T]) handed(waiter hb.Ctx) {
	if c.dataqsiz > 0 { // to a receiver, as if through the next slot: the buffer is empty
		c.passed(c.recvx, hb.User())
		c.passed(c.recvx, waiter)
		if c.recvx++; c.recvx == c.dataqsiz {
			c.recvx = 0
		}
		c.sendx = c.recvx
		return
	}
	at := unsafe.Pointer(&c.recvx)
	me := hb.User()
	me.ReleaseStore(at)
	waiter.Acquire(at)
	waiter.ReleaseStore(at)
	me.Acquire(at)
}
