package sched

import (
	"unsafe"

	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/getg"
	"github.com/userrt/userrt/internal/hb"
)

// Choosing what a worker runs next, and running it. What can be chosen without a lock is chosen on
// the stack that is leaving, which then switches straight there; all else is left to the worker's
// g0. The same in Go: runtime/proc.go, schedule, execute, goexit0, where every choice is made on g0.

// next chooses a task for m, or returns nil when that takes a g0: to search, to wait or to stop.
//
// It and what it usually calls are nosplit, like the commits of primitives, because they run on top of the frames of a task that parks: with a check
// of the stack, which asks for 928 bytes more than a nosplit function gets by with, a connection that waits in io.ReadFull would need 4 KiB and not 2.
//
//go:nosplit
func (m *M) next() *G {
	p := m.p
	if gp, usual := p.pick(); usual {
		return gp
	}
	p.schedtick.StoreRel(p.schedtick.Load() + 1)
	if p.fair--; p.fair <= 0 || p.attn.Load() != 0 {
		if gp, g0 := p.outOfTurn(); gp != nil || g0 {
			return gp
		}
	}
	return p.runqget()
}

// pick is next in the usual case: it is nobody else's turn, and no thief is here. It is a copy of runqget, since
// each choice of a task comes here and a call less is 1 to 2 ns. It is nosplit for the reason that next is.
//
//go:nosplit
func (p *P) pick() (gp *G, usual bool) {
	if p.fair <= 1 || p.attn.Load() != 0 {
		return nil, false
	}
	g := &p.gate
	g.taking.StoreRel(1)
	if g.thieves.Load() != 0 {
		g.taking.StoreRel(0)
		return nil, false
	}
	if gp = p.runnext.Load(); gp != nil {
		p.runnext.StoreRel(nil)
	} else if h := p.runq.head.Load(); h != p.runq.tail.Load() {
		gp = p.runq.ring[h%runqSize].Load()
		p.runq.head.StoreRel(h + 1)
		if p.runq.tail.Load()-h > p.runq.aheadFrom {
			if gp.stk != nil {
				p.runq.fetchAhead(h)
			} else {
				p.runq.fetchNext(h)
			}
		}
	}
	g.taking.StoreRel(0)
	p.fair--
	p.schedtick.StoreRel(p.schedtick.Load() + 1)
	return gp, true
}

// schedule chooses the stack to which the one that leaves shall switch.
//
//go:nosplit
func (m *M) schedule() *stack {
	gp, usual := m.p.pick()
	if !usual {
		gp = m.next()
	}
	if gp == nil {
		m.p.n.misses.add(1)
		return m.toG0()
	}
	if st := gp.stk; m.straight(st) { // stackFor by hand
		st.m = m
		gp.state.StoreRel(gRunning)
		return st
	}
	return m.stackFor(gp)
}

// scheduleYield is schedule for a task that could as well go on: nil when there is no other.
func (m *M) scheduleYield(st *stack) *stack {
	p := m.p
	if p.attn.Load() != 0 {
		if m.wired {
			st.yieldWired()
			return nil
		}
		return m.schedule()
	}
	if gp := m.next(); gp != nil {
		return m.stackFor(gp)
	}
	p.n.misses.add(1)
	if p.fair <= 0 || p.attn.Load() != 0 {
		return m.toG0() // outOfTurn has left something to it
	}
	return nil
}

// straight reports whether a switch to st, which may be nil, takes no g0.
func (m *M) straight(st *stack) bool { return st != nil && !m.viaG0 && !coro.Marked(&st.Stack) }

