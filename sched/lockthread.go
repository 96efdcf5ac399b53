package sched

import (
	"runtime"
	"unsafe"

	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/internal/thread"
)

// Tasks that are wired to their OS thread. The same in Go: runtime/proc.go, LockOSThread, stoplockedm,
// startlockedm.
//
// A wired task never leaves its stack, since every swap has an instant in which its thread is not pinned
// (switch.md, "The dance"). Its worker can then run nothing else: g0 lies in a cell until the task is wired no
// longer. Where another task would swap, this one
//
//	1 takes its P from its M, so that whoever readies it can give that M another
//	2 lets itself be seen: runs its commit, or queues itself
//	3 gives the P that it had to another worker, and sleeps on its M's note
//
// and who takes it from a queue (stackFor, idle and execute, on the way to g0) gives its own P to that M, wakes
// it, and looks for another P itself:
//
//	          park: P to another M                         startlockedm: P from another M
//	runs ---------------------------> asleep on m.note ------------------------------------> runs
//
// Nothing of this costs an unwired task anything but one test for a task without a stack: G.stk of a wired
// task is nil, so Park goes the way of a plain goroutine, and a task taken from a queue without a stack
// is wired if it has no function to start with either. And its P has attnWired set, which sends Yield, the end of
// the task, and all others that look at the P's marks, off the fast path.
//
// Invariant: while its task is wired an M holds a P only if the task runs, and that P has attnWired set. A P without
// such a task may have it too; attend takes it off.

// LockOSThread wires the calling task to the OS thread on which it runs: until UnlockOSThread has been called
// as often, it runs on that thread and nothing else of the scheduler does, so that what it changes of the thread
// (affinity, credentials, namespaces, thread-local state of a C library) stays with it. To wait costs such
// a task two thread switches, and its thread counts for Config.MaxThreads meanwhile. A task that ends wired
// takes its thread with it; another worker takes its place. (Not if the native scheduler preempts the worker
// in just the few nanoseconds of the last switch: then that thread lives on, and may run anything.) On a plain goroutine it is runtime.LockOSThread,
// which a task must not call itself.
//
// Config.Affinity is not applied to a wired task: it keeps the CPUs that it had, or has chosen since.
func LockOSThread() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if Preempting() {
		GiveWay()
	}
	st, m, gp := wireable()
	if st == nil {
		runtime.LockOSThread()
		return
	}
	if st.wire == nil {
		st.wire = &native{wired: st, sleep: st.sleepWired} // gone with the stack
	}
	if st.wire.locks++; st.wire.locks > 1 {
		return
	}
	if m.guest.Load() != guestNone {
		m.evictNow()
	}
	coro.Wire()
	m.noteThread()
	gp.native, gp.stk = st.wire, nil
	gp.extras |= hasWire
	m.wired = true
	m.s.nWired.Add(1)
	if m.p != nil {
		m.p.setAttn(attnWired)
	} else if m.oldp != nil { // within Block; if it is taken from us, whoever takes it takes off the mark
		m.oldp.setAttn(attnWired)
	}
}

// UnlockOSThread undoes one LockOSThread; without one it does nothing. On a plain goroutine it is
// runtime.UnlockOSThread.
func UnlockOSThread() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if Preempting() {
		GiveWay()
	}
	st, m, gp := wireable()
	if st == nil {
		runtime.UnlockOSThread()
		return
	}
	if st.wire == nil || st.wire.locks == 0 {
		return
	}
	if st.wire.locks--; st.wire.locks > 0 {
		return
	}
	coro.Unwire()
	gp.native, gp.stk = nil, st
	m.wired = false
	m.s.nWired.Add(-1)
	if m.p != nil { // else, within Block, the P may be another wired task's by now
		m.p.attn.And(^uint32(attnWired))
		if m.p.cpu != noCPU {
			m.takeCPU()
		}
	}
}

// wireable returns the calling task's stack, worker and G, also within Block; nil for a plain goroutine.
func wireable() (*stack, *M, *G) {
	st := (*stack)(unsafe.Pointer(coro.Self()))
	switch {
	case st == nil:
	case st.blockM != nil:
		return st, st.blockM, st.blockM.blockG
	case st.m != nil && st.g != nil:
		return st, st.m, st.g
	}
	return nil, nil, nil
}

// parkWired is Park of a wired task.
func (gp *G) parkWired(commit func(*G, unsafe.Pointer) bool, arg unsafe.Pointer) bool {
	st := gp.native.wired
	m := st.m
	p := m.p
	m.p = nil
	if h := m.s.hooks; h != nil {
		h.parked(gp)
	}
	gp.state.Store(gWaiting)
	if commit != nil && !commit(gp, arg) && gp.state.CompareAndSwap(gWaiting, gRunning) {
		if h := m.s.hooks; h != nil {
			h.readied(gp)
		}
		m.p = p
		gp.native.wait.on = nil
		return true
	}
	p.countPark()
	st.stopWired(p)
	return gp.endParkOther()
}

