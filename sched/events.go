package sched

import (
	"math"

	"github.com/userrt/userrt/internal/futex"
)

// The worker that sleeps for all: of those that have no P, one waits for the network and the next
// timer, the others for work (stopm). The same in Go: runtime/proc.go, findRunnable, its last part, and
// wakeNetPoller.
//
// There is no lost wake-up between the last look at timers and network and the sleep. A wait or a timer that
// begins on a worker needs nobody: that worker comes here before it sleeps. For others NeedPoll and timerSet
// wake somebody, or break the sleep that doesn't know of it yet.

// sleepForEvents waits for the network, if somebody waits there, and for the next timer, if no other worker
// does; m has no P. It returns a task, with a P; or nil, with a P if there is something to look for.
func (m *M) sleepForEvents() *G {
	s := m.s
	look := m.lookLater()
	for {
		if when := s.nextTimer(); when != 0 && when <= s.nanotime() {
			if !m.tryAcquire() {
				return nil // who holds a P looks at timers, and searches before giving it up
			}
			m.runAllTimers()
			return m.p.runqget()
		}
		// Short sleeps keep the native P (package syswait), so before one of many m gives way at times. Who won't sleep here does so in
		// stopm, in the cache.
		if m.now()-m.nativeAt > nativeSliceNS && !s.polling.Load() && (s.pollerWaits() || s.nextTimer() != 0) {
			m.gosched()
		}
		l, slept := m.pollSleep(look.trimAt)
		if l.others {
			m.gosched() // before this thread, and a native P with it, sleeps
		}
		if l.q.n == 0 {
			if slept && !s.hasEnded() && !s.wantM.Load() {
				m.look(&look)
				continue // a timer, others' Gs only, or breakPoll: for as long as there is something to wait for
			}
			return nil
		}
		if !m.tryAcquire() {
			s.inject(&l.q)
			return nil
		}
		return m.take(&l)
	}
}

// pollSleep sleeps until there is an event, a timer is due, breakPoll is called, or it is lookAt, if that is not 0;
// not at all if there is nothing to wait for, or another worker does so.
func (m *M) pollSleep(lookAt int64) (l GList, slept bool) {
	s := m.s
	network := s.pollerWaits()
	when := s.nextTimer()
	if !network && when == 0 {
		return l, false
	}
	if !s.polling.CompareAndSwap(false, true) {
		if network && s.onFutex.Load() || when != 0 && when < s.pollUntil.Load() {
			s.breakPoll()
		}
		return l, false
	}
	s.onFutex.Store(!network)
	key := s.pollKey.Load()
	delay := int64(-1)
	for {
		s.pollUntil.Store(untilOrNever(when))
		next := s.nextTimer() // after pollUntil; see timers
		if next == when {
			break
		}
		when = next
	}
	if s.wantM.Load() { // after polling and pollKey; see startm
		s.stopPolling()
		return l, false
	}
	if at := earlier(when, lookAt); at != 0 {
		delay = max(at-s.nanotime(), 0)
	}
	switch {
	case network:
		l = m.pollFor(delay)
	case when != 0 && !s.pollerWaits(): // asked again, after onFutex
		futex.WaitAs(&s.sleeps, s.pollKey.Addr(), key, delay)
		m.at = 0
	}
	s.stopPolling()
	return l, true
}

// stopPolling lets others poll.
func (s *Scheduler) stopPolling() {
	s.pollUntil.Store(0)
	s.onFutex.Store(false)
	s.polling.Store(false)
}

// pollFor polls for so long at the most, for ever if delayNS is negative. The caller has set polling.
func (m *M) pollFor(delayNS int64) GList {
	s := m.s
	before := m.now()
	l := s.gather(*s.poller.Load(), delayNS)
	m.at = s.nanotime()
	s.lastpoll.Store(m.at)
	if m.at-before < atOnceNS {
		m.sleeps = 0
	} else {
		m.sleeps = min(m.sleeps+1, manySleeps)
	}
	return l
}

// pollerWaits reports whether any G is parked on the poller.
func (s *Scheduler) pollerWaits() bool {
	p := s.poller.Load()
	return p != nil && s.asksWaiting(*p)
}

// breakPoll makes pollSleep return.
func (s *Scheduler) breakPoll() {
	s.pollKey.Add(1)
	futex.Wake(s.pollKey.Addr(), 1)
	if p := s.poller.Load(); p != nil && !s.onFutex.Load() {
		s.callBreak(*p)
	}
}

func (s *Scheduler) hasEnded() bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.ended
}

func untilOrNever(when int64) int64 {
	if when == 0 {
		return math.MaxInt64
	}
	return when
}