// stackFor prepares gp to run on m: gives it a stack, if it has not started, and returns that. Where
// it takes g0 to go there, gp is left for g0.
func (m *M) stackFor(gp *G) *stack {
	st := gp.stk
	if st == nil {
		if gp.fn == nil { // wired: see lockthread.go
			m.nextg = gp
			return m.toG0()
		}
		if st = m.p.stkfree.pop(); st == nil {
			m.nextg = gp
			return m.toG0()
		}
		gp.stk, st.g = st, gp
	}
	if !m.straight(st) {
		m.nextg = gp
		return m.toG0()
	}
	st.m = m
	gp.state.StoreRel(gRunning)
	return st
}

// outOfTurn is the look at what the usual order would starve: every 61st time the global queue
// comes before the local one, and the oldest local task before runnext, so that two tasks that
// ready each other for ever hold up nobody. (The runtime lets such a pair inherit one time slice,
// which sysmon ends; counting needs no clock.) g0 means that the worker's g0 must look itself.
//
//go:nosplit
func (p *P) outOfTurn() (gp *G, g0 bool) {
	s := p.s
	if p.attn.Load() != 0 {
		return nil, true
	}
	p.fair = int32(p.tun.FairTicks)
	p.gate.lookUp()
	now := s.nanotime()
	if p.timers.any() {
		if p.timers.due(now) || p.timers.full.Load() {
			p.setAttn(attnTimer) // for g0: a task that is about to park may hold the heap's lock
			return nil, true
		}
		p.fair = min(p.fair, int32(timerLookNS/max(p.pace(), timerLookNS/fairTicks))+1)
	}
	if p.wokeAt != 0 {
		p.judgeWake(now)
	}
	if tick := p.progress(); tick-p.paceTick > fairTicks/2 {
		p.measurePace(now-p.paceAt, tick-p.paceTick)
		p.paceAt, p.paceTick = now, tick
	}
	native := now-p.nativeTime > nativeSliceNS
	if native {
		p.setAttn(attnNative) // for the next choice, if this one finds something
	}
	if s.globqsize.Load() > 0 { // in any case, or long tasks would always find the other turn due
		if gp = s.globrunqtake(p, 1); gp != nil {
			return gp, false
		}
	}
	if native {
		p.fair = 0 // findFast shall do the rest; tasks of 100 µs come here each time
		return nil, true
	}
	if gp := p.stealParked(); gp != nil {
		return gp, false
	}
	if s.pollDue() {
		p.fair = 0 // findFast shall poll first
		return nil, true
	}
	return p.runq.get(), false
}

// nativeSliceNS is how long a worker goes without giving way to the native scheduler. That would
// preempt it after 10 ms, on a wired thread at the cost of two thread switches, 33 µs on an idle
// machine and milliseconds on a busy one; giving way before, with the wire released, takes 0.13 µs.
const nativeSliceNS = 5_000_000

// runStack is the body of a coroutine: it runs tasks, one after the other, until it is retired. Its frame, like those up
// to the task's function, is a part of each task's first 2 KiB.
func runStack(cs *coro.Stack) {
	st := (*stack)(unsafe.Pointer(cs))
	defer st.exited()
	st.m.settle()
	for !st.retired {
		st.runTasks()
	}
}

// runTasks runs fresh tasks without any switch between them for as long as there are some; with
// none, it waits in a pool until it is given one. It returns when it is retired, or after a panic.
func (st *stack) runTasks() {
	defer st.taskFailed()
	if hb.On {
		defer hb.TaskOver() // before taskFailed
	}
	for {
		gp := st.g
		if gp == nil {
			if leave := st.idle(); leave != nil { // the switch by hand, as in park.go
				leave()
				coro.Pin()
				if st.HasErrand() {
					st.Errand()
				}
				if m := st.m; m.act == actAwait { // settle by hand for a parent that has given way to this child: 4 of 190 ns
					m.settleAwait()
				} else if m.act != actNone {
					m.settle()
				}
			}
			if gp = st.g; gp == nil {
				return
			}
		}
		fn := gp.fn
		gp.fn = nil
		if gp.extras&hasLabels != 0 {
			getg.SetLabels(gp.labels)
			gp.labels = nil
			gp.extras &^= hasLabels
		}
		st.inTask = true
		if p := st.m.p; p.hooks != nil {
			p.hooks.started(gp, p)
		}
		if hb.On {
			// Here and not in a function: one that begins in one context must not end in another. Hooks run as our own
			// code, and what they have been told of a task before it begins comes before that.
			hb.Task(gp.pc, unsafe.Pointer(gp), gp.s.hooks != nil)
		}
		fn()
		if hb.On {
			hb.TaskOver()
		}
		if gp.extras&hasEnd != 0 {
			gp.tellEnd(End{})
		}
		st.inTask = false
		st.goexit0(gp)
	}
}

