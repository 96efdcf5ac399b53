package sched

// The worker that gives up the last P looks once more, some time later, after what only a scheduler that has
// come to rest can decide: whether idle stacks are still needed (trim.go), and whether the tasks that are
// left can ever run again (deadlock.go). So nothing ticks while nothing runs, but with
// Config.DetectDeadlock, for as long as some Run or Shutdown waits. The runtime has no such moment: its own checkdead
// (runtime/proc.go, checkdead) knows at once, and its sysmon never sleeps for good while a thread runs.

// lastLook is when a worker that is about to sleep shall look, on the clock; 0 means never.
type lastLook struct {
	s        *Scheduler
	awake    uint32 // Scheduler.nAwake when the last P was given up: if it has changed, another worker will look
	trimAt   int64
	deadAt   int64
	deadWait int64 // until deadAt, ns; grows each time
	restAt   int64 // when the last P was given up
	endAt    int64 // when the worker shall end, by Config.IdleThread
}

// lookLater returns what m, which has no P, shall look after before it sleeps for good.
func (m *M) lookLater() lastLook {
	s := m.s
	l := lastLook{s: s}
	if idle := s.idleThreadNS(); idle >= 0 {
		l.endAt = s.nanotime() + idle
	}
	if !m.last {
		return l
	}
	s.lock.Lock()
	l.awake = s.nAwake
	m.last = s.nprun == 0
	s.lock.Unlock()
	if m.last {
		l.trimAt = s.trimAt()
		if s.wantsDeadlocks() {
			l.restAt, l.deadWait = s.nanotime(), deadlockFirstNS
			l.deadAt = l.restAt + l.deadWait
		}
	}
	return l
}

// next returns the earliest moment at which there is something to do, 0 for never. With a deadlock to be
// looked for the worker does not end.
func (l *lastLook) next() int64 {
	at := earlier(l.trimAt, l.deadAt)
	if l.deadAt == 0 {
		at = earlier(at, l.endAt)
	}
	return at
}

func earlier(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// timeout returns how long m may sleep in the cache, in ns; negative: for ever.
func (l *lastLook) timeout() int64 { return l.s.nsUntil(l.next()) }

// nsUntil returns how long it is until at, in ns, at least 1; negative, that is for ever, if at is 0.
func (s *Scheduler) nsUntil(at int64) int64 {
	if at == 0 {
		return -1
	}
	return max(at-s.nanotime(), 1)
}

// over reports whether the worker shall end now.
func (l *lastLook) over() bool { return l.endAt != 0 && l.deadAt == 0 && l.s.nanotime() >= l.endAt }

// look does what is due. m has no P and is not in the cache.
func (m *M) look(l *lastLook) {
	now := l.s.nanotime()
	m.at = 0 // what follows takes long
	if l.trimAt != 0 && now >= l.trimAt {
		l.trimAt = 0
		if m.trimIdle(l.awake) {
			l.trimAt = now // the rest next time: somebody may want m meanwhile
		}
	}
	if l.deadAt != 0 && now >= l.deadAt {
		l.deadAt = 0
		if next := m.s.lookForDeadlock(l.awake, now-l.restAt); next != lookNever {
			l.deadWait = deadlockPause(next, l.deadWait)
			l.deadAt = l.s.nanotime() + l.deadWait
		}
	}
}
