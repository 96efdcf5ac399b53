package sched

import (
	"runtime/metrics"
	"sync"
	"sync/atomic"

	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rawlock"
)

// Deadlocks: how a scheduler that has come to rest finds out whether its tasks can ever run again. The rule, as
// users know it, stands at DeadlockError. The same in Go: runtime/proc.go, checkdead; it knows all goroutines
// and can be certain at once, where we know no more than that some of them are there.
//
// The worker that has given up the last P looks after a while (lastlook.go):
//
//	1  every scheduler of the process is at rest: no P in use, nothing queued, nobody to wake it (atRest)
//	2  no plain goroutine runs, and none is ready to (nativeBusy); this one gives up after deadlockPatienceNS
//	3  every scheduler has been at rest since 1: no P was taken meanwhile (nAwake), and no task was claimed
//
// 1 looks at one scheduler after the other. With 3 there was a moment, that between the two, at which all were at
// rest together. In that moment no task ran anywhere, and whoever had won the right to wake one has made it
// runnable by 3, which would have been seen, or the task was found in gClaimed by 1.

// deadlockFirstNS is how long all must have been at rest before the first look. Tests change it.
var deadlockFirstNS = int64(10_000_000)

const (
	deadlockMaxNS      = 1_000_000_000  // between two looks, at most; the first ones come sooner
	deadlockFarNS      = 60_000_000_000 // the same, for as long as s itself has something to wait for
	deadlockPatienceNS = 2_000_000_000  // how long other goroutines that run are given to wake somebody
)

// nextLook is what a look for a deadlock leaves to be done.
type nextLook int

const (
	lookNever nextLook = iota // it was reported, or who gives up the last P next looks
	lookSoon                  // something that s can't see may end without a word
	// lookFar: s itself waits, for its network, a timer, a task in Block or an Expect. That mostly ends by a worker
	// of s that takes a P, after which all begins anew. It does not if a plain goroutine waits in the poller or stops a
	// timer, so looks go on, but seldom: each wakes a thread, and the native runtime's monitor with it, which then
	// sleeps some fifty times for 20 µs until it has taken that thread's native P away.
	lookFar
)

// deadlockPause returns how long to wait before the next look, after one that came waited ns after that before it.
func deadlockPause(next nextLook, waited int64) int64 {
	if next == lookFar {
		return min(max(8*waited, 100*deadlockFirstNS), deadlockFarNS)
	}
	return min(2*waited, deadlockMaxNS)
}

// deadlockState is the Scheduler's part. Guarded by Scheduler.lock, but for what is atomic.
type deadlockState struct {
	runs     map[*runWait]struct{} // Runs that wait; with Config.DetectDeadlock only
	expected atomic.Int32          // Expects that are not done
}

// deadlockLock lets one worker look at a time; the others would take it for a goroutine that runs. A native lock: who sleeps in one of
// ours would be taken for busy by the one who looks (rawlock.Sleeping), and two schedulers that came to rest together look together each time.
var deadlockLock sync.Mutex

// detecting counts schedulers with Config.DetectDeadlock; callsInside counts calls of ours in which user code
// runs on a plain goroutine, while detecting is not 0.
var detecting, callsInside atomic.Int32

// Expect says that something that s can't see will yet wake a task of s: a goroutine that has not called in, a
// signal, a callback from C. Until done has been called no deadlock is reported. done may be called more than
// once, from anywhere. Without Config.DetectDeadlock Expect has no effect.
func (s *Scheduler) Expect() (done func()) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	s.expected.Add(1)
	return sync.OnceFunc(func() {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}
		if s.expected.Add(-1) == 0 && s.wantsDeadlocks() {
			s.wakep() // who goes to rest next looks
		}
	})
}

