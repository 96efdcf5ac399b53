package sched

// Waking and putting to sleep; idle.md has the argument why no wake-up is lost.
// The same in Go: runtime/proc.go, "Worker thread parking/unparking".

// wakep wakes one worker to search, if a P is idle and nobody searches yet.
// The same in Go: runtime/proc.go, wakep.
func (s *Scheduler) wakep() {
	if p := s.searchP(); p != nil {
		s.startm(p, true)
	}
}

// searchP returns a P for one more worker to search with, already counted in nmspinning: the caller gives it to startm or newm. It is nil if
// somebody searches, or no P is idle.
func (s *Scheduler) searchP() *P {
	if s.nmspinning.Load() != 0 || !s.nmspinning.CompareAndSwap(0, 1) {
		return nil
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	var p *P
	if s.pidle != nil {
		p = s.pidleget(s.nanotime())
	}
	if p != nil {
		s.nWakes++
	} else if p = s.retakeBlocked(); p == nil {
		s.needspinning = true
		s.nmspinning.Add(-1) // under the lock; see idle.md, "The waker that finds no P"
	}
	return p
}

// mayWake is false where wake would wake nobody: no P is idle, or what is queued here runs faster than another could
// fetch it. To look before the call spares many spawns 2 of 52 ns each.
func (p *P) mayWake() bool {
	return p.s.npidle.Load() != 0 && (p.worthMoving() || p.runq.empty())
}

// wake is wakep for the worker of p after it has made a task runnable there.
func (p *P) wake() {
	if p.wakeSkip > 0 && p.runq.empty() { // wakeSlow's usual outcome
		p.wakeSkip--
		return
	}
	if s := p.s; s.npidle.Load() != 0 && s.nmspinning.Load() == 0 {
		p.wakeSlow()
	}
}

// wakeSlow wakes a searcher unless that has turned out futile here lately.
//
// Two tasks that hand a value back and forth ready each other all the time, but each parks at once,
// so there is never anything to steal, and a futex wake for each hand-over would cost ten times the
// hand-over. So after a wake-up for a task in runnext this P's worker is watched: if it takes up
// the next task within futileNS, the wake-up was futile, and twice as many such occasions as before
// are let pass, up to maxWakeSkip. Nor is anybody woken for a queue that this P will have run, at the
// pace of its latest tasks, before another worker is awake. sysmon looks after what is left lying,
// should the pace change.
//
// There is no counterpart in the runtime, which wakes every time (runtime/proc.go, ready).
func (p *P) wakeSlow() {
	if p.keepsNext() {
		return
	}
	if n := p.runq.size(); n > 0 {
		if worthWaking(n, p.pace()) {
			p.s.wakep()
		}
		return
	}
	if p.tun.NoPace {
		p.s.wakep()
		return
	}
	p.wakeSkip = p.wakeBackoff
	p.waking.StoreRel(1)
	p.s.wakep()
	p.waking.StoreRel(0)
	p.wokeAt = p.s.nanotime()
	p.fair = 1 // outOfTurn, before the next task, looks how long that took
}

const (
	maxWakeSkip = 1<<16 - 1
	futileNS    = 5_000
	forgetNS    = 1_000_000
	wakeWorthNS = 10_000
	moveWorthNS = 100
	unknownPace = 1 << 31 // of a P that has been idle
)

// setPace notes that p takes up a task every ns nanoseconds.
func (p *P) setPace(ns int64) {
	if p.tun.NoPace {
		ns = unknownPace
	}
	p.pickNS.StoreRel(uint32(min(ns, unknownPace)))
}

// progress counts what p has got done: tasks taken up, and, or a spawner would look slow, tasks made.
func (p *P) progress() uint32 { return p.schedtick.Load() + p.nSpawn.Load() }

// beginPace is called when p, idle until now, is taken up. After a pause half of what was learned of futile wake-ups is
// forgotten: bursts too short to be measured would else keep for ever what quite another one has taught.
func (p *P) beginPace(now int64) {
	if now-p.paceAt >= forgetNS {
		p.wakeBackoff /= 2
		p.wakeSkip = min(p.wakeSkip, p.wakeBackoff)
	}
	p.paceAt, p.paceTick, p.lastPace = now, p.progress(), unknownPace
}

// measurePace is called by p's worker after as much progress in ns nanoseconds. The pace is the faster of the last two
// times, since one may be slow because the kernel ran something else, or interrupted the worker for a thief's fence. When
// both are long, wake-ups pay again, whatever was learned before. The first time after p was idle stands alone: it is
// believed, but all was cold, so it makes nobody forget.
func (p *P) measurePace(ns int64, progress uint32) {
	pace := ns / int64(progress)
	before := p.lastPace
	p.lastPace = pace
	pace = min(pace, before)
	p.setPace(pace)
	if pace >= futileNS && before != unknownPace {
		p.wakeBackoff, p.wakeSkip = 0, 0
	}
}

func (p *P) pace() int64 { return int64(p.pickNS.Load()) }

// worthMoving reports whether a thief should take from p's ring: not if p runs a task in less time than
// it takes to bring one over.
func (p *P) worthMoving() bool { return p.pace() >= moveWorthNS }

// worthStealing reports whether a thief should take half of p's ring: if there is half of what is worth waking one for, since it was more when the thief
// was woken. With less the thief is back soon, and a theft costs as much as dozens of short tasks (gate.go); what tasks that talk to each other gain by running
// beside each other, they lose in caches and on locks. A P that is in a long task is soon found out by sysmon, which corrects its pace.
func (p *P) worthStealing() bool {
	n := p.runq.size()
	return n > 0 && worthWaking(2*n, p.pace()) && !p.keeps()
}

// worthWaking reports whether a P that takes up a task every pickNS should have help with n of them: if
// it needs longer for all than another worker to wake up, and longer for one than it takes to move a
// task, its closure and what it touches to another processor's cache.
func worthWaking(n uint32, pickNS int64) bool {
	return pickNS >= moveWorthNS && int64(n)*pickNS >= wakeWorthNS
}

// judgeWake finds out whether the last wake-up for runnext was worth it.
func (p *P) judgeWake(now int64) {
	if now-p.wokeAt < futileNS || !worthWaking(p.runq.size()+1, p.pace()) {
		p.wakeBackoff = min(2*p.wakeBackoff+1, maxWakeSkip)
	} else {
		p.wakeBackoff, p.wakeSkip = 0, 0
	}
	p.wokeAt = 0
}
