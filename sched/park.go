package sched

import (
	"runtime"
	"unsafe"

	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rawlock"
)

// Parking: how a G stops until somebody makes it runnable again, and how a task gives way. Every
// primitive is built on Park and Ready; see the package comment for the contract.
// The same in Go: runtime/proc.go, gopark, goready, goschedImpl.
//
// Park, BeginPark and Yield write the switch out by hand instead of calling coro.Switch: each return
// that crosses a switch is mispredicted by the processor, so a level of calls costs 4 to 8 ns.

// What the stack that continues has to do for the one that left, as its first act: only then has
// the leaver wholly left, so only then may others see it.
const (
	actNone    = iota
	actUnlock  // m.left waits: release m.lock
	actPark    // m.left waits: run its commit
	actYield   // m.left goes to the end of the queue
	actCede    // the same, and a closing scheduler does not end it
	actAwait   // m.left goes to runnext: it waits for the task that goes on
	actPreempt // m.left goes to the end of the global queue
	actIdle    // m.leftStk has nothing to run: into the pool
	actDead    // m.leftStk is to be buried; only ever left for a g0
	actGuest   // a plain goroutine helps, and lies where the one that continues lay; see lend.go
	actBlocked // m.left comes back from Block and finds no P; only ever left for a g0, m has no P
)

// Self returns the G of the caller: its task's, or the entry of the calling plain goroutine. That
// entry belongs to the calling goroutine while it lives.
func Self() *G {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	st := (*stack)(unsafe.Pointer(coro.Self()))
	if st == nil {
		return adopt()
	}
	if st.g == nil {
		return st.selfOther()
	}
	return st.g
}

// Park blocks the caller, task or plain goroutine, until Ready is called on its G.
//
// The order is: the caller's G is marked as waiting, its stack is left, then commit(g, arg) runs,
// on another task's stack, and makes g known to whoever will wake it, typically by releasing the
// lock of the queue that holds g. If commit returns false, g is made runnable again at once. commit
// must not block, panic, allocate, or call Self. nil is for a wait that only an unwinding ends: a Ready
// that comes before the stack has been left finds no waiting G, and is lost.
//
// If the scheduler closes meanwhile and nobody has won the right to wake g, Park does not return: it
// ends the task by runtime.Goexit. A caller that has put g into a queue takes it out again in a
// deferred call, or uses (*G).Park.
func Park(reason WaitReason, commit func(g *G, arg unsafe.Pointer) bool, arg unsafe.Pointer) {
	if !Self().Park(reason, commit, arg) {
		runtime.Goexit()
	}
}

// Park is the function Park for a caller that has g, its own, already in hand: g must be Self().
// It returns false when g is being unwound because its scheduler closes: the caller must take g out
// of its queue and then call runtime.Goexit.
func (gp *G) Park(reason WaitReason, commit func(g *G, arg unsafe.Pointer) bool, arg unsafe.Pointer) bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		if hb.ByUser() {
			commit = apart(commit)
			hb.ReleaseStore(gp.parked())
			defer func() { hb.Acquire(gp.parked()) }()
		}
	}
	st := gp.stk
	if st == nil {
		return gp.parkNative(reason, commit, arg)
	}
	m := st.m
	gp.reason = reason
	st.wait.begin(arg, m.s.coarse.Load())
	m.p.countPark()
	to := m.schedule()
	m.act, m.left, m.commit, m.arg = actPark, gp, commit, arg
	leave := coro.Leave(&st.Stack, &to.Stack)
	coro.Unpin()
	leave()
	coro.Pin()
	if st.HasErrand() {
		st.Errand()
	}
	if m = st.m; m.act != actNone {
		m.settle()
	}
	st.wait.on = nil
	if gp.unwinding {
		gp.unwinding = false
		return false
	}
	return true
}

// BeginPark, the call of what it returns, and EndPark are together Park with a commit that releases
// lock, which is what most primitives need: BeginPark marks gp as waiting, the call leaves, lock is
// released, EndPark returns false when gp is being unwound, as Park does. Three calls instead of one because the
// return of the middle one, which crosses the switch, then comes straight to the primitive:
//
//	leave := gp.BeginPark(reason, &lock)
//	leave()
//	if !gp.EndPark() { ... }
//
// Nothing else may stand between them. The lock is of a kind that only userrt's own packages have; with any other, use
// Park.
func (gp *G) BeginPark(reason WaitReason, lock *rawlock.Mutex) (leave func()) {
	gp.reason = reason
	st := gp.stk
	if st == nil {
		return gp.beginParkNative(lock)
	}
	m := st.m
	st.wait.begin(unsafe.Pointer(lock), m.s.coarse.Load())
	m.p.countPark()
	to := m.schedule()
	m.act, m.left, m.lock = actUnlock, gp, lock
	leave = coro.Leave(&st.Stack, &to.Stack)
	coro.Unpin()
	return leave
}

// EndPark is the last part of BeginPark.
func (gp *G) EndPark() bool {
	st := gp.stk
	if st == nil {
		return gp.endParkOther()
	}
	coro.Pin()
	if st.HasErrand() {
		st.Errand()
	}
	if m := st.m; m.act == actUnlock && m.s.hooks == nil { // settle's usual part by hand
		m.act = actNone
		left := m.left
		left.state.StoreRel(gWaiting)
		m.lock.Unlock()
		if m.p.attn.Load()&attnClosing != 0 {
			m.s.unwindFirst(left)
		}
	} else if m.act != actNone {
		m.settle()
	}
	st.wait.on = nil
	if gp.unwinding {
		gp.unwinding = false
		return false
	}
	return true
}

