package sched

import (
	"unsafe"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/futex"
	"github.com/userrt/userrt/internal/getg"
	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/internal/syswait"
)

// M is a worker: a goroutine wired to an OS thread, which runs tasks while it holds a P.
// The same in Go: runtime/runtime2.go, m.
//
// Only the worker itself touches a field, unless noted.
type M struct {
	g0   stack // the worker's own goroutine: it runs when no task does
	s    *Scheduler
	p    *P // what it holds; set before it is woken
	oldp *P // within Block: what it held, and may take back by CAS on oldp.blocked

	// What the stack that has left asks of the one that continues; see settle.
	act     int
	left    *G
	leftStk *stack
	commit  func(*G, unsafe.Pointer) bool
	arg     unsafe.Pointer
	lock    *rawlock.Mutex

	nextg    *G   // for g0 to run next
	viaG0    bool // Tunables.NoDirectSwitch; never changes
	spinning bool // searches for work, and is counted in s.nmspinning; set by startm or newm before the M runs
	noVictim bool // did not search, since no other P was in use; for giveUp
	exit     bool // to end; set under s.lock before the M is woken
	tooMany  bool // ends because it was idle for long, or a new one takes its turn, not because its scheduler does; also set by wakeRelief before the M is woken
	wired    bool // its task is; see lockthread.go
	blockG   *G   // its task, while that is in Block
	gone     bool // ends because its task has ended wired

	place *M          // of which it is to become the worker; set before it is woken from the cache; see evict.go
	host  bool        // its g0 is a plain goroutine that helps; see lend.go
	guest atom.Uint32 // whether that goroutine lies in a cell: by CAS of its tasks and sysmon; see evict.go
	rung  atom.Uint32 // 1: and has been readied; for sysmon
	turn  atom.Uint32 // counts how often it has lain down

	tookAt    int64 // when it took tasks from the poller, ns; 0 once it is back for more
	polledRun int64 // how long such tasks have taken it lately, ns; see standBy
	sleeps    uint8 // in how many Polls in a row it has slept, up to manySleeps, since it last found something to do without; see pollFirst

	thread   int   // id of the thread on which it was last; see affinity.go
	threadAt int64 // when it looked, ns
	nativeAt int64 // when its last gosched returned, ns
	at       int64 // what M.now returns; 0: it reads the clock
	cpu      int32 // to which it has bound that thread
	last     bool  // has given up the last P, and sleeps for the first time since; see lastlook.go

	link *M // next idle M; s.lock
	note note
}

// note is a one-time event, reusable after sleep has returned. The same in Go:
// runtime/lock_futex.go, notesleep and notewakeup.
type note struct {
	key    atom.Uint32
	sleeps syswait.Habit // of who sleeps here, always the same one
}

func (n *note) wakeup() {
	n.key.Store(1)
	futex.Wake(n.key.Addr(), 1)
}

// sleep waits for wakeup, at most timeoutNS nanoseconds if that is not negative; false means that the
// time is up.
func (n *note) sleep(timeoutNS int64) bool {
	for n.key.Load() == 0 {
		if !futex.WaitAs(&n.sleeps, n.key.Addr(), 0, timeoutNS) && n.key.Load() == 0 {
			return false
		}
	}
	n.key.Store(0)
	return true
}

// starter makes goroutines that inherit nothing of a user: it was born before any user code ran. A
// worker born of a goroutine with pprof labels or in a synctest bubble would keep them, and hand
// them on to every task.
var starter = make(chan func(), 64)

func init() { go startLoop() }

// startLoop is the starter. It lives as long as the process, which leak checkers have to be told; the README
// names it.
func startLoop() {
	for f := range starter {
		go f()
	}
}

// startWorker runs f on a new goroutine without labels or bubble.
func startWorker(f func()) {
	if self() != nil {
		go f() // a worker's child: no bubble, and f clears the labels
		return
	}
	starter <- f
}

// startm makes a worker run p, which the caller has taken from the idle list, or from a worker that is
// in Block, and counted as spinning if spinning: one from the cache of idle Ms, or a new one. At
// Config.MaxThreads p goes back to the idle list with all that it holds, for whichever worker is free
// next. Must not hold s.lock. The same in Go: runtime/proc.go, startm.
func (s *Scheduler) startm(p *P, spinning bool) {
	s.lock.Lock()
	switch {
	case s.midle != nil:
		m := s.midleget()
		s.nReused++
		s.lock.Unlock()
		m.spinning = spinning
		m.acquirep(p)
		if spinning {
			p.search()
		}
		m.note.wakeup()
		return
	case s.nm >= s.maxM:
		s.nShort++
		s.wantM.Store(true)
		if spinning {
			s.nmspinning.Add(-1)
		}
		s.spill(p) // nobody may look at an idle P's ring
		if gp := s.wiredRunnable(); gp != nil {
			s.lock.Unlock()
			p.n.globalPicks.add(1)
			p.n.global.add(1)
			p.schedtick.StoreRel(p.schedtick.Load() + 1)
			gp.runWired(p)
			return
		}
		s.idlep(p, s.nanotime())
		s.lock.Unlock()
		if s.polling.Load() { // after wantM; who polls sets polling and then looks at wantM, so one sees the other
			s.breakPoll()
		}
		return
	}
	s.newm(p, spinning)
}

// newm is startm by a new worker. It is called with s.lock held, and releases it. The same in Go: runtime/proc.go, newm.
func (s *Scheduler) newm(p *P, spinning bool) {
	s.nm++
	s.nCreated++
	s.workersUp.Add(1)
	s.sysmonStart()
	n := s.nm
	s.lock.Unlock()
	if h := s.hooks; h != nil {
		h.workerStarted(n)
	}
	m := &M{s: s, spinning: spinning, viaG0: s.tun.NoDirectSwitch, cpu: noCPU}
	m.acquirep(p)
	if spinning {
		p.search()
	}
	startWorker(m.main)
}

