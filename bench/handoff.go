// A channel that hands off, or doesn't: what hchan does, and what a queue with two conditions does.
//
// With hand-off a sender that finds a waiting receiver gives it the value, and a receiver that finds a waiting sender takes the value from it and puts it, so
// who is woken is done. Without, the one who comes leaves its value in the buffer, or takes one from there, and wakes who waits; that one looks for itself, and waits again when another
// was quicker. A rendezvous without hand-off is a buffer of one slot whose senders wait until it has been emptied.
//
// It is one code for both but for this, so that nothing else is compared, made of what sched exports. Only the ablation uses it: hchan is faster than either, since
// its queues and its lock are its own. What a channel can do beyond Send, Recv and Close is missing, and so is unwinding.

package main

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

// queue is the channel. Only tasks use it.
type queue struct {
	lock    spin
	handOff bool

	slots  []int // at least one where there is no hand-off
	first  int   // of the values
	count  int
	await  bool   // a sender waits until its value has been taken: the rendezvous without hand-off
	sent   uint64 // values ever put into slots
	taken  uint64 // and out of them
	closed bool

	recvq, sendq sched.WaitQueue
	leftq        sched.WaitQueue // senders whose value lies in a slot, while await
}

func newQueue(size int, handOff bool) *queue {
	q := &queue{handOff: handOff, await: size == 0 && !handOff, slots: make([]int, size)}
	if q.await {
		q.slots = make([]int, 1)
	}
	return q
}

// send and recv are for one wait at a time of w, the Waiter of the calling task.
func (q *queue) send(w *sched.Waiter, v int) {
	q.lock.lock()
	if q.handOff {
		q.sendTo(w, v)
		return
	}
	for q.count == len(q.slots) {
		q.wait(w, &q.sendq, sched.WaitReasonChanSend)
		q.lock.lock()
	}
	q.put(v)
	mine := q.sent
	r := q.recvq.Claim()
	q.lock.unlock()
	ready(r)
	if !q.await {
		return
	}
	q.lock.lock()
	for q.taken < mine {
		q.wait(w, &q.leftq, sched.WaitReasonChanSend)
		q.lock.lock()
	}
	q.lock.unlock()
}

// sendTo is send with hand-off; it releases the lock.
func (q *queue) sendTo(w *sched.Waiter, v int) {
	if r := q.recvq.Claim(); r != nil {
		r.N, r.Given = int64(v), true
		q.lock.unlock()
		r.G.Ready()
		return
	}
	if q.count < len(q.slots) {
		q.put(v)
		q.lock.unlock()
		return
	}
	w.N = int64(v)
	q.wait(w, &q.sendq, sched.WaitReasonChanSend)
}

func (q *queue) recv(w *sched.Waiter) (v int, ok bool) {
	q.lock.lock()
	if q.handOff {
		return q.recvFrom(w)
	}
	for q.count == 0 {
		if q.closed {
			q.lock.unlock()
			return 0, false
		}
		q.wait(w, &q.recvq, sched.WaitReasonChanReceive)
		q.lock.lock()
	}
	v = q.get()
	left, next := q.leftq.Claim(), q.sendq.Claim()
	q.lock.unlock()
	ready(left)
	ready(next)
	return v, true
}

// recvFrom is recv with hand-off; it releases the lock.
func (q *queue) recvFrom(w *sched.Waiter) (v int, ok bool) {
	if s := q.sendq.Claim(); s != nil {
		v = int(s.N)
		if q.count > 0 {
			last := v
			v = q.get()
			q.put(last)
		}
		q.lock.unlock()
		s.G.Ready()
		return v, true
	}
	if q.count > 0 {
		v = q.get()
		q.lock.unlock()
		return v, true
	}
	if q.closed {
		q.lock.unlock()
		return 0, false
	}
	w.Given = false
	q.wait(w, &q.recvq, sched.WaitReasonChanReceive)
	return int(w.N), w.Given
}

