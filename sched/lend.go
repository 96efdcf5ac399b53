package sched

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/getg"
)

// A P that is lent to a plain goroutine. A task and a goroutine that answer each other would cross the native scheduler
// twice each time: the worker gives way to let the goroutine run, and the goroutine sleeps to let the worker. So a worker that
// has readied a goroutine and has nothing else to do lends it its P, and sleeps. The goroutine does what it likes, while the P
// is anybody's to take, as in Block. When it waits next it takes the P back and runs tasks itself, by the trick by which a worker
// does: it changes places with the stack of a task, and lies in a cell like a worker's g0 until nothing is left
// to run or it has been readied. A round trip is two swaps then, as between two tasks, and no thread wakes another. The
// runtime has nothing like it: there both are goroutines.
//
//	P.blocked, as in block.go                               native.doing
//
//	held by a worker ------ lend ---------------------> lentOut      asleep --- help ------------> helping
//	lentOut --------------- help, holdLent, by CAS ---> held by it   helping --- stop, by CAS ---> asleep
//	held by the goroutine - leave --------------------> lentOut      helping --- Ready, by CAS --> readied
//	lentOut --------------- wakep, sysmon, by CAS ----> held         readied --- stop -----------> asleep
//
// (A goroutine may find there what has been lent to another one meanwhile; it is as good.)
//
// How it comes out of there when a task stays: evict.go.
//
// Only a goroutine that may leave its thread can lie in a cell: one that is wired, or that C has called, can't. Nor may one that is in a
// synctest bubble, which takes a goroutine in a cell for blocked.
//
// When it pays. A task that goes on for long after it has readied the goroutine holds it up, and so does a goroutine a task that it has
// readied and then does not wait: both until sysmon has seen it, 20 µs to 10 ms. After each such event more than twice as many chances to
// lend to that goroutine are passed up as after the one before.

// The states of native.doing.
const (
	asleep  = iota // natively, or not at all
	helping        // it runs tasks
	readied        // it did, and its wait is over
)

const (
	firstSkip   = 8       // chances to lend to a goroutine that are passed up at first, and after the first failure
	maxSkip     = 1 << 16 // after many
	neverSkip   = 1 << 30
	forgiveWins = 256 // helps in a row after which failures are forgotten
)

// borrower is the part of a plain goroutine.
type borrower struct {
	plain   bool              // n is a plain goroutine's entry, not that of code within Block or of a wired task
	doing   atom.Uint32       // see above
	lent    atomic.Pointer[P] // the P that is or was lent to it; set by who lends, taken out by the goroutine
	m       atomic.Pointer[M] // the worker that it is while it helps; set before lent, taken out at an eviction, before lent
	lending atom.Uint32       // 1 while somebody sets lent
	skip    atomic.Int32      // how many more chances to lend to it are passed up
	backoff int32             // what skip was set to last
	wins    int32             // helps since
	fit     bool              // it is in no bubble
}

// lend gives m's P to n, whose goroutine has been readied by a task that then has parked. False means that m keeps it.
func (m *M) lend(n *native) bool {
	s, p := m.s, m.p
	b := &n.borrower
	if n.skip.Load() > 0 {
		n.skip.Add(-1)
		return false
	}
	if !n.plain || !s.lends || m.spinning || p.attn.Load()&^attnGuest != 0 || !b.lending.CompareAndSwap(0, 1) {
		return false
	}
	defer b.lending.Store(0)
	if b.lent.Load() != nil || p.hasWork() || !s.attended() {
		return false
	}
	if wanted := s.takeNeed(); s.workVisible() { // who has set needspinning had made work before
		s.leaveNeed(wanted)
		return false
	}
	borrowed := b.m.Load()
	if borrowed == nil || borrowed.s != s {
		borrowed = &M{s: s, cpu: noCPU, host: true}
		b.m.Store(borrowed)
	}
	m.p, p.m = nil, borrowed
	m.lock = nil // as in releasep
	p.n.lends.add(1)
	p.blocked.Store(lentOut)
	b.lent.Store(p)
	if (p.hasWork() || s.workVisible() || !s.attended()) && p.blocked.CompareAndSwap(lentOut, held) { // as in entersyscall
		m.acquirep(p)
		return false
	}
	return true
}

