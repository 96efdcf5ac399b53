package sched

import (
	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/getg"
	"github.com/userrt/userrt/internal/procyield"
)

// Getting a plain goroutine, which runs tasks while it waits (lend.go), out of the cell in which it lies.
//
// What a task does to its thread would be done to the goroutine's, and what keeps a thread would keep the goroutine, which may be
// readied meanwhile. So before Block and LockOSThread, and when a task has kept a goroutine that was readied for two rounds of sysmon, another
// goroutine takes the place of that one: it swaps itself into the cell where it lies, which brings it out on another thread,
// and is from then on the g0 of an ordinary worker (evict).
//
//	M.guest   guestNone --- the task runs, settle ---> guestIn --- the task goes to g0, claimGuest ---> guestNone
//	                                                     +--- evict ---> guestEvicted --- it has come out ---> guestNone

// The states of M.guest.
const (
	guestNone    = iota
	guestIn      // a plain goroutine lies in a cell as m's g0
	guestEvicted // and another one is about to take its place
)

// toG0 returns the stack to switch to for what only a g0 can do. It is nosplit for the reason that next is. What claimGuest may wait for takes no lock
// that a task holds which is about to park.
//
//go:nosplit
func (m *M) toG0() *stack {
	if m.guest.Load() != guestNone {
		m.claimGuest()
	}
	return &m.g0
}

// claimGuest wins the right to switch to the goroutine that lies in a cell as m's g0, or waits until a worker's lies there in
// its place.
func (m *M) claimGuest() {
	if m.guest.CompareAndSwap(guestIn, guestNone) {
		return
	}
	for m.guest.Load() != guestNone {
		coro.Gosched()
	}
}

// evict lets a worker's g0 take the place of the goroutine that lies in a cell as m's g0, if there is one. It may exceed
// Config.MaxThreads, by one thread for each task that is in Block or wired in such a place: to wait for one could mean to wait for ever.
func (m *M) evict() {
	if !m.guest.CompareAndSwap(guestIn, guestEvicted) {
		return
	}
	s := m.s
	s.lock.Lock()
	s.nEvicted++
	if s.midle != nil {
		w := s.midleget() // mostly the one that has lent its P
		s.nReused++
		s.lock.Unlock()
		w.place = m
		w.note.wakeup()
		return
	}
	s.nm++
	s.nCreated++
	s.workersUp.Add(1)
	s.lock.Unlock()
	startWorker(m.replaceGuest)
}

// evictNow is evict by m's own task, which goes on when it has been done.
func (m *M) evictNow() {
	m.evict()
	for m.guest.Load() != guestNone {
		coro.Gosched()
	}
}

// replaceGuest is the life of a worker that begins in the place of a plain goroutine.
func (m *M) replaceGuest() {
	getg.SetLabels(nil)
	m.takePlace()
	m.work()
}

// becomeOther is the end of m, a worker from the cache, whose goroutine goes on as another one's g0, which it returns.
func (m *M) becomeOther() *M {
	coro.Unbind(&m.g0.Stack)
	coro.Unpin() // as Bind expects it
	m.place.takePlace()
	return m.place
}

// takePlace makes the calling goroutine m's g0 instead of the one that lies in a cell as such.
func (m *M) takePlace() {
	coro.Bind(&m.g0.Stack)
	m.g0.m = m
	coro.Switch(&m.g0.Stack, &m.g0.Stack) // with whoever lies there
	m.host = false
	m.noteThread()
	if m.act != actNone {
		m.settle()
	}
}

// evictLate evicts the goroutine that helped last with p, if it still lies in its cell and has been ready since sysmon's last look, and reports whether
// that shall look again soon.
func (p *P) evictLate() bool {
	m := p.guest.Load()
	if m == nil || m.guest.Load() != guestIn || m.rung.Load() == 0 {
		p.late = nil
		return false
	}
	turn := m.turn.Load()
	if p.late == m && p.lateTurn == turn {
		p.late = nil
		m.evict()
		return true
	}
	p.late, p.lateTurn = m, turn
	return lasts(&m.turn, turn)
}

// lateLent reports whether a task waits for the goroutine to which p is lent, and sysmon shall look again soon. Mostly that
// goroutine is just about to wait, and help.
func (p *P) lateLent() bool {
	return p.hasWork() && lasts(&p.n.helps.Uint32, p.n.helps.Load())
}

// lasts reports whether a count stays what it was for longer than a turn of a rally takes.
func lasts(count *atom.Uint32, was uint32) bool {
	for range 10 {
		if count.Load() != was {
			return false
		}
		procyield.Pause(30)
	}
	return true
}