// stopm puts m, which has no P, into the cache and sleeps until startm gives it one. False means
// that m is to end: because s does, or after Config.IdleThread without work. The same in Go:
// runtime/proc.go, stopm.
func (m *M) stopm() bool {
	s := m.s
	if m.gone {
		return false
	}
	look := m.lookLater()
	for parked := false; ; {
		s.lock.Lock()
		if s.ended {
			s.lock.Unlock()
			return false
		}
		if s.wantM.Load() { // somebody has found no thread for a P
			s.wantM.Store(false)
			if p := s.pidleget(m.now()); p != nil {
				s.lock.Unlock()
				m.acquirep(p)
				return true
			}
		}
		m.link = s.midle
		s.midle = m
		s.nmidle++
		if !parked {
			s.nParks++
			parked = true
		}
		s.lock.Unlock()
		// Before this thread sleeps, and for a while a native P with it, let run what the native
		// scheduler has queued behind us. Not before m is in the cache: that may take 10 ms.
		m.gosched()
		if m.sleepCached(look.timeout()) {
			m.noteThread()
			return !m.exit && !m.tooMany && m.place == nil
		}
		if m.tooMany = look.over(); m.tooMany {
			return false
		}
		m.look(&look)
	}
}

// sleepCached sleeps, in the cache, until m has been taken from there and woken; false means that the time
// is up, and m in the cache no longer.
func (m *M) sleepCached(timeoutNS int64) bool {
	m.at = 0
	for !m.note.sleep(timeoutNS) {
		if m.s.midleRemove(m) {
			return false
		}
		timeoutNS = -1 // somebody has just taken m from the cache and is about to wake it
	}
	return true
}

// midleget takes an M, of which there is one, from the cache. Needs s.lock. The same in Go: runtime/proc.go, mget.
func (s *Scheduler) midleget() *M {
	m := s.midle
	s.midle, m.link = m.link, nil
	s.nmidle--
	return m
}

// midleRemove takes m out of the cache, unless it is no longer there.
func (s *Scheduler) midleRemove(m *M) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	for at := &s.midle; *at != nil; at = &(*at).link {
		if *at == m {
			*at = m.link
			m.link = nil
			s.nmidle--
			return true
		}
	}
	return false
}

// main is a worker's life on its g0. The same in Go: runtime/proc.go, schedule.
func (m *M) main() {
	getg.SetLabels(nil)
	coro.Bind(&m.g0.Stack)
	m.g0.m = m
	m.noteThread()
	m.work()
}

// work runs tasks until m is to end.
func (m *M) work() {
	for {
		gp := m.nextg
		m.nextg = nil
		if gp != nil {
			if m.p.attn.Load() != 0 {
				gp = m.attend(gp)
			}
			if gp != nil { // else, queued again, it has been chosen once more than it will run
				m.p.n.misses.add(1) // execute counts it again
			}
		}
		if gp == nil {
			if gp = m.findRunnable(); gp == nil {
				if m.place == nil {
					break
				}
				m = m.becomeOther()
				continue
			}
		}
		if m.spinning {
			m.resetspinning()
		}
		if m.p.searching() {
			m.p.enter(phaseRun, m.now())
		}
		m.execute(gp)
	}
	m.noteThread() // and give the last one back what it was
	switch {
	case m.gone: // and counts no longer
	case m.tooMany:
		m.idleOut()
	default:
		m.s.lastOut(m)
	}
	coro.Unbind(&m.g0.Stack)
	// Returning with the thread wired ends the thread too. The last word is mexit's: after it the
	// scheduler counts the worker as gone.
	m.s.workerGone()
}

// attend sees to what others have asked of m's P. gp, if not nil, is a task that m was about to run,
// which it may still do.
func (m *M) attend(gp *G) *G {
	p := m.p
	bits := p.attn.Load()
	if bits&attnWired != 0 { // first: what follows may move m to another thread
		p.attn.And(^uint32(attnWired))
		if m.wired { // its task has ended
			m.unwire()
			return nil
		}
	}
	if bits&attnNative != 0 {
		p.attn.And(^uint32(attnNative))
		if n := p.woke; n != nil {
			p.woke = nil
			if gp == nil && m.lend(n) {
				return nil
			}
		}
		m.gosched()
		p.nativeTime = m.nativeAt // not from before: others may just have had a slice of 10 ms
		m.gaveWay(p.nativeTime)
	}
	if bits&attnGuest != 0 {
		p.attn.And(^uint32(attnGuest))
	}
	if bits&attnPreempt != 0 {
		p.clearPreempt()
	}
	if bits&attnTimer != 0 {
		p.attn.And(^uint32(attnTimer))
		m.runAllTimers()
	}
	if bits&attnTrim != 0 {
		p.attn.And(^uint32(attnTrim))
		m.trim(trimChunk)
	}
	if bits&attnBury != 0 {
		p.attn.And(^uint32(attnBury))
		m.buryDead()
	}
	if bits&attnRetire != 0 {
		m.retire(gp)
		return nil
	}
	return gp
}

// resetspinning ends m's search, because it has found something, and lets the next M search: there
// may be more where that came from. The same in Go: runtime/proc.go, resetspinning.
func (m *M) resetspinning() {
	m.spinning = false
	m.s.nmspinning.Add(-1)
	m.s.wakep()
}
