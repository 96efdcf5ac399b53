package sched

import (
	"sync"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/nap"
)

// The monitor: a thread without a P that looks after what nobody else would notice. The same in Go:
// runtime/proc.go, sysmon. It sleeps 20 µs at first, after a millisecond without anything to do twice
// as long each time, up to 10 ms; and for as long as no P is in use.

const (
	sysmonMinNS  = 20_000
	sysmonMaxNS  = 10_000_000
	sysmonRounds = 50 // at the shortest sleep before it grows
	sysmonPollNS = 10_000_000

	// The longest sleep while tasks wait in a ring that nobody helps with, since its P runs them faster
	// than a thief would: that may change with the next one.
	sysmonQueuedNS = 200_000
)

type sysmonState struct {
	sysmonOn     bool       // it has been started; s.lock
	sysmonSleeps bool       // until a P is taken; s.lock
	sysmonSema   sync.Mutex // held; unlocked once to end that sleep
	tracedAt     int64      // when it last wrote a trace line, ns; its own
	sysmonAt     int64      // when it last looked at the Ps, ns; its own
}

// sysmonStart starts the monitor with the first worker. Needs s.lock.
func (s *Scheduler) sysmonStart() {
	if !s.sysmonOn {
		s.sysmonOn = true
		s.workersUp.Add(1)
		s.sysmonSema.Lock()
		startWorker(s.sysmon)
	}
}

// sysmonWake ends its long sleep. Needs s.lock.
func (s *Scheduler) sysmonWake() {
	if s.sysmonSleeps {
		s.sysmonSleeps = false
		s.sysmonSema.Unlock()
	}
}

func (s *Scheduler) sysmon() {
	n := nap.New()
	delay, idle := int64(sysmonMinNS), 0
	for {
		n.Sleep(traceDelay(delay))
		slept, ended := s.sysmonSleep()
		if ended {
			break
		}
		did, queued := s.sysmonLook()
		switch idle++; {
		case slept || did:
			delay, idle = sysmonMinNS, 0
		case queued:
			delay = min(2*delay, sysmonQueuedNS)
		case idle > sysmonRounds:
			delay = min(2*delay, sysmonMaxNS)
		}
	}
	n.Close()
	s.workerGone()
}

// sysmonSleep sleeps while no P is in use, and tells whether it did and whether s has ended.
func (s *Scheduler) sysmonSleep() (slept, ended bool) {
	s.lock.Lock()
	for s.nprun == 0 && !s.ended {
		s.sysmonSleeps = true
		s.lock.Unlock()
		slept = true
		s.sysmonSema.Lock()
		s.lock.Lock()
	}
	ended = s.ended
	s.lock.Unlock()
	return slept, ended
}

// sysmonLook looks at all Ps and the network once. did tells whether there was anything to do, queued
// whether tasks wait in some ring although a P is idle.
func (s *Scheduler) sysmonLook() (did, queued bool) {
	if last := s.lastpoll.Load(); last != 0 && clock.Nanotime()-last > sysmonPollNS {
		if l := s.poll(0); l.q.n > 0 {
			s.inject(&l.q)
			did = true
		}
		s.lock.Lock()
		idle := s.nprun == 0
		s.lock.Unlock()
		if p := s.poller.Load(); idle && (*p).Waiting() {
			s.NeedPoll() // who went to sleep meanwhile saw us poll
		}
	}
	if s.retake() {
		did = true
	}
	now := clock.Nanotime()
	s.stamp(now)
	s.traceDue(now)
	if now-s.widenedAt > widenNS {
		s.widen(now)
	}
	queued = s.watchPs(now)
	if s.npidle.Load() == 0 || s.nmspinning.Load() != 0 {
		return did, queued
	}
	since := now - s.sysmonAt
	s.sysmonAt = now
	for _, p := range *s.allp.Load() {
		tick, picked := p.progress(), p.schedtick.Load()
		ticks := tick - p.sysTick
		if picked == p.sysPicked {
			ticks = 0 // it may have spawned, but it has run nothing
		}
		p.sysTick, p.sysPicked = tick, picked
		// The pace since the last look, which the worker itself can't measure in a long task.
		pace := since / int64(ticks+1)
		if pace >= moveWorthNS {
			p.setPace(pace)
		}
		if worthWaking(p.runq.size(), pace) || ticks == 0 && (p.runnext.Load() != nil || !p.joinq.empty()) {
			s.wakep()
			did = true
		}
		queued = queued || !p.runq.empty()
	}
	if s.globVisible(nil) {
		s.wakep()
		did = true
	}
	queued = queued || s.globqsize.Load() > 0
	return did, queued
}

// retake takes Ps from workers that are in Block for longer than a round, unless nobody would have any
// use for them, and reports whether there was one. The same in Go: runtime/proc.go, retake.
func (s *Scheduler) retake() bool {
	did := false
	for _, p := range *s.allp.Load() {
		if p.blocked.Load() == 0 {
			continue
		}
		now := clock.Nanotime()
		if n := p.nBlock.Load(); n != p.sysBlock {
			p.sysBlock, p.sysSince = n, now
			did = true // look again soon
			continue
		}
		if !p.hasWork() && s.npidle.Load()+s.nmspinning.Load() > 0 && now-p.sysSince < sysmonPollNS {
			continue
		}
		if p.blocked.CompareAndSwap(1, 0) {
			s.handoffp(p)
			did = true
		}
	}
	return did
}
