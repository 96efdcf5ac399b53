package sched

import (
	"sync/atomic"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/rng"
)

// P is a processor: the right to run tasks, and all that a worker needs for it without a lock. There
// are Procs of them. The same in Go: runtime/runtime2.go, p.
//
// Unless noted only the worker that holds the P touches a field.
type P struct {
	id  int32
	cpu int32 // on which it runs; see affinity.go
	s   *Scheduler
	m   *M // its worker; nil while idle

	tun   *Tunables // of s
	hooks *Hooks    // of s

	gate      gate        // lets thieves at runnext and runq
	noRunnext bool        // Tunables.NoRunnext
	runnext   atom.Ptr[G] // the task to run before those in runq; put by the worker, taken by thieves too
	fair      int32       // counts down to the next look at the queues out of turn
	schedtick atom.Uint32 // counts the tasks chosen here; others read it
	nPark     atom.Uint32 // counts the tasks that parked here; on the line of schedtick, which is written then too
	attn      atom.Uint32 // what the worker must see to before the next task; anyone sets bits
	runq      runq

	nativeTime int64 // when the native scheduler was last given its turn, ns

	timers timers

	rng     rng.Source
	gfree   gFree
	stkfree stackPool
	idcache uint64 // next task id to give out
	idend   uint64
	kids    *frame // free frames of For
	nKids   int

	clashes   clashes // see clash.go
	trial     trial   // see clashtrial.go
	guess     guess   // whether waits are worth a try of their child; see childfirst.go
	childPace int64   // up to which pace they are

	// The back-off of futile wake-ups; see wakeSlow.
	wakeSkip, wakeBackoff int32
	pickNS                atom.Uint32 // mean time between two choices of a task, lately; also set by sysmon, read by thieves
	paceAt                int64       // since when the pace is measured: the last time it was, or when this P was taken up; or since when it is idle
	paceTick              uint32      // progress then
	lastPace              int64       // what was measured last, before the faster of two is taken; unknownPace: nothing since this P was idle
	wokeAt                int64       // ns; 0: nothing to judge
	waking                atom.Uint32 // 1 while the worker wakes another for its runnext: not to be stolen

	blocked  atom.Uint32 // see block.go
	nHandoff atom.Uint32 // how often it was handed to another worker because of a Block
	nBlock   atom.Uint32 // calls of Block that began here
	sysBlock uint32      // sysmon's: nBlock at its last look, and when it, or the next one, changed
	sysLent  uint32      // sysmon's: how often it had been lent, and of use there
	sysSince int64

	watch    watch // sysmon's
	late     *M    // sysmon's: the one whose goroutine was ready at its last look, and its turn then
	lateTurn uint32
	woke     *native           // the plain goroutine that was readied here last, with attnNative
	guest    atomic.Pointer[M] // the one that a plain goroutine was which helped here last; see lend.go

	nPreempt atom.Uint32 // tasks that gave way when asked to
	nRelief  atom.Uint32 // how often its worker was found stuck

	// Counters. Others read them when all is idle (s.lock) or as a guess. They wrap; stats.go makes 64-bit
	// ones of them.
	nSpawn, nEnd atom.Uint32
	nOverflow    uint32 // s.lock
	n            tally
	wide         [nCounts]wide // s.statLock
	phase        phases

	link               *P     // next idle P; s.lock
	state              int8   // pIdle, pRunning, pDead; s.lock
	sysTick, sysPicked uint32 // progress and schedtick at sysmon's last look
	_                  [64]byte
}

// The states of a P, guarded by s.lock.
const (
	pIdle    = iota // on s.pidle
	pRunning        // a worker holds it
	pDead           // beyond Procs
)

// Bits of P.attn.
const (
	attnRetire  = 1 << iota // SetProcs has taken this P away
	attnClosing             // the scheduler is closing
	attnNative              // a plain goroutine has been readied here: let the native scheduler in
	attnPreempt             // the task that runs here shall give way; see preempt.go
	attnTimer               // some timer is overdue
	attnBury                // s.stkdead has something; see lockthread.go
	attnWired               // the task that runs here is wired; see lockthread.go
	attnGuest               // the plain goroutine that lies in a cell as m's g0 has been readied; see lend.go
	attnTrim                // there are more idle stacks than needed; see trim.go
)

// countPark counts a task that parks on p, whose worker calls it.
func (p *P) countPark() { p.nPark.StoreRel(p.nPark.Load() + 1) }

// setAttn sets bits for the worker of p to see before its next task.
func (p *P) setAttn(bits uint32) { p.attn.Or(bits) }

// nextID returns a fresh task id.
func (p *P) nextID() uint64 {
	const batch = 16
	if p.idcache == p.idend {
		p.idend = p.s.idgen.Add(batch) + 1
		p.idcache = p.idend - batch
	}
	id := p.idcache
	p.idcache++
	return id
}

// pidleput puts p, which nobody holds now, on the idle list. Needs s.lock.
func (s *Scheduler) pidleput(p *P) {
	p.state = pIdle
	p.m = nil
	p.link = s.pidle
	s.pidle = p
	s.npidle.Add(1)
}

// pdead puts p, which nobody holds now, away: it is one too many. Its stacks go to the pool of all. Needs s.lock.
func (s *Scheduler) pdead(p *P) {
	p.state = pDead
	p.m = nil
	for st := p.stkfree.pop(); st != nil; st = p.stkfree.pop() {
		s.stkfree.push(st)
	}
}

// pidleget takes an idle P at time now, nil if there is none or the workers are to end. Needs s.lock.
func (s *Scheduler) pidleget(now int64) *P {
	p := s.pidle
	if p == nil || s.ended {
		return nil
	}
	s.pidle = p.link
	p.link = nil
	s.npidle.Add(-1)
	s.nprun++
	s.nAwake++
	p.state = pRunning
	s.stamp(now)
	p.beginPace(now)
	p.enter(phaseSearch, now) // mostly; who does not search says so
	s.sysmonWake()
	return p
}

// idlep gives up p at time now, which counts as running but has no worker: to the idle list, or away if SetProcs said so.
// Needs s.lock.
func (s *Scheduler) idlep(p *P, now int64) {
	p.setPace(unknownPace)
	p.clearPreempt()
	p.paceAt = now
	p.enter(phaseIdle, now)
	s.nprun--
	if p.id >= s.procs.Load() {
		s.pdead(p)
	} else {
		s.pidleput(p)
	}
	if s.nprun == 0 {
		s.allIdle()
	}
}

// acquirep gives p, taken by pidleget, to m.
func (m *M) acquirep(p *P) {
	m.p = p
	p.m = m
}

// releasep takes m's P from it and gives that up. Needs s.lock.
func (m *M) releasep() {
	p, s := m.p, m.s
	m.p = nil
	m.lock = nil // the last one of EndPark, which leaves it there: it would keep alive what it lies in
	s.idlep(p, m.now())
	m.last = s.nprun == 0
}