// close ends the waits of all receivers. Nobody sends any more.
func (q *queue) close() {
	q.lock.lock()
	q.closed = true
	waiting, _ := q.recvq.ClaimAll()
	q.lock.unlock()
	waiting.ReadyAll()
}

func (q *queue) put(v int) {
	q.slots[(q.first+q.count)%len(q.slots)] = v
	q.count++
	q.sent++
}

func (q *queue) get() (v int) {
	v = q.slots[q.first]
	if q.first++; q.first == len(q.slots) {
		q.first = 0
	}
	q.count--
	q.taken++
	return v
}

// wait puts the caller into wq and parks it, which releases the lock.
func (q *queue) wait(w *sched.Waiter, wq *sched.WaitQueue, reason sched.WaitReason) {
	wq.PushBack(w)
	if w.G.Park(reason, release, unsafe.Pointer(&q.lock)) {
		return
	}
	q.lock.lock()
	w.Remove()
	q.lock.unlock()
	runtime.Goexit()
}

func release(_ *sched.G, lock unsafe.Pointer) bool {
	(*spin)(lock).unlock()
	return true
}

// newWaiter returns one for the calling task. That which every G has is taken by package waitgroup too, in whose calls the race detector doesn't see
// what orders them.
func newWaiter() *sched.Waiter { return &sched.Waiter{G: sched.Self()} }

func ready(w *sched.Waiter) {
	if w != nil {
		w.G.Ready()
	}
}

// spin is a lock for a few instructions: whoever finds it held tries again, and lets other tasks run in between.
type spin struct{ held atomic.Bool }

const spinsPerYield = 100

func (s *spin) lock() {
	for spins := 1; !s.held.CompareAndSwap(false, true); spins++ {
		if spins%spinsPerYield == 0 {
			sched.Yield()
		}
	}
}

func (s *spin) unlock() { s.held.Store(false) }

// handOffBodies are the userrt sides of pairs, once over queues with hand-off, and once over such without.
var handOffBodies = map[string]struct{ with, without Body }{
	"hchan/pingpong":      {queuePingPong(true), queuePingPong(false)},
	"hchan/buffered-4x4":  {queueExchange(4, bufferSlots, true), queueExchange(4, bufferSlots, false)},
	"hchan/contended-8x8": {queueExchange(eachSide, 0, true), queueExchange(eachSide, 0, false)},
}

// queuePingPong is pingPongUserrt over queues.
func queuePingPong(handOff bool) Body {
	return func(r *Round) error {
		ping, pong := newQueue(0, handOff), newQueue(0, handOff)
		sched.Go(func() {
			w := newWaiter()
			for {
				v, ok := ping.recv(w)
				if !ok {
					pong.close()
					return
				}
				pong.send(w, v+1)
			}
		})
		w := newWaiter()
		var wrong int64
		for i := range r.N {
			ping.send(w, i)
			if v, _ := pong.recv(w); v != i+1 {
				wrong++
			}
		}
		ping.close()
		pong.recv(w)
		return mismatch("wrong answers", wrong, 0)
	}
}

// queueExchange is what buffered and exchangeUserrt are, over a queue.
func queueExchange(tasks, slots int, handOff bool) Body {
	return func(r *Round) error {
		q := newQueue(slots, handOff)
		var sending, receiving waitgroup.WaitGroup
		var count, sum atomic.Int64
		each := r.N / tasks
		for p := range tasks {
			sending.Go(func() {
				w := newWaiter()
				for i := range each {
					q.send(w, p*each+i)
				}
			})
			receiving.Go(func() {
				w := newWaiter()
				var n, s int64
				for v, ok := q.recv(w); ok; v, ok = q.recv(w) {
					n++
					s += int64(v)
				}
				count.Add(n)
				sum.Add(s)
			})
		}
		sending.Wait()
		q.close()
		receiving.Wait()
		return checkElements(r.N, count.Load(), sum.Load())
	}
}
