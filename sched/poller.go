package sched

import (
	"sync/atomic"
	"unsafe"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/syswait"
)

// What a network poller must provide, and when workers ask it: by poll, without blocking, a worker with a P, when it is due (pollNow) and before it
// gives that up (pollFirst), and sysmon; by pollFor, in pollSleep (events.go), one without a P. The same in Go: runtime/netpoll.go, head comment.

// Poller is what findRunnable needs of a network poller; a Scheduler has at most one.
type Poller interface {
	// Poll claims every G whose wait has ended and pushes it to ready. delayNS < 0 blocks until
	// there is an event or Break is called, a positive one for so long at the most; 0 does not block. One
	// worker at a time calls it. It must not keep ready.
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
	lastpoll atomic.Int64 // when Poll was last called, or has returned if it may block, or the poller was made, ns; 0: there is none yet
	found    GList        // what Poll is given; of whoever has set polling. A variable of its own would lie on the heap, one for each call

	// Of the worker that sleeps with polling set:
	pollUntil atomic.Int64  // when it will wake by itself, ns; 0: it does not sleep
	onFutex   atomic.Bool   // it sleeps for timers only, on pollKey
	pollKey   atom.Uint32   // counts the calls of breakPoll: a futex
	sleeps    syswait.Habit // of those on pollKey
}

// pollEveryNS is how long a busy scheduler leaves the network alone at the most, checked at the looks
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
	case s.searchesNext():
	case !s.polling.Load():
		s.wakep()
	case s.onFutex.Load():
		s.breakPoll()
	}
}

// searchesNext reports whether the caller is a worker of s on its g0, after a task that has parked, with nothing to run: it will look into the network itself.
// A server of one connection would else wake a second worker with each request.
func (s *Scheduler) searchesNext() bool {
	st := (*stack)(unsafe.Pointer(coro.Self()))
	if st == nil || st.m == nil || st != &st.m.g0 {
		return false
	}
	m := st.m
	return m.s == s && m.p != nil && m.nextg == nil && !m.p.hasWork()
}

// unpolled reports whether somebody waits for the network, and no worker sleeps there.
func (s *Scheduler) unpolled() bool { return !s.polling.Load() && s.pollerWaits() }

// pollDue reports whether the network has been left alone for too long.
func (s *Scheduler) pollDue() bool {
	return s.unpolled() && s.nanotime()-s.lastpoll.Load() > pollEveryNS
}

// poll asks the poller at time now, without blocking, if there is one with somebody waiting and nobody else polls.
func (s *Scheduler) poll(now int64) GList {
	p := s.poller.Load()
	if p == nil || !s.asksWaiting(*p) || !s.polling.CompareAndSwap(false, true) {
		return GList{}
	}
	l := s.gather(*p, 0)
	s.lastpoll.Store(now)
	s.polling.Store(false)
	return l
}

// gather returns what Poll finds. The caller has set polling.
func (s *Scheduler) gather(p Poller, delayNS int64) GList {
	s.found.s = s
	s.callPoll(p, delayNS, &s.found)
	l := s.found
	s.found = GList{}
	return l
}

const (
	standByNS  = 50_000 // a few times what it takes another worker to wake up and poll
	manySleeps = 2
	atOnceNS   = 3_000 // if a Poll that may block is over so soon after m has read the clock, it has not slept
)

// standBy has another worker wait for the network while m runs what it has got from there, or helps m with it. If that is one task, and such tasks have been
// short lately, m is back first: the other would wake for nothing, with each request of a server that has little to do. The runtime always wakes one
// (runtime/proc.go, resetspinning).
func (m *M) standBy() {
	switch {
	case !m.p.runq.empty():
		m.p.wake()
	case m.polledRun >= standByNS && m.s.npidle.Load() != 0:
		m.s.wakep()
	}
	m.tookAt = m.now()
}

// ranPolled notes how long it took m to run what it took from the poller last, when it comes back to look for more: what was long is forgotten slowly.
func (m *M) ranPolled() {
	if m.tookAt != 0 {
		m.polledRun = max(m.now()-m.tookAt, m.polledRun-m.polledRun/8)
		m.tookAt = 0
	}
}

// pollNow polls without blocking; m has a P. It returns one task and queues the others.
func (m *M) pollNow() *G {
	m.ranPolled()
	l := m.s.poll(m.now())
	return m.take(&l)
}

// pollFirst is pollNow for m whose queues are empty. If m has slept in each of its last manySleeps Polls that may block, and found nothing to do anywhere
// else, it is left out, as it would have been in vain before each of them: a system call less for each request of a server that has little to do. The runtime always
// polls (runtime/proc.go, findRunnable).
func (m *M) pollFirst() *G {
	if m.sleeps == manySleeps {
		m.ranPolled()
		return nil
	}
	return m.pollNow()
}

// take returns the first task of l and makes the others runnable on m's P.
func (m *M) take(l *GList) *G {
	gp := l.q.pop()
	for g := l.q.pop(); g != nil; g = l.q.pop() {
		m.p.runqput(g, false)
	}
	if gp != nil {
		m.p.n.polled.add(1)
		m.standBy()
	}
	if l.others {
		m.p.setAttn(attnNative)
	}
	return gp
}