// beginParkWired is BeginPark of a wired task.
func (gp *G) beginParkWired(lock *rawlock.Mutex) func() {
	st := gp.native.wired
	m := st.m
	m.p.countPark()
	m.oldp, m.p = m.p, nil
	if h := m.s.hooks; h != nil {
		h.parked(gp)
	}
	gp.state.Store(gWaiting)
	lock.Unlock()
	return st.wire.sleep
}

// sleepWired is the middle part, between BeginPark and EndPark.
func (st *stack) sleepWired() {
	p := st.m.oldp
	st.m.oldp = nil
	st.stopWired(p)
}

// endParkOther is the last part of a park without a swap: of a plain goroutine or a wired task.
func (gp *G) endParkOther() bool {
	gp.native.wait.on = nil
	if gp.unwinding {
		gp.unwinding = false
		return false
	}
	return true
}

// stopWired gives p, which st's M had until now, to another worker, and sleeps until somebody has given that
// M a P again. The task waits, or is in a queue. The same in Go: runtime/proc.go, stoplockedm.
func (st *stack) stopWired(p *P) {
	m, gp := st.m, st.g
	if p != nil {
		if p.attn.Load()&attnClosing != 0 {
			m.s.unwindFirst(gp)
		}
		p.n.wiredHandoffs.add(1)
		m.s.startm(p, false)
	}
	m.note.sleep(-1)
	m.p.setAttn(attnWired)
}

// startlockedm gives m's P to the worker of gp, which is wired, runnable, and in no queue. It runs on m's g0, which
// then looks for another P. The same in Go: runtime/proc.go, startlockedm.
func (m *M) startlockedm(gp *G) {
	p := m.p
	m.p = nil
	gp.runWired(p)
}

// runWired lets gp, which is wired, runnable, and in no queue, run with p.
func (gp *G) runWired(p *P) {
	m := gp.native.wired.m
	if p.searching() {
		p.enter(phaseRun, p.s.nanotime())
	}
	gp.state.StoreRel(gRunning)
	m.acquirep(p)
	m.note.wakeup()
}

// yieldWired is Yield of a wired task: the others first, if there are any.
func (st *stack) yieldWired() {
	m, gp := st.m, st.g
	p := m.p
	if p.attn.Load()&attnClosing != 0 && !gp.unwound {
		gp.unwind()
		m.s.countCut(1)
		gp.exitIfUnwound()
	}
	p.fair-- // left at 0 for findFast
	if p.fair > 0 && !p.hasWork() && p.attn.Load() == attnWired {
		return
	}
	m.p = nil
	gp.state.StoreRel(gRunnable)
	p.runqput(gp, false)
	st.stopWired(p)
	gp.exitIfUnwound()
}

// requeueWired puts a wired task, which has no P or gives up p, into the global queue and sleeps until it has
// one.
func (st *stack) requeueWired(p *P) {
	st.m.p = nil
	st.g.state.StoreRel(gRunnable)
	st.m.s.injectOne(st.g)
	st.stopWired(p)
}

// wiredRunnable takes a wired task from the global queue, for a P that no worker is free for since
// Config.MaxThreads is reached: such a task needs none. nil if there is none. Needs s.lock.
func (s *Scheduler) wiredRunnable() (found *G) {
	if s.nWired.Load() == 0 {
		return nil
	}
	var q gQueue
	for n := s.globq.n; n > 0; n-- {
		gp := s.globq.pop()
		if found == nil && gp.stk == nil && gp.fn == nil {
			found = gp
			continue
		}
		q.pushBack(gp)
	}
	s.globrunqput(&q)
	return found
}

// leaveWired leaves st, whose task has ended wired, for good; it returns when st is buried. That may be by any worker
// (coro.Bury puts it off), and st.m is not it.
func (st *stack) leaveWired() {
	m := st.m
	st.retired = true
	m.act, m.leftStk = actDead, st
	coro.Switch(&st.Stack, &m.toG0().Stack)
}

// leaveDead keeps the stack of a task that has ended wired for the next worker of m's P to bury. That takes
// swaps, and in each the thread could be lost before it has ended.
func (m *M) leaveDead(st *stack) {
	s := m.s
	s.lock.Lock()
	s.stkdead.push(st)
	s.lock.Unlock()
	m.p.setAttn(attnBury)
}

// buryDead buries what leaveDead has left.
func (m *M) buryDead() {
	s := m.s
	var all stackPool
	s.lock.Lock()
	s.stkdead, all = all, s.stkdead
	s.lock.Unlock()
	m.buryAll(&all)
}

// unwire ends the worker whose task has ended wired: its thread may be in any state, so it ends too, and p goes to
// another worker. It runs on m's g0. The same in Go: runtime/proc.go, gdestroy, "lockedExt".
func (m *M) unwire() {
	s, p := m.s, m.p
	if tracksThreads && thread.ID() != m.thread {
		s.nLoose.Add(1)
	}
	m.wired = false
	s.nWired.Add(-1)
	m.gone = true
	m.p = nil
	s.lock.Lock()
	s.nm--
	s.nWiredEnds++
	s.lock.Unlock()
	p.n.wiredHandoffs.add(1)
	s.startm(p, false)
}
