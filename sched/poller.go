package sched

import (
	"sync/atomic"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/syswait"
)

// What a network poller must provide, and when workers ask it. The same in Go: runtime/netpoll.go,
// head comment.

// Poller is what findRunnable needs of a network poller; a Scheduler has at most one.
type Poller interface {
	// Poll claims every G whose wait has ended and pushes it to ready. delayNS < 0 blocks until
	// there is an event or Break is called, a positive one for so long at the most; 0 does not block. One
	// worker at a time calls it.
	Poll(delayNS int64, ready *GList)
	// Break makes a blocked Poll, or the next one that would block, return at once.
	Break()
	// Waiting reports whether any G is parked on the poller; if none is, nobody need poll. It must
	// not take a lock: it may be asked while a task that is about to park holds one.
	Waiting() bool
	// Close is called when the Scheduler has closed; no Poll runs then, and none follows.
	Close() error
}

// GList collects Gs that a Poller has claimed.
type GList struct {
	s      *Scheduler // whose poller it is
	q      gQueue     // tasks of s
	others bool       // plain goroutines or other schedulers' tasks have been readied
}

// Push adds gp, which the caller has claimed. A plain goroutine and a task of another scheduler are
// made ready at once.
func (l *GList) Push(gp *G) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.ReleaseStore(gp.parked())
	}
	if gp.s != l.s {
		l.others = true
		gp.Ready()
		return
	}
	if h := l.s.hooks; h != nil {
		h.readied(gp)
	}
	gp.state.StoreRel(gRunnable)
	l.q.pushBack(gp)
}

type pollState struct {
	opened, polled hb.Word // for the race detector; see pollers.go
	theirs         bool    // the poller is the user's, not one that a package of ours has made

	poller   atomic.Pointer[Poller]
	polling  atomic.Bool  // a worker is inside Poll, or sleeps for timers; whoever sets it may do so
	lastpoll atomic.Int64 // when Poll last returned, or the poller was made, ns; 0: there is none yet

	// Of the worker that sleeps with polling set:
	pollUntil atomic.Int64  // when it will wake by itself, ns; 0: it does not sleep
	onFutex   atomic.Bool   // it sleeps for timers only, on pollKey
	pollKey   atom.Uint32   // counts the calls of breakPoll: a futex
	sleeps    syswait.Habit // of those on pollKey
}

// pollEvery is how long a busy scheduler leaves the network alone at the most, checked at the looks
// out of turn.
const pollEveryNS = 1_000_000

// Poller returns the poller of s, which the first call makes by open. After Close it returns
// ErrClosed.
func (s *Scheduler) Poller(open func() (Poller, error)) (Poller, error) {
	theirs := false
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		defer s.acquireOpened()
		theirs = hb.ByUser()
	}
	if p := s.poller.Load(); p != nil && !s.closing.Load() {
		return *p, nil
	}
	p, err := callOpen(open, theirs)
	if err != nil {
		return nil, err
	}
	s.lock.Lock()
	old := s.poller.Load()
	closed := s.closing.Load()
	if old == nil && !closed {
		s.madePoller(theirs)
		s.lastpoll.Store(s.nanotime()) // from now on sysmon minds when nobody polls
		s.poller.Store(&p)
	}
	s.lock.Unlock()
	switch {
	case closed:
		dropPoller(p, theirs)
		return nil, ErrClosed
	case old != nil:
		dropPoller(p, theirs) // another call was faster
		return *old, nil
	}
	return p, nil
}

// NeedPoll makes sure that a worker polls, or will before it sleeps. The poller calls it after a wait
// has begun that no worker's own search will notice: that of a plain goroutine or of another
// scheduler's task. It never blocks.
func (s *Scheduler) NeedPoll() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	switch {
	case !s.polling.Load():
		s.wakep()
	case s.onFutex.Load():
		s.breakPoll()
	}
}

// pollDue reports whether the network has been left alone for too long.
func (s *Scheduler) pollDue() bool {
	p := s.poller.Load()
	return p != nil && !s.polling.Load() && s.asksWaiting(*p) && s.nanotime()-s.lastpoll.Load() > pollEveryNS
}

// poll asks the poller, without blocking, if there is one with somebody waiting and nobody else polls.
func (s *Scheduler) poll() GList {
	p := s.poller.Load()
	if p == nil || !s.asksWaiting(*p) || !s.polling.CompareAndSwap(false, true) {
		return GList{s: s}
	}
	l := GList{s: s} // escapes to the heap, so it is made only here
	s.callPoll(*p, 0, &l)
	s.lastpoll.Store(s.nanotime())
	s.polling.Store(false)
	return l
}

// pollNow polls without blocking; m has a P. It returns one task and queues the others.
func (m *M) pollNow() *G {
	l := m.s.poll()
	return m.take(&l)
}

// take returns the first task of l and makes the others runnable on m's P.
func (m *M) take(l *GList) *G {
	gp := l.q.pop()
	for g := l.q.pop(); g != nil; g = l.q.pop() {
		m.p.runqput(g, false)
	}
	if gp != nil {
		m.p.n.polled.add(1)
		m.p.wake()
	}
	if l.others {
		m.p.setAttn(attnNative)
	}
	return gp
}
