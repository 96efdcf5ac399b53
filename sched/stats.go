package sched

import (
	"reflect"
	"time"

	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/hb"
)

// Stats is what a Scheduler has counted since it was made, and what it has at the moment. Counters are
// uint64, times are time.Duration; both grow. What is an int is a number of the moment. The numbers
// are read one after the other while the scheduler runs, so they may not add up to the last one; when all is
// idle they do. The same in Go: runtime/metrics, and the schedtrace line of runtime/proc.go, schedtrace.
type Stats struct {
	// The sums over all Ps. Spawned has more in it than the Ps' own: tasks started by plain
	// goroutines and other schedulers' tasks. So has ThreadMoves: those of workers without a P.
	PStats

	Ps []PStats // one for each P there has been, by its number; see SetProcs

	Backend     string // how stacks are made in this build: "cell" (coroutines), or "goroutine"
	Procs       int    // Ps that count, those that stand in for stuck ones included
	IdleProcs   int    // Ps without a worker
	Searching   int    // workers that search for work
	Tasks       int    // tasks that have not ended; for a moment also the one whose Run or Wait has returned
	GlobalQueue int    // tasks in the global queue
	Threads     int    // workers, an OS thread each; a plain goroutine that runs tasks is not counted
	IdleThreads int    // workers that sleep in the thread cache
	Stacks      int    // coroutines, each with a stack
	IdleStacks  int    // coroutines that wait for a task

	// Why workers were started, and what became of them. Where all is idle both sums hold:
	//
	//	ThreadsCreated + ThreadsReused = Wakes + HandOffs + WiredHandOffs + Evictions - ThreadsShort
	//	ThreadsCreated + ThreadsReused = ThreadParks + (Threads - IdleThreads) + ThreadsEndedWired
	//
	// The second one until the Scheduler ends.
	ThreadsCreated    uint64 // workers made
	ThreadsReused     uint64 // workers taken from the cache to run a P
	Wakes             uint64 // times that a worker was wanted for an idle P, since there was something to run
	ThreadsShort      uint64 // times that none could be had, at Config.MaxThreads
	ThreadParks       uint64 // times that a worker had no P any more and went into the cache
	Evictions         uint64 // workers made to take the place of a plain goroutine that ran tasks
	ThreadsEndedWired uint64 // workers that have ended with a task that was wired to them
}

// PStats is what one P has counted. All numbers but times are counts of events.
type PStats struct {
	Spawned uint64 // tasks made by tasks that ran here
	Ended   uint64 // tasks that have ended here

	Picked       uint64 // times that a task was chosen to run here; the following four add up to it
	PickedLocal  uint64 // from the P's own queue: runnext, the ring, its own Join frames
	PickedGlobal uint64 // straight from the global queue
	PickedStolen uint64 // straight from another P
	PickedPolled uint64 // straight from the network poller

	Parks uint64 // times that a task parked here, whatever it waited for; not in Block

	FromGlobal uint64 // tasks moved here from the global queue: one is run, the others go to the ring
	Stolen     uint64 // tasks moved here from another P, the same
	StealTries uint64 // attempts to take something that another P seemed to have
	Overflows  uint64 // times that the ring was full and half of it went to the global queue

	Searches       uint64 // times that a worker with this P began to search for work (a spinning M)
	SearchesInVain uint64 // searches that ended without

	Blocks      uint64 // calls of Block that began here
	HandOffs    uint64 // times that the P went to another worker because of a Block, or after it had been lent
	Lends       uint64 // times that the P was lent to a plain goroutine which a task had readied
	Helps       uint64 // times that such a goroutine, when it waited, switched to a task here
	Preemptions uint64 // tasks that gave way here because they had run for long while others waited
	Reliefs     uint64 // times that the P's worker was found stuck, so that another P stood in for it

	WiredHandOffs uint64 // times that the P went to another worker because its task, wired to its thread, waited, gave way or ended

	ThreadMoves uint64 // times that a worker with this P was found moved to another thread, by the native scheduler

	TimersSet   uint64 // timers set, or set again, in the P's heap: sleeps, AfterFunc, Reset, Alarms
	TimersFired uint64 // of these, those that have fired

	Running   time.Duration // time in which a worker ran tasks; time in Block is in it while the P is not handed off, and time in which it is lent
	Searching time.Duration // time in which a worker looked for something to run
	Idle      time.Duration // time without a worker
}