// Claim wins the right to wake gp, which waits. False means that gp is being unwound: go on to the
// next waiter. Whoever has won must call Ready, once; in between it may hand gp a value. Call it
// under the lock that guards the queue from which gp was taken, so that gp, if unwound, finds out
// whether it is still queued.
func (gp *G) Claim() bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return gp.state.CompareAndSwap(gWaiting, gClaimed)
}

// Ready makes gp, which is parked, runnable; it claims gp if the caller has not. Once for each Park.
// It never blocks. If gp is being unwound it does nothing.
func (gp *G) Ready() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if gp.state.Load() != gClaimed && !gp.Claim() {
		return
	}
	if hb.On {
		hb.ReleaseStore(gp.parked())
	}
	s := gp.s
	if s == nil {
		gp.readyNative()
		return
	}
	if h := s.hooks; h != nil {
		h.readied(gp)
	}
	gp.state.StoreRel(gRunnable)
	st := (*stack)(unsafe.Pointer(coro.Self()))
	if st != nil && st.m != nil && st.m.s == s {
		if p := st.m.p; p != nil {
			if !p.noRunnext && p.runnext.Load() == nil { // runqput by hand: 6 of 100 ns of a hand-over
				p.runnext.StoreRel(gp)
			} else {
				p.runqput(gp, true)
			}
			if p.mayWake() {
				p.wake()
			}
			return
		}
	}
	if !s.injectLent(st, gp) {
		s.injectOne(gp)
	}
}

// Yield lets other tasks run first, if there are any: the caller goes to the end of its P's queue.
// On a plain goroutine it is runtime.Gosched.
//
// The runtime puts the yielding goroutine into the global queue (runtime/proc.go, goschedImpl),
// under a lock; the local ring does without, and the global queue has its turn every 61st time.
func Yield() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	st := self()
	if st == nil {
		runtime.Gosched()
		return
	}
	m := st.m
	p := m.p
	gp := st.g
	next, usual := p.pick()
	if usual && next == nil {
		p.n.misses.add(1)
		return
	}
	var to *stack
	if usual && m.straight(next.stk) { // stackFor by hand
		to = next.stk
		to.m = m
		next.state.StoreRel(gRunning)
	} else if usual {
		to = m.stackFor(next)
	} else if to = m.scheduleYield(st); to == nil {
		return
	}
	m.act, m.left = actYield, gp
	leave := coro.Leave(&st.Stack, &to.Stack)
	coro.Unpin()
	leave()
	coro.Pin()
	if st.HasErrand() {
		st.Errand()
	}
	if m = st.m; m.act == actYield { // settle's usual part here
		m.settleYield()
	} else if m.act != actNone {
		m.settle()
	}
	gp.exitIfUnwound()
}

// settle does what the stack that left has asked for. It runs on the stack that continues.
func (m *M) settle() {
	act, gp, p := m.act, m.left, m.p
	m.act = actNone
	switch act {
	case actUnlock:
		if h := m.s.hooks; h != nil {
			h.parked(gp)
		}
		gp.state.StoreRel(gWaiting)
		m.lock.Unlock()
		if p.attn.Load()&attnClosing != 0 {
			m.s.unwindFirst(gp)
		}
	case actPark:
		commit, arg := m.commit, m.arg
		m.arg = nil
		if h := m.s.hooks; h != nil {
			h.parked(gp)
		}
		gp.state.StoreRel(gWaiting)
		if commit != nil && !commit(gp, arg) && gp.state.CompareAndSwap(gWaiting, gRunnable) {
			if h := m.s.hooks; h != nil {
				h.readied(gp)
			}
			p.runqput(gp, true)
		}
		if p.attn.Load()&attnClosing != 0 {
			m.s.unwindFirst(gp)
		}
	case actYield:
		m.settleYield()
	case actAwait:
		m.settleAwait()
	case actCede:
		gp.state.StoreRel(gRunnable)
		p.runqput(gp, false)
		p.wake()
	case actPreempt, actBlocked:
		gp.state.StoreRel(gRunnable)
		m.s.injectOne(gp)
	case actIdle:
		p.stkput(m.leftStk)
	case actGuest:
		m.guest.StoreRel(guestIn)
	case actDead:
		if m.wired || m.host {
			m.leaveDead(m.leftStk)
			return
		}
		coro.Bury(&m.g0.Stack, &m.leftStk.Stack)
		m.s.nStacks.Add(-1)
	}
}

// settleYield is settle for a task that goes to the end of the queue.
func (m *M) settleYield() {
	gp, p := m.left, m.p
	m.act = actNone
	gp.state.StoreRel(gRunnable)
	if p.attn.Load()&attnClosing != 0 && !gp.unwound {
		gp.unwind()
		m.s.countCut(1)
	}
	if !p.runq.put(gp) { // runqput by hand
		p.runqputslow(gp)
	}
	if p.mayWake() {
		p.wake()
	}
}
