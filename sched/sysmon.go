package sched

import (
	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/nap"
	"github.com/userrt/userrt/internal/sema"
)

// The monitor: a thread without a P that looks after what nobody else would notice. The same in Go:
// runtime/proc.go, sysmon. It sleeps 20 µs at first, after a millisecond without anything to do twice
// as long each time, up to 10 ms; for as long as no P is in use; and shortly where Ps come and go.

const (
	sysmonMinNS  = 20_000
	sysmonMaxNS  = 10_000_000
	sysmonRounds = 50 // at the shortest sleep before it grows
	sysmonPollNS = 10_000_000
	sysmonLateNS = 50_000 // how late a timer must be for the monitor to mind

	// How long a P stays lent without use. A goroutine that waits less often than that gains nothing that counts by a P, which as long as it is lent keeps
	// the monitor awake.
	lentUnusedNS = 300_000

	// The sleep while Ps come and go, before the one that is ended only by the next P that is taken.
	sysmonNapNS = 250_000

	// The longest sleep while tasks wait in a ring that nobody helps with, since its P runs them faster
	// than a thief would: that may change with the next one.
	sysmonQueuedNS = 200_000
)

type sysmonState struct {
	sysmonOn     bool      // it has been started; s.lock
	sysmonSleeps bool      // until a P is taken; s.lock
	sysmonSema   sema.Sema // ends that sleep
	tracedAt     int64     // when it last wrote a trace line, ns; its own
	sysmonAt     int64     // when it last looked at the Ps, ns; its own
	sysmonLate   bool      // its last sleep has taken too long; its own
	sysmonAwake  uint32    // nAwake when it last found no P in use; its own
}

// sysmonStart starts the monitor with the first worker. Needs s.lock.
func (s *Scheduler) sysmonStart() {
	if !s.sysmonOn {
		s.sysmonOn = true
		s.workersUp.Add(1)
		startWorker(s.sysmon)
	}
}

// sysmonWake ends its long sleep. Needs s.lock.
func (s *Scheduler) sysmonWake() {
	if s.sysmonSleeps {
		s.sysmonSleeps = false
		s.sysmonSema.Release()
	}
}

func (s *Scheduler) sysmon() {
	if hb.On {
		hb.Register()
		defer hb.Unregister()
	}
	n := nap.New()
	pace := sysmonPace{delay: sysmonMinNS}
	for {
		s.doze(n, traceDelay(s.untilTimer(pace.delay)))
		slept, ended := s.sysmonSleep(n.Sleep)
		if ended {
			break
		}
		did, queued := s.sysmonLook()
		pace.looked(slept || did, queued)
	}
	for _, p := range *s.allp.Load() {
		p.clearPreempt() // we may have marked one that was just being given up
	}
	n.Close()
	s.workerGone()
}

// doze sleeps for delay ns, and notes whether that has taken much longer. Then every native P has had a worker that did not let others in, as
// workers do every 5 ms between two tasks: they are in long tasks.
func (s *Scheduler) doze(n *nap.Napper, delay int64) {
	start := s.nanotime()
	n.Sleep(delay)
	s.sysmonLate = s.nanotime()-start-delay > nativeSliceNS
}

// sysmonPace is how long the monitor sleeps between two looks.
type sysmonPace struct {
	delay int64 // ns
	idle  int   // looks since there was something to do
}

// looked sets the delay after a look: short after one that found something to do, longer and longer after those that
// did not, but not so long while tasks wait in a ring.
func (b *sysmonPace) looked(did, queued bool) {
	switch b.idle++; {
	case did:
		b.delay, b.idle = sysmonMinNS, 0
	case queued:
		b.delay = min(2*b.delay, sysmonQueuedNS)
	case b.idle > sysmonRounds:
		b.delay = min(2*b.delay, sysmonMaxNS)
	}
}

// sysmonSleep sleeps while no P is in use, and tells whether it did and whether the monitor is to end: with s, or,
// by Config.IdleThread, with the last worker; the next one starts it anew. Where Ps have come and gone since it last looked it only naps: to be woken
// with each of the many requests of a server that has little to do takes more than a request does. A nap does not count as a sleep, after which it would
// look each 20 µs for a while: a look, too, takes as much as a request.
func (s *Scheduler) sysmonSleep(nap func(ns int64)) (slept, ended bool) {
	swept := false
	s.lock.Lock()
	for s.nprun == 0 && !s.ended && !s.alone() {
		if s.nm == 0 {
			s.sysmonOn = false
			s.lock.Unlock()
			return slept, true
		}
		if s.sysmonAwake != s.nAwake {
			s.sysmonAwake = s.nAwake
			s.lock.Unlock()
			nap(sysmonNapNS)
			s.lock.Lock()
			continue
		}
		s.sysmonSleeps = true
		s.lock.Unlock()
		if !swept {
			coro.Sweep() // the last thing to be done
		}
		slept, swept = true, true
		s.sysmonSema.Acquire()
		s.lock.Lock()
	}
	ended = s.ended
	s.lock.Unlock()
	return slept, ended
}

