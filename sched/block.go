package sched

import (
	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/hb"
)

// Blocking calls: a task that is about to wait in the kernel, in cgo or on a native lock says so, and its
// P goes to another worker meanwhile. The same in Go: runtime/proc.go, entersyscall, exitsyscall,
// handoffp, retake.
//
//	P.blocked   held: by P.m as usual, or by nobody        inBlock: P.m is in Block and may take it back
//
//	            Block, nothing queued                    CAS to held by the worker itself: Block is over
//	held ---------------------------------> blocked ----
//	  |                                                  CAS to held by sysmon or wakep: to another worker
//	  +-- Block, something queued: to another worker at once
//
// Order. The worker stores blocked (full fence), then looks at the queues; who makes work outside stores
// it (globqsize, full fence), then looks for a blocked P. So one of them sees the other.

// The values of P.blocked.
const (
	held    = iota // by a worker, or by nobody
	inBlock        // of the worker that had it
	lentOut        // to a plain goroutine; see lend.go
)

// Block runs fn, which may wait for long without any call of this package: in a system call, in cgo, on a
// native channel or mutex. It runs on the caller's own stack and thread; the caller's P is given to
// another worker, at once when tasks wait for it, else as soon as that is worth while. When fn has
// returned the task goes on with its old P, with an idle one, or after a while in the global queue. A
// panic or Goexit of fn goes on in the caller. On a plain goroutine Block just calls fn.
//
// Within fn the calls of this package and of those built on it behave as on a plain goroutine: they
// block the thread. Go starts tasks of the same scheduler. The number of threads is bounded by
// Config.MaxThreads: at that bound tasks wait until one is free.
func Block(fn func()) {
	if fn == nil {
		panic("sched: Block of nil func")
	}
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	st := self()
	if st == nil {
		defer enterCall()()
		outside(fn)
		return
	}
	st.entersyscall()
	defer st.exitsyscall()
	outside(fn)
}

// entersyscall gives the P of the calling task up, or marks it. From here on to exitsyscall the stack
// looks like a plain goroutine's to all that ask self.
func (st *stack) entersyscall() {
	m, gp := st.m, st.g
	if m.guest.Load() != guestNone {
		m.evictNow()
	}
	p := m.p
	st.blockM, m.blockG = m, gp
	st.m, st.g = nil, nil
	st.wait.begin(nil, m.s.coarse.Load())
	gp.state.StoreRel(gSyscall)
	m.p, m.oldp = nil, p
	p.nBlock.StoreRel(p.nBlock.Load() + 1)
	p.blocked.Store(inBlock)
	if p.hasWork() && p.blocked.CompareAndSwap(inBlock, held) {
		m.oldp = nil
		p.s.handoffp(p)
	}
}

// exitsyscall gets a P for the calling task, or waits in the global queue for its turn.
func (st *stack) exitsyscall() {
	m := st.blockM
	gp := m.blockG
	st.blockM, m.blockG = nil, nil
	st.m, st.g = m, gp
	p := m.oldp
	m.oldp = nil
	if p == nil || !p.blocked.CompareAndSwap(inBlock, held) {
		if p = m.s.pidletake(); p == nil {
			if m.wired {
				st.requeueWired(nil)
				return
			}
			m.act, m.left = actBlocked, gp
			coro.Switch(&st.Stack, &m.toG0().Stack)
			if m = st.m; m.act != actNone {
				m.settle()
			}
			return
		}
		m.acquirep(p)
		switch {
		case m.wired:
			p.setAttn(attnWired)
		case m.cpu != p.cpu:
			m.takeCPU()
		}
		p.enter(phaseRun, p.s.nanotime()) // pidleget has said that it searches
	}
	m.p = p
	gp.state.StoreRel(gRunning)
}

// hasWork reports whether anything waits for p, or for any P.
func (p *P) hasWork() bool {
	return p.runnext.Load() != nil || !p.runq.empty() || p.s.forks.visible() || p.s.globqsize.Load() > 0
}

// pidletake takes an idle P, nil if there is none.
func (s *Scheduler) pidletake() *P {
	if s.npidle.Load() == 0 {
		return nil
	}
	s.lock.Lock()
	p := s.pidleget(s.nanotime())
	s.lock.Unlock()
	return p
}

// handoffp finds a worker for p, which counts as running but has none. Must not hold s.lock. The same
// in Go: runtime/proc.go, handoffp.
func (s *Scheduler) handoffp(p *P) {
	p.nHandoff.Add(1)
	p.setPace(unknownPace) // until its new worker is awake, thieves shall not rely on it
	s.startm(p, false)
}

// retakeBlocked takes the P of a worker that is in Block, or one that is lent, nil if there is none. It still counts as
// running.
func (s *Scheduler) retakeBlocked() *P {
	for _, p := range *s.allp.Load() {
		if how := p.blocked.Load(); how != held && p.blocked.CompareAndSwap(how, held) {
			p.nHandoff.Add(1)
			return p
		}
	}
	return nil
}

// guest returns the G by which code within Block waits: like a plain goroutine's.
func (st *stack) guest() *G {
	n := &native{}
	n.init()
	st.g = n.gp
	return n.gp
}