// tellEnd tells who wants to know how gp has ended.
func (gp *G) tellEnd(how End) {
	end := gp.end
	if end == nil {
		return
	}
	gp.end = nil
	if gp.unwound {
		how = End{Panic: how.Panic, Dropped: true}
	}
	callEnder(end, how)
}

// goexit0 ends gp, the task on st. The same in Go: runtime/proc.go, goexit0.
func (st *stack) goexit0(gp *G) {
	if hb.On {
		hb.TaskGone(gp.s.allEnds())
	}
	if getg.Labels() != nil {
		getg.SetLabels(nil)
	}
	p := st.m.p
	st.g, gp.stk = nil, nil
	if gp.unwound {
		gp.unwinding, gp.unwound = false, false
		gp.dying.Store(0)
	}
	if h := p.hooks; h != nil {
		h.ended(gp)
	}
	if gp.extras != 0 {
		gp.name, gp.native, gp.extras = "", nil, 0
		gp.clashed.StoreRel(0)
	}
	gp.state.StoreRel(gDead)
	p.nEnd.StoreRel(p.nEnd.Load() + 1)
	if p.gfree.push(gp); p.gfree.n >= gFreeMax { // gfput by hand
		p.gfputSlow()
	}
}

// idle finds the next task after one has ended. If that is a fresh one it becomes st's and runs on this stack.
// Else idle returns the function that leaves for where it runs, to be called at once; this stack then
// goes to the pool, and when the call returns st.g is what it was given there, nil when it is retired.
func (st *stack) idle() (leave func()) {
	m := st.m
	p := m.p
	gp, usual := p.pick()
	if !usual {
		gp = m.next()
	}
	var to *stack
	switch {
	case gp == nil:
		p.n.misses.add(1)
		to = m.toG0()
	case m.straight(gp.stk): // stackFor by hand
		to = gp.stk
		to.m = m
		gp.state.StoreRel(gRunning)
	case gp.stk == nil && gp.fn != nil && !p.tun.NoStacklessStart:
		gp.stk, st.g = st, gp
		gp.state.StoreRel(gRunning)
		return nil
	default:
		to = m.stackFor(gp)
	}
	if m.wired { // then to is g0
		st.leaveWired()
		return nil
	}
	m.act, m.leftStk = actIdle, st
	leave = coro.Leave(&st.Stack, &to.Stack)
	coro.Unpin()
	return leave
}

// execute runs gp on m from its g0, and whatever follows it, until somebody switches back to g0.
// The same in Go: runtime/proc.go, execute.
func (m *M) execute(gp *G) {
	st := gp.stk
	m.p.schedtick.StoreRel(m.p.schedtick.Load() + 1)
	if st == nil {
		if gp.fn == nil {
			m.startlockedm(gp)
			return
		}
		if m.s.closing.Load() {
			m.drop(gp)
			return
		}
		st = m.newStack()
		gp.stk, st.g = st, gp
	}
	if m.cpu != m.p.cpu {
		m.takeCPU()
	}
	coro.Clear(&m.g0.Stack, &st.Stack)
	gp.state.StoreRel(gRunning)
	st.m = m
	m.at = 0
	coro.Switch(&m.g0.Stack, &st.Stack)
	m.settle()
}
