package sched

import (
	"unsafe"

	"github.com/userrt/userrt/internal/getg"
	"github.com/userrt/userrt/internal/hb"
)

// Both: Join of two calls of one function, without closures, so without allocations. The runtime has
// nothing like it.

// bothFrame is a frame of Both: f(y), and what it returned.
type bothFrame[A, R any] struct {
	frame
	f func(A) R
	y A
	r R
}

func newBothFrame[A, R any](tag unsafe.Pointer) *bothFrame[A, R] {
	b := &bothFrame[A, R]{}
	b.init(tag, b.run, b.forget)
	return b
}

func (b *bothFrame[A, R]) run() { b.r = b.f(b.y) }

func (b *bothFrame[A, R]) forget() {
	var y A
	var r R
	b.f, b.y, b.r, b.labels = nil, y, r, nil
}

// Both returns f(x) and f(y), which may run in parallel: f(x) on the caller's stack, f(y) too, unless
// another worker has taken it meanwhile. All else is as with Join: both run, even if one panics or exits;
// the first panic is raised again in the caller as a *PanicError, a Goexit goes on in the caller. On a
// plain goroutine, and within Block, f(y) runs as a task of Current(), for which a worker may have to wake: 100 µs.
// Both panics with "sched: Both of nil func".
//
// In a task it allocates nothing, if f is no closure that is made for the call; what several values
// have to tell f, A may be a struct for. A Both whose f(y) nobody takes costs about 15 ns more than the two
// calls; one whose f(y) is taken some microseconds.
func Both[A, R any](f func(A) R, x, y A) (rx, ry R) {
	if f == nil {
		panic("sched: Both of nil func")
	}
	if Preempting() {
		GiveWay()
	}
	if hb.On {
		inCall(func() { rx, ry = bothApart(f, x, y) })
		return rx, ry
	}
	st := self()
	if st == nil {
		return bothNative(f, x, y)
	}
	q := st.forks
	if q == nil {
		q = st.forkq()
	}
	tag := typeOf((*bothFrame[A, R])(nil))
	i := q.bottom.Load()
	var b *bothFrame[A, R]
	if int(i) < len(q.slots) && q.slots[i].tag == tag {
		b = (*bothFrame[A, R])(unsafe.Pointer(q.slots[i]))
	} else {
		b = fitBoth[A, R](q, i, tag)
	}
	b.f, b.y, b.labels, b.used = f, y, getg.Labels(), true
	q.bottom.StoreRel(i + 1) // push by hand, and pop below: together 2 of 18 ns
	if q.limit.Load() >= i {
		q.pushed(i)
	}
	done := false
	defer func() {
		if !done {
			q.failed(i, recover())
		}
	}()
	rx = f(x)
	q.bottom.StoreRel(i)
	if q.limit.Load() <= i || q.popSlow(i) {
		ry = f(y)
		done = true
	} else {
		r := q.await(i)
		done = true
		r.raise() // before b.r is read: of a caller that was unwound meanwhile the thief still has b
		ry = b.r
	}
	if i == 0 {
		q.rest()
	}
	return rx, ry
}

// fitBoth is the rare half of finding a frame.
func fitBoth[A, R any](q *forkq, i uint32, tag unsafe.Pointer) *bothFrame[A, R] {
	if f := q.fit(i, tag); f.tag == tag {
		return (*bothFrame[A, R])(unsafe.Pointer(f))
	}
	b := newBothFrame[A, R](tag)
	q.slots[i] = &b.frame
	return b
}

// failed sees to slots[i], if that is still to be run, after a panic with v or a Goexit.
func (q *forkq) failed(i uint32, v any) {
	j := join{q: q, base: i}
	j.failed(v)
}

// bothNative is Both for a caller that has no stack for thieves to watch.
func bothNative[A, R any](f func(A) R, x, y A) (rx, ry R) {
	defer enterCall()()
	return bothApart(f, x, y)
}

// bothApart is Both with a task for f(y); see joinApart.
func bothApart[A, R any](f func(A) R, x, y A) (rx, ry R) {
	b := newBothFrame[A, R](nil)
	b.f, b.y = f, y
	j := newJoin()
	if j.trySpawn(&b.frame) {
		j.run(func() { rx = f(x) })
		return rx, b.r
	}
	if !hb.On {
		panic(closedText)
	}
	j.run(func() { inTurn(func() { rx = f(x) }, []func(){func() { ry = f(y) }}) })
	return rx, ry
}
