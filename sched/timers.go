package sched

import (
	"math"
	"sync/atomic"

	"github.com/userrt/userrt/internal/rawlock"
)

// Timers: a heap for each P. A timer goes into the heap of the P on which it is set and stays there until
// it fires or is stopped. Whoever comes by may run what is due in any heap: the P's own worker, a thief in
// its last round, the worker that sleeps until the earliest timer of all (events.go). So the timers of an
// idle or withdrawn P need not move. The same in Go: runtime/time.go, timers, timer.
//
// Who looks when. A busy P's worker looks at its own heap at each visit to g0 and at its looks out of turn,
// which are at most 61 tasks or, at the pace of its latest tasks, timerLookNS apart. sysmon sees what that
// misses. An idle scheduler has one thread that sleeps until the next timer, in the network poll or in futex(2).

// timerLookNS is how long a busy P with timers goes without a look at them, if its tasks keep their pace.
const timerLookNS = 1_000_000

// timer is one entry of a heap. Its zero value, with g or f set, is ready; it must not be copied.
type timer struct {
	// in is the heap that holds it, nil if none. It changes under that heap's lock only: from nil by CAS,
	// to nil by whoever takes it out.
	in atomic.Pointer[timers]

	// Guarded by the lock of the heap that it is in; else by whoever sets it.
	at     int    // its index there
	period int64  // ns; 0: once
	seq    uint64 // counts its settings, so that f can tell whether it comes too late

	g *G // the sleeper to make runnable, or:
	f func(seq uint64, nowNS int64)
}

