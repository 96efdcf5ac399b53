package sched

import "math"

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

// set makes t fire at when, instead of earlier settings, and reports whether one was pending, and whether the heap's
// next got earlier. Its entry goes to s's heap for the caller, unless it still has one.
func (t *timer) set(s *Scheduler, when, period int64) (seq uint64, was, sooner bool) {
	for {
		ts := t.in.Load()
		if ts == nil {
			ts = s.timerHome()
		}
		ts.lock.Lock()
		before := ts.next.Load()
		switch in := t.in.Load(); {
		case in == ts:
			was = ts.change(t, when)
		case in == nil && t.in.CompareAndSwap(nil, ts):
			ts.add(t, when)
		default:
			ts.lock.Unlock()
			continue
		}
		t.period = period
		seq = t.seq
		after := ts.next.Load()
		ts.lock.Unlock()
		return seq, was, before == 0 || after < before
	}
}

// stop makes t not fire, and reports whether it would have. Its entry stays for a while.
func (t *timer) stop(s *Scheduler) (was bool) {
	t.locked(func(ts *timers) {
		was = ts.kill(t)
		if ts.crowded() && !s.isOurs() {
			ts.clean()
		}
	})
	return was
}

// drop is stop for a sleeper, whose next sleep wants t in no heap. When it has returned t will not wake it any more.
func (t *timer) drop() {
	t.locked(func(ts *timers) {
		ts.remove(t)
		t.in.Store(nil)
	})
}

// locked calls f with the heap that holds t, locked; not if there is none.
func (t *timer) locked(f func(ts *timers)) {
	for ts := t.in.Load(); ts != nil; ts = t.in.Load() {
		ts.lock.Lock()
		if t.in.Load() == ts {
			f(ts)
			ts.lock.Unlock()
			return
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
	if ts.full.Load() {
		ts.lock.Lock()
		ts.clean()
		ts.lock.Unlock()
	}
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
		for n < len(calls) {
			t := ts.top(now)
			if t == nil {
				break
			}
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
	t.when = satAdd(t.when, t.period*(1+(now-t.when)/t.period))
	ts.heap[0].when = t.when
	ts.down(0)
	ts.publish()
}

// runAllTimers fires what is due anywhere.
func (m *M) runAllTimers() {
	for _, p := range *m.s.allp.Load() {
		if p.timers.any() {
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
func (s *Scheduler) timerHome() *timers {
	if st := self(); st != nil && st.m.s == s {
		return &st.m.p.timers
	}
	return &(*s.allp.Load())[0].timers
}

// isOurs reports whether the caller is one of s's workers.
func (s *Scheduler) isOurs() bool {
	st := self()
	return st != nil && st.m.s == s
}

// timerSet makes sure that somebody wakes in time for a timer that has become the next of its heap, if the caller
// is none of s's workers: who has set one itself looks at it before it sleeps.
func (s *Scheduler) timerSet(when int64) {
	switch {
	case s.isOurs():
	case !s.polling.Load():
		s.wakep()
	case when < s.pollUntil.Load():
		s.breakPoll()
	}
}

// timerStopped ends the sleep of the worker that sleeps for timers if there is none left, and the caller is none of
// s's workers: tasks that a timer could have woken may be deadlocked now, and it may be the one who is to look.
func (s *Scheduler) timerStopped() {
	if !s.isOurs() && s.polling.Load() && s.nextTimer() == 0 {
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
