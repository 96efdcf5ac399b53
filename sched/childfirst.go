package sched

import "github.com/userrt/userrt/internal/coro"

// Waiting for an only child: a task that is about to wait lets the task that it has started last run first. If that is what
// it would wait for, the wait is over when it goes on, and nobody had to queue up, to be claimed and to be made runnable.
// The runtime has nothing like it. That the child goes first is the order of Cilk (Frigo, Leiserson, Randall, 1998); here the
// parent's rest is not stolen as a frame, it is a task as any other.

// BeginChild, the call of what it returns, and EndChild let the task run that gp, which must be Self(), has started last, if that is next and
// has not begun. gp lies in runnext meanwhile: it goes on when the child ends, parks or yields; later if that has started or
// readied another task, sooner if another worker takes gp up. nil means that there is no such task, or that it is another's turn, and
// nothing has happened. It is for a wait that a single task can end, before the primitive counts the caller as waiting:
//
//	if leave := gp.BeginChild(); leave != nil {
//		leave()
//		if gp.EndChild(); over() {
//			return
//		}
//		gp.ChildFailed()
//	}
//
// Nothing else may stand between the first three. As with Yield, EndChild may end the task by runtime.Goexit. Only for userrt's own packages: it
// leaves hb.Enter to its caller.
func (gp *G) BeginChild() (leave func()) {
	st := gp.stk
	if st == nil {
		return nil
	}
	m := st.m
	child := m.p.pickChild(gp.id)
	if child == nil {
		return nil
	}
	to := m.stackFor(child)
	m.act, m.left = actAwait, gp
	leave = coro.Leave(&st.Stack, &to.Stack)
	coro.Unpin()
	return leave
}

// EndChild is the last part of BeginChild.
func (gp *G) EndChild() {
	st := gp.stk
	coro.Pin()
	if st.HasErrand() {
		st.Errand()
	}
	if m := st.m; m.act == actIdle { // settle's usual part by hand
		m.act = actNone
		m.p.stkput(m.leftStk)
	} else { // it has not ended here just now
		m.p.guess.failed()
		if m.act != actNone {
			m.settle()
		}
	}
	gp.exitIfUnwound()
}

// ChildFailed says that the wait goes on although the child has had its turn. After some of those BeginChild returns nil for a while.
func (gp *G) ChildFailed() { gp.stk.m.p.guess.failed() }

// guess is what a P has learned of BeginChild. Where a wait is over when the child has run, 58 of 245 ns are saved; where it is
// not, since the child has parked or another was waited for, the switch to the parent and away again is wasted, 65 to 160 ns. So a
// failure adds more doubt than a success takes off, and after a failure 2^doubt-1 chances are left out.
type guess struct{ doubt, skip int32 }

// childPaceNS is how long the tasks of a P may take, lately, for it to put children first. While gp lies behind its child it is no
// waiter: a Done that comes from elsewhere, or long before the child's end, finds nobody to wake, and gp waits for the child, for a thief, or for the end of
// the time slice.
var childPaceNS = int64(1_000) // more in tests

// childPace is P.childPace: childPaceNS, or less than any pace.
func (t *Tunables) childPace() int64 {
	if t.NoChildFirst {
		return -1
	}
	return childPaceNS
}

const (
	failureAdds = 4 // pickedChild has taken 1 off for the same try, so three successes make up for it
	mostDoubt   = 8 // one chance in 256
)

func (g *guess) failed() {
	g.doubt = min(g.doubt+failureAdds, mostDoubt)
	g.skip = 1<<g.doubt - 1
}

// pickChild is pick for the task in runnext alone, if it has not begun and the task parent has made it.
func (p *P) pickChild(parent uint64) (gp *G) {
	if p.pace() > p.childPace {
		return nil
	}
	if p.guess.skip > 0 {
		p.guess.skip--
		return nil
	}
	if p.fair <= 1 || p.attn.Load() != 0 {
		return nil
	}
	g := &p.gate
	g.taking.StoreRel(1)
	if g.thieves.Load() != 0 {
		g.taking.StoreRel(0)
		return p.pickChildFrom(parent)
	}
	if gp = p.runnext.Load(); gp.freshChildOf(parent) {
		p.runnext.StoreRel(nil)
	} else {
		gp = nil
	}
	g.taking.StoreRel(0)
	if gp != nil {
		p.pickedChild()
	}
	return gp
}

// pickChildFrom is pickChild while thieves are here: only who has taken gp may look at it.
func (p *P) pickChildFrom(parent uint64) *G {
	gp := p.runnext.Load()
	if gp == nil || !p.runnext.CompareAndSwap(gp, nil) {
		return nil
	}
	if !gp.freshChildOf(parent) {
		p.runqput(gp, true)
		return nil
	}
	p.pickedChild()
	return gp
}

func (p *P) pickedChild() {
	p.guess.doubt -= min(p.guess.doubt, 1)
	p.fair--
	p.schedtick.StoreRel(p.schedtick.Load() + 1)
}

// freshChildOf reports whether gp, which may be nil, has been made by the task parent and has not begun.
func (gp *G) freshChildOf(parent uint64) bool {
	return gp != nil && gp.fn != nil && gp.parent == parent
}

// settleAwait is settle for a task that is to go on when its child has ended. runnext is in use here: the child came from it. Nobody is
// woken, since that is for tasks that are so short that it has turned out futile; after a long one sysmon sees to runnext.
func (m *M) settleAwait() {
	gp, p := m.left, m.p
	m.act = actNone
	gp.state.StoreRel(gRunnable)
	if p.attn.Load()&attnClosing != 0 && !gp.unwound {
		gp.unwind()
		m.s.countCut(1)
	}
	if p.runnext.Load() == nil { // runqput by hand
		p.runnext.StoreRel(gp)
	} else {
		p.runqput(gp, true)
	}
}
