package sched

import (
	"sync/atomic"

	"github.com/userrt/userrt/internal/rawlock"
)

// The heap of timers that a P has; timers.go says who looks at it and when. The same in Go: runtime/time.go,
// timer, timers, siftUp, siftDown.

// timer is one entry of a heap. Its zero value, with g or f set, is ready; it must not be copied.
type timer struct {
	// in is the heap that holds it, nil if none. It changes under that heap's lock only: from nil by CAS,
	// to nil by whoever takes it out.
	in atomic.Pointer[timers]

	// Guarded by the lock of the heap that it is in; else by whoever sets it.
	when   int64  // ns on the scheduler's clock; 0: not to fire
	at     int    // its index there
	period int64  // ns; 0: once
	seq    uint64 // counts its settings, so that f can tell whether it comes too late

	g *G // the sleeper to make runnable, or:
	f func(seq uint64, nowNS int64)
}

// timers is a heap of timers, earliest first, four children to a node.
//
// A timer that is stopped, or set to a later time, mostly is so long before it is due, and mostly it is soon set
// again: a deadline. So its entry stays where it is, and is put right when it gets to the top or its worker comes
// by; until then it is stale. Only a time earlier than the entry's moves it at once. The runtime does the same
// (runtime/time.go, timerModified, timerZombie).
//
// Invariants: the parent of heap[i] is heap[(i-1)/4] and not later; heap[i].t.at is i; heap[i].when is not later
// than heap[i].t.when, unless that is 0; dead is the number of those; next is heap[0].when, or 0 when all are dead.
// So next is never late, and early at most once for each entry.
//
// Order. Who sets a timer stores next, then looks whether the worker that sleeps for timers knows of it
// (pollUntil); that worker stores pollUntil, then looks at next. Both are sequentially consistent.
type timers struct {
	lock rawlock.Mutex
	heap []timerAt
	dead int          // entries of stopped timers
	next atomic.Int64 // read without lock
	full atomic.Bool  // of dead entries: its worker shall clean up; read without lock

	running atomic.Bool // somebody fires what is due: who comes by need not wait for the lock

	nSet, nFired uint64 // under lock
}

// timerAt keeps the time beside the pointer, so that sifting touches no timer.
type timerAt struct {
	when int64 // ns on the scheduler's clock, never 0
	t    *timer
}

// due reports whether something in ts is to fire at now.
func (ts *timers) due(now int64) bool {
	next := ts.next.Load()
	return next != 0 && next <= now
}

// any reports whether there is something to do in ts, now or later.
func (ts *timers) any() bool { return ts.next.Load() != 0 || ts.full.Load() }

// add puts t, which is in no heap, into ts. Needs lock.
func (ts *timers) add(t *timer, when int64) {
	if n := len(ts.heap); n == cap(ts.heap) && n >= deadMin && ts.dead > n/2 {
		ts.clean() // in place of growing
	}
	ts.nSet++
	t.seq++
	t.when = when
	t.at = len(ts.heap)
	ts.heap = append(ts.heap, timerAt{when, t})
	ts.up(t.at)
	ts.publish()
}

// change gives t, whose entry is in ts, a new time, and reports whether it had one. Needs lock.
func (ts *timers) change(t *timer, when int64) (was bool) {
	ts.nSet++
	t.seq++
	if was = t.when != 0; !was {
		ts.dead--
	}
	t.when = when
	if e := &ts.heap[t.at]; when < e.when {
		e.when = when
		ts.up(t.at)
	}
	ts.publish()
	return was
}

// kill makes t, whose entry is in ts, not fire, and reports whether it would have. Needs lock.
func (ts *timers) kill(t *timer) (was bool) {
	if t.when == 0 {
		return false
	}
	t.when = 0
	ts.dead++
	if n := len(ts.heap); n >= deadMin && ts.dead > n/4 && !ts.full.Load() {
		ts.full.Store(true)
	}
	ts.publish()
	return true
}

// crowded reports whether so many entries are dead that who is no worker of theirs cleans up himself, as those may all be
// asleep. A worker comes by soon; if it computes instead, add bounds the heap. Needs lock.
func (ts *timers) crowded() bool { return ts.dead >= deadMax && ts.dead > len(ts.heap)/2 }

// A heap of deadMin entries is cleaned up by its worker when a quarter of them is dead; deadMax is for crowded.
const (
	deadMin = 64
	deadMax = 4096
)

// remove takes t's entry out of ts, but for in, which the caller sets. Needs lock.
func (ts *timers) remove(t *timer) {
	if t.when == 0 {
		ts.dead--
	}
	t.when = 0
	i, last := t.at, len(ts.heap)-1
	gone, e := ts.heap[i], ts.heap[last]
	ts.heap[last] = timerAt{}
	ts.heap = ts.heap[:last]
	if i < last {
		ts.heap[i] = e
		e.t.at = i
		ts.fix(i, e.when >= gone.when)
	}
	ts.trim()
	ts.publish()
}

// trim gives memory back after a crowd.
func (ts *timers) trim() {
	if cap(ts.heap) > 1024 && len(ts.heap) < cap(ts.heap)/8 {
		ts.heap = append(make([]timerAt, 0, cap(ts.heap)/4), ts.heap...)
	}
}

// top puts right what is stale at the top, as far as it is due at now, and returns the earliest timer if that is
// due; nil if none is. Needs lock.
func (ts *timers) top(now int64) *timer {
	for len(ts.heap) > 0 && ts.heap[0].when <= now {
		e := &ts.heap[0]
		t := e.t
		switch {
		case t.when == 0:
			ts.remove(t)
			t.in.Store(nil)
		case t.when > e.when:
			e.when = t.when
			ts.down(0)
		default:
			return t
		}
	}
	ts.publish()
	return nil
}

// clean takes all dead entries out and puts the others right. Needs lock.
func (ts *timers) clean() {
	live := ts.heap[:0]
	for _, e := range ts.heap {
		if e.t.when == 0 {
			e.t.in.Store(nil)
			continue
		}
		e.when = e.t.when
		e.t.at = len(live)
		live = append(live, e)
	}
	clear(ts.heap[len(live):])
	ts.heap = live
	for i := (len(live) - 2) / 4; i >= 0 && len(live) > 1; i-- {
		ts.down(i)
	}
	ts.dead = 0
	ts.full.Store(false)
	ts.trim()
	ts.publish()
}

func (ts *timers) publish() {
	next := int64(0)
	if len(ts.heap) > ts.dead {
		next = ts.heap[0].when
	}
	if next != ts.next.Load() {
		ts.next.Store(next)
	}
}

// fix finds the place of heap[i], which has become later or earlier than what was there.
func (ts *timers) fix(i int, later bool) {
	if later {
		ts.down(i)
	} else {
		ts.up(i)
	}
}

func (ts *timers) up(i int) {
	h := ts.heap
	e := h[i]
	for i > 0 {
		parent := (i - 1) / 4
		if h[parent].when <= e.when {
			break
		}
		h[i] = h[parent]
		h[i].t.at = i
		i = parent
	}
	h[i] = e
	e.t.at = i
}

func (ts *timers) down(i int) {
	h := ts.heap
	e := h[i]
	for {
		child := 4*i + 1
		if child >= len(h) {
			break
		}
		for c, end := child+1, min(child+4, len(h)); c < end; c++ {
			if h[c].when < h[child].when {
				child = c
			}
		}
		if h[child].when >= e.when {
			break
		}
		h[i] = h[child]
		h[i].t.at = i
		i = child
	}
	h[i] = e
	e.t.at = i
}