// wantsDeadlocks reports whether anybody would be told of one.
func (s *Scheduler) wantsDeadlocks() bool {
	if !s.cfg.DetectDeadlock {
		return false
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	return !s.closing.Load() && (len(s.runs) > 0 || s.draining.Load())
}

// noteRun enters r, by which the caller is going to wait.
func (s *Scheduler) noteRun(r *runWait) {
	if !s.cfg.DetectDeadlock {
		return
	}
	r.s = s
	if st := self(); st != nil {
		r.from = st.m.s
	}
	s.lock.Lock()
	s.runs[r] = struct{}{}
	s.lock.Unlock()
}

func (r *runWait) forget() {
	if r.s == nil {
		return
	}
	r.s.lock.Lock()
	delete(r.s.runs, r)
	r.s.lock.Unlock()
}

// lookForDeadlock reports a deadlock, if there is one, and otherwise returns when to look again. s has been at
// rest for restNS, since nAwake was awake. Called on a g0 without a P.
func (s *Scheduler) lookForDeadlock(awake uint32, restNS int64) nextLook {
	deadlockLock.Lock()
	defer deadlockLock.Unlock()
	seenSelf, ok := s.atRest(s)
	if seenSelf != awake || !s.wantsDeadlocks() {
		return lookNever // who gives up the last P next looks
	}
	if !ok {
		return lookFar
	}
	all := allSchedulers()
	seen := make([]uint32, len(all))
	for i, o := range all {
		var ok bool
		if seen[i], ok = o.atRest(s); !ok {
			return lookSoon
		}
	}
	if callsInside.Load() > 0 || rawlock.Sleeping() || restNS < deadlockPatienceNS && nativeBusy() {
		return lookSoon
	}
	for i, o := range all {
		if o == s {
			continue
		}
		o.lock.Lock()
		still := o.nprun == 0 && o.nAwake == seen[i]
		o.lock.Unlock()
		if !still {
			return lookSoon
		}
	}
	if !s.reportDeadlock(awake) {
		return lookSoon
	}
	return lookNever
}

// atRest reports whether s has nothing to do and nothing in sight that would give it something, and nAwake at
// that moment. The scheduler asking is about to report a deadlock.
func (s *Scheduler) atRest(asking *Scheduler) (awake uint32, ok bool) {
	s.lock.Lock()
	awake = s.nAwake
	ok = s.nprun == 0 && s.globq.n == 0
	for r := range s.runs {
		// A task of asking waits for a Run of ours: we will tell that one first, and it goes on.
		ok = ok && (s == asking || r.from != asking)
	}
	slabs := s.allgs
	s.lock.Unlock()
	if !ok || s.expected.Load() > 0 || s.nextTimer() != 0 || s.pollerWaits() {
		return awake, false
	}
	for gp := range gsOf(slabs) {
		if state := gp.state.Load(); state != gDead && state != gWaiting {
			return awake, false // in Block, or about to be made runnable
		}
	}
	return awake, true
}

// nativeBusy reports whether any goroutine but the caller runs or is ready to.
func nativeBusy() bool {
	samples := []metrics.Sample{
		{Name: "/sched/goroutines/running:goroutines"},
		{Name: "/sched/goroutines/runnable:goroutines"},
	}
	for range 2 { // the numbers are not of one moment
		coro.Gosched() // timers that are due make goroutines runnable only when somebody looks
		metrics.Read(samples)
		var n uint64
		for i := range samples {
			if v := samples[i].Value; v.Kind() == metrics.KindUint64 {
				n += v.Uint64()
			}
		}
		if n > 1 {
			return true
		}
	}
	return false
}

// reportDeadlock tells the Runs that wait, unless s has come to life again since nAwake was awake: those of
// plain goroutines and other schedulers' tasks if there are any, else those of tasks that are blocked themselves.
// It returns false if it has not done so. The lock is held for as long as it takes to list the tasks: none of them
// can run meanwhile.
func (s *Scheduler) reportDeadlock(awake uint32) bool {
	s.lock.Lock()
	list, ok := s.blockedTasks()
	if !ok || s.nprun != 0 || s.nAwake != awake || s.globq.n > 0 || s.closing.Load() {
		s.lock.Unlock()
		return false
	}
	e := &DeadlockError{Tasks: list}
	var outer, inner []*runWait
	for r := range s.runs {
		if r.from == s {
			inner = append(inner, r)
		} else {
			outer = append(outer, r)
		}
	}
	if len(outer) == 0 {
		outer = inner
	}
	for _, r := range outer {
		delete(s.runs, r)
	}
	draining := s.draining.Load()
	s.lock.Unlock()
	for _, r := range outer {
		r.tell(func() { r.dead = e })
	}
	if draining {
		s.beginClose(e, nil)
	}
	return true
}

// blockedTasks lists the tasks of s; false means that one is not parked. Needs s.lock, with no P in use.
func (s *Scheduler) blockedTasks() (list []DeadlockTask, ok bool) {
	now := s.nanotime()
	for gp := range gsOf(s.allgs) {
		switch gp.state.Load() {
		case gDead:
		case gWaiting:
			list = append(list, gp.deadlockTask(now))
		default:
			return nil, false
		}
	}
	names := map[uint64]string{}
	for _, t := range list {
		names[t.ID] = t.Name
	}
	for i := range list {
		list[i].Holder.Name = names[list[i].Holder.ID]
	}
	return list, true
}

// detects counts s among those with Config.DetectDeadlock.
func (s *Scheduler) detects() {
	if s.cfg.DetectDeadlock {
		s.runs = map[*runWait]struct{}{}
		detecting.Add(1)
		noteHolders(1)
	}
}

// enterCall notes that user code is going to run on the calling plain goroutine within a call of ours, until
// leave: code that may do anything, wait natively for instance, and then wake a task. While it waits in another
// call of ours it doesn't count.
func enterCall() (leave func()) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if detecting.Load() == 0 {
		return func() {}
	}
	n := Self().native
	if n.inside++; n.inside == 1 {
		callsInside.Add(1)
	}
	return func() {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}
		if n.inside--; n.inside == 0 {
			callsInside.Add(-1)
		}
	}
}

// waits is called by n's goroutine before it waits.
func (n *native) waits() {
	if n.inside > 0 {
		callsInside.Add(-1)
	}
}

// goesOn is called by whoever ends n's wait, before n knows of it.
func (n *native) goesOn() {
	if n.inside > 0 {
		callsInside.Add(1)
	}
}