// Stats returns a snapshot of s's counters. It takes s's lock for an instant, twice, and costs some microseconds.
func (s *Scheduler) Stats() Stats {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	st := Stats{Backend: coro.Backend}
	// The idle Ps first: what a P had counted when it became idle is then in the sums. Under the lock, or SetProcs might come between the two.
	s.lock.Lock()
	st.Procs, st.IdleProcs = int(s.procs.Load()), int(s.npidle.Load())
	s.lock.Unlock()
	s.statLock.Lock()
	s.widenLocked()
	all := *s.allp.Load()
	st.Ps = make([]PStats, len(all))
	now := s.nanotime()
	for i, p := range all {
		st.Ps[i] = p.stats(now)
	}
	spawned := s.wideSpawn.sum
	s.statLock.Unlock()

	s.lock.Lock()
	for i, p := range all {
		st.Ps[i].Overflows = uint64(p.nOverflow)
	}
	st.Threads, st.IdleThreads = s.nm, s.nmidle
	st.GlobalQueue = int(s.globq.n)
	st.IdleStacks = int(s.stkfree.n)
	st.ThreadsCreated, st.ThreadsReused, st.ThreadParks = s.nCreated, s.nReused, s.nParks
	st.Wakes, st.ThreadsShort, st.Evictions, st.ThreadsEndedWired = s.nWakes, s.nShort, s.nEvicted, s.nWiredEnds
	s.lock.Unlock()

	for i, p := range all {
		p.timers.lock.Lock()
		st.Ps[i].TimersSet, st.Ps[i].TimersFired = p.timers.nSet, p.timers.nFired
		p.timers.lock.Unlock()
	}
	for i := range st.Ps {
		addTo(&st.PStats, st.Ps[i])
		st.IdleStacks += all[i].idleStacks()
	}
	st.Spawned += spawned
	st.Tasks = int(st.Spawned - st.Ended)
	st.Stacks = int(s.nStacks.Load())
	st.IdleStacks = min(st.IdleStacks, st.Stacks)
	st.Searching = int(max(s.nmspinning.Load(), 0))
	st.ThreadMoves = s.nThreadMoves.Load()
	if hb.On {
		hb.Tell()
	}
	return st
}

// stats needs s.statLock, with the sums up to date.
func (p *P) stats(now int64) PStats {
	n := func(c int) uint64 { return p.wide[c].sum }
	picked := n(cTick) - min(n(cMiss), n(cTick))
	direct := n(cGlobalPick) + n(cSteal) + n(cPolled)
	times := p.phase.tell(now)
	return PStats{
		Spawned: n(cSpawn), Ended: n(cEnd),
		Picked: picked, PickedLocal: picked - min(direct, picked),
		PickedGlobal: n(cGlobalPick), PickedStolen: n(cSteal), PickedPolled: n(cPolled),
		FromGlobal: n(cGlobal), Stolen: n(cStolen), StealTries: n(cStealTry),
		Searches: n(cSearch), SearchesInVain: n(cVain),
		Parks: n(cPark), Blocks: n(cBlock), HandOffs: n(cHandoff), Lends: n(cLend), Helps: n(cHelp), WiredHandOffs: n(cWiredHandoff), Preemptions: n(cPreempt), Reliefs: n(cRelief),
		ThreadMoves: n(cMove),
		Running:     time.Duration(times[phaseRun]),
		Searching:   time.Duration(times[phaseSearch]),
		Idle:        time.Duration(times[phaseIdle]),
	}
}

// idleStacks reads a number that belongs to p's worker: a guess.
//
//go:norace
func (p *P) idleStacks() int { return int(p.stkfree.n) }

// Sub returns what has been counted between earlier and st: counters and times are subtracted, those of
// each P too, and numbers of the moment are st's. earlier is from the same Scheduler. Picked and PickedLocal
// may be one too many for an instant while a worker chooses; a difference is never negative for that.
func (st Stats) Sub(earlier Stats) Stats {
	st.Ps = append([]PStats(nil), st.Ps...)
	since := func(now, before int64) int64 { return max(now-before, 0) }
	combine(&st, earlier, since)
	for i := range min(len(st.Ps), len(earlier.Ps)) {
		combine(&st.Ps[i], earlier.Ps[i], since)
	}
	return st
}

func addTo(sum *PStats, p PStats) {
	combine(sum, p, func(a, b int64) int64 { return a + b })
}

// combine sets each counter and time of to, those of embedded structs too, to f of it and from's.
func combine[T any](to *T, from T, f func(a, b int64) int64) {
	combineValues(reflect.ValueOf(to).Elem(), reflect.ValueOf(from), f)
}

func combineValues(to, from reflect.Value, f func(a, b int64) int64) {
	for i := range to.NumField() {
		switch a, b := to.Field(i), from.Field(i); a.Kind() {
		case reflect.Uint64:
			a.SetUint(uint64(f(int64(a.Uint()), int64(b.Uint()))))
		case reflect.Int64:
			a.SetInt(f(a.Int(), b.Int()))
		case reflect.Struct:
			combineValues(a, b, f)
		}
	}
}
