package hchan

import (
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
)

// Looking into a channel. The runtime's fields are visible to a debugger only (runtime/chan.go, hchan).

// Snapshot is the inside of a channel at one moment. The fields are those of the runtime's hchan.
type Snapshot struct {
	Qcount   int      // elements in the buffer
	Dataqsiz int      // slots of the buffer
	Sendx    int      // the slot that the next send fills
	Recvx    int      // the slot that the next receive empties
	Closed   bool     // Close has been called
	Recvq    []uint64 // ids of the tasks that wait to receive, in the order of their coming; 0 for a plain goroutine
	Sendq    []uint64 // the same of those that wait to send, each with its value
}

// Snapshot returns what c is like now. It takes c's lock for as long as that takes and stops nothing else. That of a
// nil channel is the zero Snapshot.
func (c *Chan[T]) Snapshot() Snapshot {
	if c == nil {
		return Snapshot{}
	}
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	nr, ns := 0, 0
	for {
		// No allocation under the lock: it may have to help the collector. So count first.
		recvq, sendq := make([]uint64, 0, nr), make([]uint64, 0, ns)
		c.lock.Lock()
		nr, ns = c.recvq.len(), c.sendq.len()
		if nr > cap(recvq) || ns > cap(sendq) {
			c.lock.Unlock()
			continue
		}
		s := Snapshot{
			Qcount: int(c.qcount.load()), Dataqsiz: int(c.dataqsiz),
			Sendx: int(c.sendx), Recvx: int(c.recvx), Closed: c.closed.load() != 0,
			Recvq: c.recvq.ids(recvq), Sendq: c.sendq.ids(sendq),
		}
		c.lock.Unlock()
		if hb.On {
			fresh(s.Recvq)
			fresh(s.Sendq)
		}
		return s
	}
}

// Queued returns copies of the values in c: those in the buffer, in the order in which they will be received, and those of the senders that
// wait, each of which lies in its sudog, in the order of their coming. Nothing is received by that. It takes c's lock for as long
// as the copying takes, and is meant for looking at a channel while learning or debugging. To the race detector no send comes before it.
func (c *Chan[T]) Queued() (buf, sendq []T) {
	if c == nil {
		return nil, nil
	}
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	nb, ns := 0, 0
	for {
		buf, sendq = make([]T, 0, nb), make([]T, 0, ns) // as in Snapshot
		c.lock.Lock()
		nb, ns = int(c.qcount.load()), c.sendq.len()
		if nb > cap(buf) || ns > cap(sendq) {
			c.lock.Unlock()
			continue
		}
		for i := range nb {
			buf = append(buf, c.buf[(int(c.recvx)+i)%len(c.buf)])
		}
		for sg := c.sendq.first; sg != nil; sg = sg.next {
			sendq = append(sendq, whole[T](sg).elem)
		}
		c.lock.Unlock()
		if hb.On {
			fresh(buf)
			fresh(sendq)
		}
		return buf, sendq
	}
}

// len returns how many wait in q. Needs lock.
func (q *waitq) len() (n int) {
	for sg := q.first; sg != nil; sg = sg.next {
		n++
	}
	return n
}

// ids appends the ids of those who wait in q to list. Needs lock.
func (q *waitq) ids(list []uint64) []uint64 {
	for sg := q.first; sg != nil; sg = sg.next {
		list = append(list, sg.g().ID())
	}
	return list
}

// fresh makes list, which our code has made, the user's.
func fresh[T any](list []T) {
	hb.Fresh(unsafe.Pointer(unsafe.SliceData(list)), uintptr(cap(list))*unsafe.Sizeof(*new(T)))
}
