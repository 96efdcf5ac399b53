package sched

// Relief: what the scheduler does about a task that can't be asked to give way, since it makes no call of
// ours: a bare loop, a native channel or mutex, a system call or cgo outside of Block, time.Sleep. Its P
// can't be taken away, because the task may use it again at any moment. So for each P that is stuck like
// that there is one P more, and a worker more; when it moves again, the P with the highest number retires, as
// after SetProcs. sysmon itself moves what the stuck P holds to the global queue: the others may never be
// idle, and so never steal. The runtime has nothing like it: it preempts loops by a signal, and it made the
// blocking calls itself.
//
//	runs ---- no task chosen for a time slice, others wait ----> marked ---- reliefNS later, still none ----> stuck
//	  ^                                                         |                                            |
//	  +---------------------------- a task has been chosen ----+--------------------------------------------+
//
// sysmon alone moves a P through these states.

// reliefNS is how long a marked task has for a call of ours.
const reliefNS = 1_000_000

// fewTasks is how many may have been taken up since the last look of a monitor that comes late, for the present one to be taken for a long one.
const fewTasks = 61

// watch is sysmon's memory of one P.
type watch struct {
	tick  uint32 // schedtick when it last looked
	since int64  // when that last changed, ns
	stuck bool
}

// watchPs marks tasks that run for too long, and keeps as many Ps beyond s.wantProcs as there are stuck
// ones. busy tells that some P is marked or stuck, so that the next look should come soon.
func (s *Scheduler) watchPs(now int64) (busy bool) {
	all := *s.allp.Load()
	slice := int64(s.tun.TimeSlice)
	waiting := s.npidle.Load() == 0 && s.nmspinning.Load() == 0
	changed := false
	procs := s.procs.Load()
	for _, p := range all {
		w := &p.watch
		tick := p.schedtick.Load()
		if tick != w.tick || p.blocked.Load() != held || p.id >= procs {
			if w.stuck {
				changed = true
				if h := s.hooks; h != nil {
					h.relief(p, false)
				}
			}
			few := tick-w.tick <= fewTasks
			*w = watch{tick: tick, since: now}
			if !s.sysmonLate || !few || p.blocked.Load() != held || p.id >= procs {
				continue
			}
			w.since = now - slice // as if its slice were over: the next look may be as late, and a wrong guess costs the task one turn
		}
		ran := now - w.since
		switch {
		case ran < slice || !waiting && !w.stuck:
		case w.stuck:
			busy = true
		case !s.anyWork(all, now):
		case p.attn.Load()&attnPreempt == 0 && !s.tun.NoPreemption:
			p.markPreempt()
			w.since = now - slice
			busy = true
		case ran > slice+reliefNS && !s.tun.NoRelief:
			w.stuck = true
			p.setPace(unknownPace) // let thieves at its ring
			p.nRelief.Add(1)
			if h := s.hooks; h != nil {
				h.relief(p, true)
			}
			busy, changed = true, true
		default:
			busy = true
		}
	}
	for _, p := range all {
		if p.watch.stuck {
			p.rob()
		}
	}
	if changed {
		s.relieve(all)
	}
	return busy
}

// rob moves what waits for p, whose worker is stuck, to the global queue.
func (p *P) rob() {
	if p.runnext.Load() == nil && p.runq.empty() || !p.gate.enter() {
		return
	}
	var q gQueue
	for gp := p.runq.get(); gp != nil; gp = p.runq.get() { // by CAS, as its owner does while a thief is inside
		q.pushBack(gp)
	}
	if gp := p.runnext.Swap(nil); gp != nil {
		q.pushBack(gp)
	}
	p.gate.leave()
	p.s.inject(&q)
}

// anyWork reports whether a task waits anywhere, or a timer that is due.
func (s *Scheduler) anyWork(all []*P, now int64) bool {
	for _, p := range all {
		if p.hasWork() || p.timers.due(now) {
			return true
		}
	}
	return false
}

// relieve sets the number of Ps so that wantProcs of them are not stuck.
func (s *Scheduler) relieve(all []*P) {
	s.lock.Lock()
	n, free := 0, 0
	for n < len(all) && free < s.wantProcs {
		if !all[n].watch.stuck {
			free++
		}
		n++
	}
	n = min(n+s.wantProcs-free, maxProcs)
	more := n > int(s.procs.Load())
	if n != int(s.procs.Load()) && !s.ended {
		s.setProcsLocked(n)
	}
	s.lock.Unlock()
	if more {
		s.wakeRelief()
	}
}

// wakeRelief is wakep for the worker that stands in. When the monitor comes late, one from the cache, which a futex wakes, would queue up
// natively behind the long tasks, for another 20 ms. The goroutine of a new one is the next to run on the native P that the monitor
// has just got; in its place one from the cache ends.
func (s *Scheduler) wakeRelief() {
	p := s.searchP()
	if p == nil {
		return
	}
	s.lock.Lock()
	if s.sysmonLate && s.midle != nil && s.nm < s.maxM {
		m := s.midleget()
		m.tooMany = true
		s.newm(p, true) // releases s.lock
		m.note.wakeup()
		return
	}
	s.lock.Unlock()
	s.startm(p, true)
}
