package sched

import (
	"sync/atomic"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/rawlock"
)

// How things are counted. A counter on a hot path is a 32-bit word that one worker adds to by a load and a
// store, no locked instruction: that is one on every processor, and half of one on a 32-bit processor would be
// wrong to read. It wraps after some minutes at the fastest; long before that sysmon, or a call of Stats,
// adds what has come to a 64-bit sum. The runtime counts in 64 bits where the processor can
// (runtime/metrics.go, agg).

// counter is counted up by the worker that holds its P, and read by anyone.
type counter struct{ atom.Uint32 }

func (c *counter) add(n uint32) { c.StoreRel(c.Load() + n) }

// tally holds what a P counts on rare paths only, and for Stats only. How often a task was chosen is not
// counted anew: it is schedtick less misses.
type tally struct {
	misses       counter // schedtick went on, but no task was run for it
	globalPicks  counter // looks at the global queue that found something
	global       counter // tasks taken from there
	stealTries   counter // attempts at what another P had
	steals       counter // of these, with success
	stolen       counter // tasks taken so
	polled       counter // tasks run straight from the poller
	searches     counter // begun with nothing to run
	vainSearches counter // ended so

	lends counter // the P was lent to a plain goroutine
	helps counter // switches of such a one to a task

	wiredHandoffs counter // the P went to another worker because of a wired task
	threadMoves   counter // its worker was found on another thread
}

// What widen looks at, in this order.
const (
	cEnd = iota // before cSpawn, of all Ps: a sum of ends is never more than one of spawns
	cSpawn
	cTick
	cPark
	cMiss
	cGlobalPick
	cGlobal
	cStealTry
	cSteal
	cStolen
	cPolled
	cSearch
	cVain
	cHandoff
	cLend
	cHelp
	cWiredHandoff
	cBlock
	cPreempt
	cRelief
	cMove
	nCounts
)

func (p *P) counters() [nCounts]*atom.Uint32 {
	n := &p.n
	return [...]*atom.Uint32{
		cEnd: &p.nEnd, cSpawn: &p.nSpawn, cTick: &p.schedtick, cPark: &p.nPark, cMiss: &n.misses.Uint32,
		cGlobalPick: &n.globalPicks.Uint32, cGlobal: &n.global.Uint32,
		cStealTry: &n.stealTries.Uint32, cSteal: &n.steals.Uint32, cStolen: &n.stolen.Uint32, cPolled: &n.polled.Uint32,
		cSearch: &n.searches.Uint32, cVain: &n.vainSearches.Uint32,
		cHandoff: &p.nHandoff, cLend: &n.lends.Uint32, cHelp: &n.helps.Uint32, cWiredHandoff: &n.wiredHandoffs.Uint32, cBlock: &p.nBlock, cPreempt: &p.nPreempt, cRelief: &p.nRelief,
		cMove: &n.threadMoves.Uint32,
	}
}

// readCounters reads what makes up the picks so that it fits together: Stats subtracts the others from cTick,
// and they stand still for most of the time. Still a tick may be a miss that has not been counted yet.
func (p *P) readCounters() (now [nCounts]uint32) {
	all := p.counters()
	for range 100 {
		for i := len(all) - 1; i >= 0; i-- { // cTick after the four
			now[i] = all[i].Load()
		}
		fits := true
		for _, i := range [...]int{cMiss, cGlobalPick, cSteal, cPolled} {
			fits = fits && now[i] == all[i].Load()
		}
		if fits {
			break
		}
	}
	return now
}

// wide makes a 64-bit sum of a word that wraps and is seen often enough.
type wide struct {
	last uint32
	sum  uint64
}

func (w *wide) see(now uint32) { w.sum, w.last = w.sum+uint64(now-w.last), now }

// widenNS is how often sysmon adds up; the fastest counter wraps in a hundred times that.
const widenNS = 1_000_000_000

type statState struct {
	statLock  rawlock.Mutex // guards all wide sums; s.lock may be taken under it
	wideSpawn wide          // of s.nSpawn
	widenedAt int64         // sysmon's
}

func (s *Scheduler) widen(now int64) {
	s.widenedAt = now
	s.statLock.Lock()
	s.widenLocked()
	s.statLock.Unlock()
}

// widenLocked needs s.statLock.
func (s *Scheduler) widenLocked() {
	all := *s.allp.Load()
	for _, p := range all {
		p.wide[cEnd].see(p.nEnd.Load())
	}
	for _, p := range all {
		now := p.readCounters()
		for i := range now {
			if i != cEnd {
				p.wide[i].see(now[i])
			}
		}
	}
	s.lock.Lock()
	spawned := s.nSpawn
	s.lock.Unlock()
	s.wideSpawn.see(spawned)
}

// What a P is doing, for the times in Stats. It changes only where somebody sleeps, wakes or searches, which
// costs microseconds anyway: no clock is read on the way from one task to the next.
const (
	phaseIdle   = iota // no worker has it
	phaseRun           // tasks run
	phaseSearch        // its worker has found nothing yet
	nPhases
)

// phases sums up times. Only who holds the P, or s.lock for an idle one, changes it.
type phases struct {
	now  atomic.Int64          // when the phase began, ns, times 4, and the phase; -1 while it is changed
	sums [nPhases]atomic.Int64 // of former phases, ns
	told atomic.Int64          // the latest time for which tell was asked
	seen [nPhases]int64        // what tell has returned; s.statLock
}

func (ph *phases) begin(phase, now int64) { ph.now.Store(now<<2 | phase) }

// enter ends the phase in which p is at time now, and begins another. A worker may have read the clock some time ago (M.now), before the phase began
// or was told, and time must not go back: then at the later of these. Order: tell stores told, then looks whether phases.now has changed; enter
// stores now, then looks at told.
func (p *P) enter(phase, now int64) {
	ph := &p.phase
	old := ph.now.Load()
	ph.now.Store(-1)
	now = max(now, old>>2, ph.told.Load())
	ph.sums[old&3].Add(now - old>>2)
	ph.begin(phase, now)
}

// searching reports whether p's worker has found nothing yet.
func (p *P) searching() bool { return p.phase.now.Load()&3 == phaseSearch }

// search tells that p's worker begins to search.
func (p *P) search() {
	p.n.searches.add(1)
	if !p.searching() {
		p.enter(phaseSearch, p.s.nanotime())
	}
}

// tell returns the sums up to now; it needs s.statLock. A change takes a few ns, but who makes it may lose its
// processor just then: the phase that ends is then told as it was seen last.
func (ph *phases) tell(now int64) [nPhases]int64 {
	for range 1000 {
		var sums [nPhases]int64
		at := ph.now.Load()
		ph.told.Store(now)
		for i := range sums {
			sums[i] = ph.sums[i].Load()
		}
		if at >= 0 && ph.now.Load() == at {
			sums[at&3] += max(now-at>>2, 0)
			ph.seen = sums
			break
		}
	}
	return ph.seen
}