// takeNeed clears needspinning, and returns what it was.
func (s *Scheduler) takeNeed() (was bool) {
	s.lock.Lock()
	was, s.needspinning = s.needspinning, false
	s.lock.Unlock()
	return was
}

// leaveNeed undoes takeNeed.
func (s *Scheduler) leaveNeed(was bool) {
	s.lock.Lock()
	s.needspinning = s.needspinning || was
	s.lock.Unlock()
}

// anyLent reports whether some P is lent, and so there for who has more use for it.
func (s *Scheduler) anyLent() bool {
	for _, p := range *s.allp.Load() {
		if p.blocked.Load() == lentOut {
			return true
		}
	}
	return false
}

// takeLent takes a P that is lent, nil if there is none. It still counts as running.
func (s *Scheduler) takeLent() *P {
	for _, p := range *s.allp.Load() {
		if p.blocked.Load() == lentOut && p.blocked.CompareAndSwap(lentOut, held) {
			return p
		}
	}
	return nil
}

// attended reports whether nothing that tasks of s wait for, time or network, needs a worker that isn't there already.
func (s *Scheduler) attended() bool {
	return s.polling.Load() || s.nextTimer() == 0 && !s.pollerWaits()
}

// holdLent takes the P that is lent to the calling goroutine, st, to put something there before it leaves it again; nil if there is none. The goroutine
// will run that as soon as it waits.
func (s *Scheduler) holdLent(st *stack) (n *native, p *P) {
	if st == nil || st.m != nil || st.blockM != nil {
		return nil, nil
	}
	n = &(*plainEntry)(unsafe.Pointer(st)).native
	p = n.lent.Load()
	if p == nil || p.s != s || !st.Mine() || !p.blocked.CompareAndSwap(lentOut, held) {
		return nil, nil
	}
	return n, p
}

// injectLent puts gp, which the calling goroutine, st, has readied, next on the P that is lent to it, and reports whether there is one.
func (s *Scheduler) injectLent(st *stack, gp *G) bool {
	n, p := s.holdLent(st)
	if p == nil {
		return false
	}
	p.runqput(gp, true)
	n.leave(p, false)
	return true
}

// spawnLent is newproc on the P that is lent to the calling goroutine, which is about to wait, as who calls Go may not be. False means that there is none, or
// that nobody may start tasks any more: spawn knows.
func (s *Scheduler) spawnLent(fn func(), end Ender, pc uintptr) bool {
	n, p := s.holdLent((*stack)(unsafe.Pointer(coro.Self())))
	if p == nil {
		return false
	}
	ok := !s.closing.Load() && !s.draining.Load() && p.newproc(0, fn, end, pc, nil, true)
	n.leave(p, false)
	return ok
}

// leave lets p, which n's goroutine holds, be anybody's, or, if at once, gives it to a worker.
func (n *native) leave(p *P, atOnce bool) {
	p.blocked.Store(lentOut)
	if (atOnce || p.hasMore() || !p.s.attended()) && p.blocked.CompareAndSwap(lentOut, held) {
		n.lent.Store(nil)
		p.s.handoffp(p)
	}
}

// hasMore is hasWork without runnext.
func (p *P) hasMore() bool {
	return !p.runq.empty() || p.s.forks.visible() || p.s.globqsize.Load() > 0
}