// sysmonLook looks at all Ps and the network once. did tells whether there was anything to do, queued
// whether tasks wait in some ring although a P is idle.
func (s *Scheduler) sysmonLook() (did, queued bool) {
	did = s.pollLate()
	s.lookAlone()
	if s.retake() {
		did = true
	}
	now := s.nanotime()
	if s.lookAtTimers(now) {
		did = true
	}
	s.trimLook(now)
	s.stamp(now)
	s.traceDue(now)
	if now-s.widenedAt > widenNS {
		s.widen(now)
	}
	queued = s.watchPs(now)
	if s.npidle.Load() == 0 && !s.anyLent() {
		return did, queued
	}
	// Also while somebody searches: by its pace a ring may seem not worth a theft.
	if s.lookAtRings(now - s.sysmonAt) {
		did = true
	}
	s.sysmonAt = now
	for _, p := range *s.allp.Load() {
		queued = queued || !p.runq.empty()
	}
	lying, offered := s.forks.lying()
	queued = queued || offered
	if lying || s.globVisible(nil) {
		s.wakep()
		did = true
	}
	queued = queued || s.globqsize.Load() > 0
	return did, queued
}

// pollLate polls the network when nobody has for long, and reports whether that made a task runnable.
func (s *Scheduler) pollLate() (did bool) {
	now := s.nanotime()
	if last := s.lastpoll.Load(); last == 0 || now-last <= sysmonPollNS {
		return false
	}
	if l := s.poll(now); l.q.n > 0 {
		s.inject(&l.q)
		did = true
	}
	s.lock.Lock()
	idle := s.nprun == 0
	s.lock.Unlock()
	if idle && (s.pollerWaits() || s.nextTimer() != 0) {
		s.NeedPoll() // who went to sleep meanwhile saw us poll
	}
	return did
}

// lookAtRings corrects the pace of each P by what it has done in the last since nanoseconds, wakes a searcher if
// some ring deserves one, and reports whether one did.
func (s *Scheduler) lookAtRings(since int64) (did bool) {
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
		if (worthWaking(p.runq.size(), pace) || ticks == 0 && p.runnext.Load() != nil) && !p.keeps() {
			s.wakep()
			did = true
		}
	}
	return did
}

// alone reports whether nobody but the monitor can see to timers and the network: there may be no more threads,
// and those that there are wait, in Block or as wired tasks'. Needs s.lock.
func (s *Scheduler) alone() bool {
	return s.nprun == 0 && s.nm >= s.maxM && s.nmidle == 0 && !s.polling.Load() &&
		(s.nextTimer() != 0 || s.pollerWaits())
}

// lookAlone does what a worker would do that has nothing to run, if there is none.
func (s *Scheduler) lookAlone() {
	if s.npidle.Load() != s.procs.Load() {
		return
	}
	s.lock.Lock()
	alone := s.alone()
	s.lock.Unlock()
	if !alone {
		return
	}
	var q gQueue
	if s.pollerWaits() {
		l := s.poll(s.nanotime())
		q = l.q
		s.NeedPoll() // a worker that was just about to saw us poll
	}
	for _, p := range *s.allp.Load() {
		s.fire(&p.timers, &q)
	}
	s.inject(&q)
}

// untilTimer shortens a nap of the monitor's so that it finds an overdue timer soon.
func (s *Scheduler) untilTimer(delay int64) int64 {
	when := s.nextTimer()
	if when == 0 {
		return delay
	}
	return min(delay, max(when-s.nanotime()+sysmonLateNS, sysmonMinNS))
}

// lookAtTimers sees to timers that nobody has fired in time: an idle worker is to do it, or the P's own before
// its next task. It reports whether there were any.
func (s *Scheduler) lookAtTimers(now int64) bool {
	if when := s.nextTimer(); when == 0 || now-when < sysmonLateNS {
		return false
	}
	if s.npidle.Load() > 0 {
		s.wakep()
		return true
	}
	all := *s.allp.Load()
	for _, p := range all {
		if !p.watch.stuck && p.id < s.procs.Load() {
			p.setAttn(attnTimer)                                         // one is enough, if it sees it soon
			if p.timers.due(now) && p.schedtick.Load() != p.watch.tick { // it has not stood still since our last look
				break
			}
		}
	}
	return true
}

// retake takes Ps from workers that are in Block for longer than a round, unless nobody would have any
// use for them, to run tasks or to wait for the network, and reports whether there was one. The same in Go: runtime/proc.go, retake.
func (s *Scheduler) retake() bool {
	did := false
	for _, p := range *s.allp.Load() {
		if p.evictLate() {
			did = true
		}
		how := p.blocked.Load()
		if how == held {
			continue
		}
		now := s.nanotime()
		if how == lentOut {
			if s.retakeLent(p, now) {
				did = true
			}
			continue
		}
		if n := p.nBlock.Load(); n != p.sysBlock {
			p.sysBlock, p.sysSince = n, now
			did = true // look again soon
			continue
		}
		if !p.hasWork() && !p.timers.due(now) && !s.unpolled() && s.npidle.Load()+s.nmspinning.Load() > 0 && now-p.sysSince < sysmonPollNS {
			continue
		}
		if p.blocked.CompareAndSwap(inBlock, held) {
			s.handoffp(p)
			did = true
		}
	}
	return did
}

// retakeLent takes p from the goroutine that it is lent to, if a task waits for that since the last look, or it has not been of use for lentUnusedNS. It
// reports whether the next look shall come soon.
func (s *Scheduler) retakeLent(p *P, now int64) bool {
	if n := p.n.lends.Load() + p.n.helps.Load(); n != p.sysLent {
		p.sysLent, p.sysSince = n, now
		return p.lateLent()
	}
	if !p.hasWork() && !p.timers.due(now) && now-p.sysSince < lentUnusedNS || !p.blocked.CompareAndSwap(lentOut, held) {
		return false
	}
	s.handoffp(p)
	return true
}
