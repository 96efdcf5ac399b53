package sched

import (
	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/marks"
)

// Preemption: a task that has run for long while others wait is asked to give way, which it does at its
// next call of ours that looks. The same in Go: runtime/proc.go, retake, preemptone; runtime/preempt.go
// interrupts it wherever it is, which a library can't. For tasks that make no such call see relief.go.
//
// All calls look that make a task, wait, might have waited, take a lock or a part of a semaphore, set or stop a timer or a
// deadline, close a channel, wire a task to its thread, or read or write: before they take a lock, else when
// they have done it. These do not:
//
//   - what only reads or makes something: ID, Self, Stats, Dump, Rand, Nanotime; Len, Cap, Snapshot, Queued, Make and its like
//   - Unlock of either kind, whose Lock has looked; RUnlock does
//   - Once.Do and what OnceFunc and the others return, once that is done: no more than a load
//   - what primitives are built of, since they may hold a lock: Ready, Claim, WaitQueue, Alarm, Clashed and the like
//   - what sets up a scheduler: New, SetProcs, SetLimit of a Scope
//   - calls that panic, and those of netpoll that fail
//
// TestCallsGiveWay here, and its like in the other packages, have them all by name.

// Preempting reports whether some task is asked to give way. The fast paths of primitives, which don't
// look at the scheduler otherwise, end with
//
//	if sched.Preempting() { sched.GiveWay() }
//
// which costs a load.
func Preempting() bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return marks.Preempting.Load() != 0
}

// GiveWay puts the caller at the end of the global queue if it is a task that has run for long while
// others wait. Not to be called with a lock held that others spin for. Unlike Yield it is no place where a
// closing scheduler ends the task: the call before it has succeeded, and what it has received would be lost.
func GiveWay() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	st := self()
	if st == nil || st.g == nil || st.m.p.attn.Load()&attnPreempt == 0 { // no task, or a worker that calls an Alarm's function
		return
	}
	st.m.p.nPreempt.StoreRel(st.m.p.nPreempt.Load() + 1)
	st.giveWay()
}

// Cede lets the G run at once that the caller has just made Ready, or others that wait for the P: a caller that is a task goes to the end of its P's
// queue. It is for who hands something over that others wait for, or leaves it to one that has been woken; like GiveWay it ends no task.
func Cede() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	st := self()
	if st == nil || st.g == nil {
		return
	}
	m := st.m
	if m.wired {
		st.giveWay()
		return
	}
	to := m.schedule() // as in Park: to the one in runnext, mostly
	m.act, m.left = actCede, st.g
	coro.Switch(&st.Stack, &to.Stack)
	if m = st.m; m.act != actNone {
		m.settle()
	}
}

// giveWay puts the calling task at the end of the global queue.
func (st *stack) giveWay() {
	m := st.m
	if m.wired {
		m.p.clearPreempt()
		st.requeueWired(m.p)
		return
	}
	m.act, m.left = actPreempt, st.g
	coro.Switch(&st.Stack, &m.toG0().Stack) // which takes the mark off
	if m = st.m; m.act != actNone {
		m.settle()
	}
}

// markPreempt asks the task that runs on p to give way.
func (p *P) markPreempt() {
	if p.attn.Or(attnPreempt)&attnPreempt == 0 {
		marks.Preempting.Add(1)
		marks.Free.Add(-1)
	}
}

func (p *P) clearPreempt() {
	if p.attn.And(^uint32(attnPreempt))&attnPreempt != 0 {
		marks.Preempting.Add(-1)
		marks.Free.Add(1)
	}
}
