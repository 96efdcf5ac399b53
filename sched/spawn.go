package sched

import (
	"unsafe"

	"github.com/userrt/userrt/internal/callerpc"
	"github.com/userrt/userrt/internal/getg"
	"github.com/userrt/userrt/internal/hb"
)

// Making tasks. The same in Go: runtime/proc.go, newproc.
//
// Each exported call that makes a task notes by callerpc.Get where it was called, and passes that down; so
// none of them may be inlined. See created.go.

const (
	nilFuncText = "sched: Go of nil func"
	closedText  = "sched: Go on closed Scheduler"
)

// TaskOptions are what GoWith knows of a task; the zero value is what Go takes.
type TaskOptions struct {
	// Name is shown by the report of a crash and wherever tasks are listed.
	Name string
}

// Go starts fn in a new task: of the calling task's scheduler, or of Default() on a plain goroutine.
//
// From a task the new one goes to the calling worker's P, as the one to run next; from a plain
// goroutine it goes to the global queue. A task that has not started costs some hundred bytes and
// no stack. Go panics with "sched: Go of nil func" or "sched: Go on closed Scheduler".
//
//go:noinline
func Go(fn func()) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if fn == nil {
		panic(nilFuncText)
	}
	pc := callerpc.Get()
	if st := self(); st != nil {
		if !st.m.p.newproc(st.g.idOf(), fn, nil, pc, nil, true) {
			panic(closedText)
		}
		if Preempting() {
			GiveWay()
		}
		return
	}
	Current().mustSpawn(fn, nil, pc, nil)
}

// GoWith is Go for a task that has a name.
//
//go:noinline
func GoWith(fn func(), o TaskOptions) { Current().mustSpawn(fn, nil, callerpc.Get(), &o) }

// Go starts fn in a new task of s; see the function Go.
//
//go:noinline
func (s *Scheduler) Go(fn func()) { s.mustSpawn(fn, nil, callerpc.Get(), nil) }

// GoWith starts fn in a new task of s that has a name; see the function Go.
//
//go:noinline
func (s *Scheduler) GoWith(fn func(), o TaskOptions) { s.mustSpawn(fn, nil, callerpc.Get(), &o) }

// GoEnd is Go with somebody who is told when the task has ended, however it ended. It spares the
// closure that a deferred call in fn would take. If s closes before the task has started, end is told
// as well.
//
//go:noinline
func (s *Scheduler) GoEnd(fn func(), end Ender) { s.mustSpawn(fn, end, callerpc.Get(), nil) }

// GoEndAt is GoEnd for a primitive that starts a task on behalf of its caller, as WaitGroup.Go does: pc is
// the address to which that call will return, as runtime.Callers gives it; 0: not known. Crashes and dumps
// show it as the place where the task was made.
func (s *Scheduler) GoEndAt(fn func(), end Ender, pc uintptr) { s.mustSpawn(fn, end, pc, nil) }

// mustSpawn is spawn for those who have no error to return.
func (s *Scheduler) mustSpawn(fn func(), end Ender, pc uintptr, o *TaskOptions) {
	if fn == nil {
		panic(nilFuncText)
	}
	if !s.spawn(fn, end, pc, o) {
		panic(closedText)
	}
}

// spawn makes a task of s; false means that s is closed.
func (s *Scheduler) spawn(fn func(), end Ender, pc uintptr, o *TaskOptions) bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	ok := false
	if st := self(); st != nil && st.m.s == s {
		ok = st.m.p.newproc(st.g.idOf(), fn, end, pc, o, true)
	} else {
		ok = s.spawnOutside(fn, end, pc, o)
	}
	if ok && Preempting() {
		GiveWay()
	}
	return ok
}

// newproc makes a task on p, which the caller holds, to run next there, unless next is false. from is the calling task's id, 0 for a goroutine. It
// does nothing and reports false when the scheduler is closed.
func (p *P) newproc(from uint64, fn func(), end Ender, pc uintptr, o *TaskOptions, next bool) bool {
	if p.attn.Load()&attnClosing != 0 {
		return false
	}
	if p.gfree.n == 0 { // gfget by hand
		p.gfgetSlow()
	}
	gp := p.gfree.pop()
	gp.fn = fn
	gp.endsAt(end)
	gp.inherit(getg.Labels())
	gp.id = p.nextID()
	gp.created(from, pc, o)
	if hb.On {
		hb.ReleaseStore(unsafe.Pointer(gp))
	}
	gp.state.StoreRel(gRunnable)
	p.nSpawn.StoreRel(p.nSpawn.Load() + 1)
	if h := p.hooks; h != nil {
		h.spawned(gp)
	}
	p.runqput(gp, next)
	if p.mayWake() {
		p.wake()
	}
	return true
}

// spawnOutside is newproc for a caller that is no worker of s.
func (s *Scheduler) spawnOutside(fn func(), end Ender, pc uintptr, o *TaskOptions) bool {
	id, parent := s.idgen.Add(1), s.parent()
	s.lock.Lock()
	if s.closing.Load() || s.draining.Load() && !ownTask(s) {
		s.lock.Unlock()
		return false
	}
	var l gFree
	s.gfgetBatch(&l, 1)
	gp := l.pop()
	gp.fn = fn
	gp.endsAt(end)
	gp.inherit(getg.Labels())
	gp.id = id
	gp.created(parent, pc, o)
	if hb.On {
		hb.ReleaseStore(unsafe.Pointer(gp))
	}
	gp.state.StoreRel(gRunnable)
	s.nSpawn++
	if h := s.hooks; h != nil {
		h.spawned(gp)
	}
	var q gQueue
	q.pushBack(gp)
	s.globrunqput(&q)
	s.lock.Unlock()
	s.wakep()
	return true
}