// help runs tasks by p, which has been lent to n, while n's goroutine, the caller, waits. False means that it must sleep, since its wait
// is not over; or if it is, Ready has taken it for asleep.
func (n *native) help(p *P) (over bool) {
	if !p.blocked.CompareAndSwap(lentOut, held) { // somebody had more use for it
		n.lent.Store(nil)
		n.failed()
		return false
	}
	m := n.m.Load()
	m.acquirep(p)
	if !n.mayLeave() {
		m.p = nil
		n.lent.Store(nil)
		p.s.handoffp(p)
		return false
	}
	if p.guest.Load() != m {
		p.guest.Store(m)
	}
	m.rung.StoreRel(0)
	n.doing.Store(helping)
	helped := false
	if n.gp.state.Load() == gWaiting { // else it has been claimed, and Ready may have looked at doing already
		for to := m.helpWith(n); to != nil; to = m.helpWith(n) {
			helped = true
			m.act = actGuest
			m.turn.StoreRel(m.turn.Load() + 1)
			leave := coro.Leave(&m.g0.Stack, &to.Stack)
			leave()
			if m.guest.Load() == guestEvicted {
				n.m.Store(nil)
				n.lent.Store(nil)
				m.guest.Store(guestNone) // from here on it is another's
				n.failed()
				return n.stop()
			}
			if m.act != actNone {
				m.settle()
			}
		}
	}
	n.giveBack(m, p)
	if over = n.stop(); over && helped {
		n.won()
	} else if helped {
		n.failed()
	}
	return over
}

// mayLeave reports whether the calling goroutine, n's, may lie in a cell.
func (n *native) mayLeave() bool {
	switch {
	case !n.fit && clock.Bubbled():
		n.skip.Store(neverSkip) // it was born there and will end there
		return false
	case getg.Wired():
		n.failed()
		return false
	}
	n.fit = true
	return true
}

// helpWith chooses the task with which n's goroutine helps next; nil if it is not to, any more.
func (m *M) helpWith(n *native) *stack {
	p := m.p
	for m.nextg == nil { // else the task that has come to g0 has left one for which it takes a worker's
		if bits := p.attn.Load(); bits != 0 {
			if bits&^(attnNative|attnGuest) != 0 {
				return nil
			}
			p.attn.And(^uint32(attnNative | attnGuest))
			if bits&attnNative != 0 {
				p.woke = nil
				runtime.Gosched()
				p.nativeTime = m.s.nanotime()
			}
		}
		if n.doing.Load() == readied {
			return nil
		}
		to := m.schedule()
		if to != &m.g0 {
			p.n.helps.add(1)
			return to
		}
		switch {
		case p.attn.Load() != 0:
		case p.fair <= 0 && !m.s.pollDue(): // outOfTurn has left it to a g0 to begin anew
			p.fair = int32(p.tun.FairTicks)
		default:
			return nil
		}
	}
	return nil
}

// giveBack ends the help of n's goroutine by m with p, which stays lent, unless something is to be done that only a worker can do.
func (n *native) giveBack(m *M, p *P) {
	if gp := m.nextg; gp != nil {
		m.nextg = nil
		p.n.misses.add(1)
		p.runqput(gp, true)
	}
	m.p = nil
	m.lock = nil
	n.leave(p, p.hasWork() || p.attn.Load()&^(attnNative|attnGuest) != 0)
}

// stop ends the state of helping. False means that a Ready, of now or to come, finds the goroutine asleep.
func (n *native) stop() (over bool) {
	if n.doing.CompareAndSwap(helping, asleep) {
		return false
	}
	n.doing.StoreRel(asleep)
	return true
}

// failed notes that to lend n a P was no good.
func (n *native) failed() {
	n.backoff = min(2*n.backoff+firstSkip, maxSkip)
	n.wins = 0
	n.skip.Store(n.backoff)
}

// won notes that it was.
func (n *native) won() {
	if n.wins++; n.wins >= forgiveWins {
		n.wins, n.backoff = 0, 0
	}
}

// readyHelper is readyNative for a goroutine that helps; false means that it does not.
func (n *native) readyHelper() bool {
	if n.doing.Load() != helping {
		return false
	}
	p, m := n.lent.Load(), n.m.Load() // before the CAS: it may go on at once
	if !n.doing.CompareAndSwap(helping, readied) {
		return false
	}
	if m != nil {
		m.rung.StoreRel(1)
	}
	if p != nil {
		p.setAttn(attnGuest)
	}
	return true
}