// timers is a heap of timers, earliest first, four children to a node.
//
// Invariants: the parent of heap[i] is heap[(i-1)/4] and not later; heap[i].t.at is i; next is heap[0].when,
// or 0 with an empty heap.
//
// Order. Who sets a timer stores next, then looks whether the worker that sleeps for timers knows of it
// (pollUntil); that worker stores pollUntil, then looks at next. Both are sequentially consistent.
type timers struct {
	lock rawlock.Mutex
	heap []timerAt
	next atomic.Int64 // read without lock

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

// add puts t, which is in no heap, into ts. Needs lock.
func (ts *timers) add(t *timer, when int64) {
	ts.nSet++
	t.seq++
	t.at = len(ts.heap)
	ts.heap = append(ts.heap, timerAt{when, t})
	ts.up(t.at)
	ts.publish()
}

// change gives t, which is in ts, a new time. Needs lock.
func (ts *timers) change(t *timer, when int64) {
	ts.nSet++
	t.seq++
	e := &ts.heap[t.at]
	later := when >= e.when
	e.when = when
	ts.fix(t.at, later)
	ts.publish()
}

// remove takes t out of ts, but for in, which the caller sets. Needs lock.
func (ts *timers) remove(t *timer) {
	i, last := t.at, len(ts.heap)-1
	gone, e := ts.heap[i], ts.heap[last]
	ts.heap[last] = timerAt{}
	ts.heap = ts.heap[:last]
	if i < last {
		ts.heap[i] = e
		e.t.at = i
		ts.fix(i, e.when >= gone.when)
	}
	if cap(ts.heap) > 1024 && len(ts.heap) < cap(ts.heap)/8 { // after a crowd
		ts.heap = append(make([]timerAt, 0, cap(ts.heap)/4), ts.heap...)
	}
	ts.publish()
}

func (ts *timers) publish() {
	next := int64(0)
	if len(ts.heap) > 0 {
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

// set makes t fire at when, instead of earlier settings, and reports whether one was pending. home is the heap
// for a timer that is in none.
func (t *timer) set(home *timers, when, period int64) (seq uint64, was bool) {
	for {
		if ts := t.in.Load(); ts != nil {
			ts.lock.Lock()
			if t.in.Load() == ts {
				t.period = period
				ts.change(t, when)
				seq = t.seq
				ts.lock.Unlock()
				return seq, true
			}
			ts.lock.Unlock()
			continue
		}
		home.lock.Lock()
		if t.in.CompareAndSwap(nil, home) {
			t.period = period
			home.add(t, when)
			seq = t.seq
			home.lock.Unlock()
			return seq, false
		}
		home.lock.Unlock()
	}
}

// stop takes t out of its heap; false means that it was in none. A sleeper's timer that is in none when stop
// returns will not wake it any more.
func (t *timer) stop() bool {
	for {
		ts := t.in.Load()
		if ts == nil {
			return false
		}
		ts.lock.Lock()
		if t.in.Load() == ts {
			ts.remove(t)
			t.in.Store(nil)
			ts.lock.Unlock()
			return true
		}
		ts.lock.Unlock()
	}
}

// runTimers fires what is due in ts. Sleepers become runnable on m's P, in the order of their times; functions
// are called right here, without the lock. The same in Go: runtime/time.go, check, run, unlockAndRun.
func (m *M) runTimers(ts *timers) {
	var woken gQueue
	m.s.fire(ts, &woken)
	if woken.n == 0 {
		return
	}
	for gp := woken.pop(); gp != nil; gp = woken.pop() {
		m.p.runqput(gp, false)
	}
	m.p.wake()
}

// fire is runTimers for a caller that queues the sleepers itself.
func (s *Scheduler) fire(ts *timers, woken *gQueue) {
	now := s.nanotime()
	if !ts.due(now) || !ts.running.CompareAndSwap(false, true) {
		return
	}
	defer ts.running.Store(false)
	for ts.due(now) {
		// Some at a time, or the lock would go back and forth between us and a task that sets timers.
		var calls [16]struct {
			f   func(seq uint64, nowNS int64)
			seq uint64
		}
		n := 0
		ts.lock.Lock()
		for n < len(calls) && len(ts.heap) > 0 && ts.heap[0].when <= now {
			t := ts.heap[0].t
			ts.nFired++
			if t.g != nil {
				s.wakeSleeper(ts, t, woken)
				continue
			}
			calls[n].f, calls[n].seq = t.f, t.seq
			n++
			ts.retime(t, now)
		}
		ts.lock.Unlock()
		for _, c := range calls[:n] {
			c.f(c.seq, now)
		}
	}
}

// wakeSleeper takes t, the earliest of ts, out and makes its task runnable. The claim is made under the lock: who
// has stopped the timer can't be woken by it. Needs lock.
func (s *Scheduler) wakeSleeper(ts *timers, t *timer, woken *gQueue) {
	gp := t.g
	won := gp.Claim()
	ts.remove(t)
	t.in.Store(nil)
	if won {
		if h := s.hooks; h != nil {
			h.readied(gp)
		}
		gp.state.StoreRel(gRunnable)
		woken.pushBack(gp)
	}
}

// retime sets t, the earliest of ts, to its next time, or takes it out if it has none. Needs lock.
func (ts *timers) retime(t *timer, now int64) {
	if t.period == 0 {
		ts.remove(t)
		t.in.Store(nil)
		return
	}
	e := &ts.heap[0]
	e.when = satAdd(e.when, t.period*(1+(now-e.when)/t.period))
	ts.down(0)
	ts.publish()
}

// runAllTimers fires what is due anywhere.
func (m *M) runAllTimers() {
	for _, p := range *m.s.allp.Load() {
		if p.timers.next.Load() != 0 {
			m.runTimers(&p.timers)
		}
	}
}

// nextTimer returns when the earliest timer of all is due, 0 if there is none.
func (s *Scheduler) nextTimer() (when int64) {
	for _, p := range *s.allp.Load() {
		if next := p.timers.next.Load(); next != 0 && (when == 0 || next < when) {
			when = next
		}
	}
	return when
}

// timerHome returns the heap for a timer that the caller sets.
func (s *Scheduler) timerHome() (home *timers, ours bool) {
	if st := self(); st != nil && st.m.s == s {
		return &st.m.p.timers, true
	}
	return &(*s.allp.Load())[0].timers, false
}

// timerSet makes sure that somebody wakes in time for a timer that was set from outside of s's workers.
// A worker that has set one itself looks at it before it sleeps.
func (s *Scheduler) timerSet(when int64) {
	switch {
	case !s.polling.Load():
		s.wakep()
	case when < s.pollUntil.Load():
		s.breakPoll()
	}
}

// after returns the time d ns from now; one that is over is the next that there is.
func (s *Scheduler) after(d int64) int64 { return max(satAdd(s.nanotime(), max(d, 0)), 1) }

// satAdd adds two numbers of which the second is not negative; what is too large is the largest.
func satAdd(a, b int64) int64 {
	if c := a + b; c >= a {
		return c
	}
	return math.MaxInt64
}
