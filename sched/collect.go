package sched

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"unsafe"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/coro"
)

// Collecting a DumpInfo. It needs no P, and of locks only s.lock, for an instant, and does without where
// somebody sits on it. Nothing is stopped but for the one runtime.Stack: all else is read while it changes.

const (
	dumpQueueMax   = 4096        // tasks of the global queue, a list that is walked under the lock
	dumpPatienceNS = 500_000_000 // for s.lock
)

// gather is a DumpInfo in the making.
type gather struct {
	s     *Scheduler
	info  *DumpInfo
	views []view
}

func newDumpInfo(s *Scheduler) *DumpInfo {
	return &DumpInfo{Scheduler: s.num, GlobalQueue: []uint64{}, Tasks: []DumpTask{}}
}

// collect makes the DumpInfos of several Schedulers with one look at all stacks.
func collect(ss ...*Scheduler) []*DumpInfo {
	gs := make([]*gather, len(ss))
	for i, s := range ss {
		gs[i] = &gather{s: s, info: newDumpInfo(s)}
		gs[i].queues(dumpQueueMax)
		gs[i].tasks()
	}
	natives := waitingGoroutines()
	all, whole := tracebacks()
	out := make([]*DumpInfo, len(gs))
	for i, g := range gs {
		if !whole {
			g.info.Notes = append(g.info.Notes, fmt.Sprintf("stacks are left out: all together are more than %d MiB", maxTraceback>>20))
		}
		g.end(all)
		g.info.Goroutines = goroutinesStill(natives, all)
		out[i] = g.info
	}
	return out
}

// queues reads the counts and the queues, of the global one at most so many ids.
func (g *gather) queues(most int) {
	s, d := g.s, g.info
	locked := s.lockWithin(dumpPatienceNS)
	if !locked {
		d.Notes = append(d.Notes, "the scheduler's lock is held for long: the global queue and the states of Ps are left out")
	}
	d.UptimeNS, d.Closing = s.nanotime(), s.closing.Load()
	d.Searching = int(max(s.nmspinning.Load(), 0))
	d.Live = s.liveGuess()
	if locked {
		d.Threads, d.IdleM, d.NeedSpin = s.nm, s.nmidle, s.needspinning
		d.Monitor = s.sysmonOn && !s.gone.Load()
		d.GlobalQueueLen = int(s.globq.n)
		for gp := range s.globq.all() {
			if len(d.GlobalQueue) == most {
				break
			}
			d.GlobalQueue = append(d.GlobalQueue, gp.peekID())
		}
		for _, p := range *s.allp.Load() {
			d.Ps = append(d.Ps, DumpP{ID: int(p.id), State: p.stateText()})
		}
		d.Procs, d.IdleProcs = int(s.procs.Load()), int(s.npidle.Load())
		s.lock.Unlock()
	}
	for i, p := range *s.allp.Load() {
		if i == len(d.Ps) {
			d.Ps = append(d.Ps, DumpP{ID: int(p.id)})
		}
		p.dumpQueues(&d.Ps[i])
	}
}

// tasks reads all tasks.
func (g *gather) tasks() {
	for gp := range gsOf(g.s.slabsWithin(dumpPatienceNS)) {
		if v, ok := gp.look(); ok {
			g.views = append(g.views, v)
		}
	}
}

// lockWithin takes s.lock, and gives up after so many nanoseconds.
func (s *Scheduler) lockWithin(ns int64) bool {
	for end := s.nanotime() + ns; !s.lock.TryLock(); runtime.Gosched() {
		if s.nanotime() > end {
			return false
		}
	}
	return true
}

// slabsWithin is slabs that gives up waiting for s.lock after so many nanoseconds: if somebody sits on it,
// what allgs is does not change either.
func (s *Scheduler) slabsWithin(ns int64) []*[gSlab]G {
	if s.lockWithin(ns) {
		defer s.lock.Unlock()
	}
	return s.peekSlabs()
}

//go:norace
func (s *Scheduler) peekSlabs() []*[gSlab]G { return s.allgs }

// liveGuess returns how many tasks have not ended: a guess while some end.
//
//go:norace
func (s *Scheduler) liveGuess() int {
	n := uint32(0)
	all := *s.allp.Load()
	for _, p := range all {
		n -= p.nEnd.Load()
	}
	for _, p := range all {
		n += p.nSpawn.Load()
	}
	return int(n + s.nSpawn)
}

//go:norace
func (gp *G) peekID() uint64 { return gp.id }

// stateText needs s.lock.
func (p *P) stateText() string {
	switch {
	case p.state == pIdle:
		return "idle"
	case p.state == pDead:
		return "withdrawn"
	}
	switch p.blocked.Load() {
	case inBlock:
		return "blocked"
	case lentOut:
		return "lent"
	}
	return "running"
}

// dumpQueues reads p's queues while they change: a task that moves meanwhile may be missing or in two.
func (p *P) dumpQueues(d *DumpP) {
	d.SchedTick = p.schedtick.Load()
	d.Preempt = p.attn.Load()&attnPreempt != 0
	if gp := p.runnext.Load(); gp != nil {
		d.Runnext = gp.peekID()
	}
	d.Runq = []uint64{}
	h := p.runq.head.Load()
	n := p.runq.tail.Load() - h
	for i := range min(n, runqSize) {
		if gp := p.runq.ring[(h+i)%runqSize].Load(); gp != nil {
			d.Runq = append(d.Runq, gp.peekID())
		}
	}
}

// end puts tasks and tracebacks together. A task that has ended since it was read keeps what was seen then; of all
// others the state is read again. A coroutine stays with its task until that ends, so where the task still has
// it, the traceback taken in between is the task's; and where it still is in the same wait, it shows that wait.
func (g *gather) end(all map[uint64]traceback) {
	now := g.s.nanotime()
	slices.SortFunc(g.views, func(a, b view) int { return cmp.Compare(a.id, b.id) })
	stuck := map[uint64]bool{} // has been in one wait from the first look on until it was known for what
	for _, v := range g.views {
		again, ok := v.gp.look()
		same := ok && again.id == v.id
		still := same && v.inOneWait(&again)
		if same && again.steady {
			v = again
		}
		t := v.task(now)
		if same && v.goid != 0 {
			if tb, ok := all[v.goid]; ok {
				t.addTraceback(v, tb)
			}
		}
		if still {
			last, ok := v.gp.look()
			stuck[v.id] = ok && last.id == v.id && v.inOneWait(&last)
		}
		g.info.Tasks = append(g.info.Tasks, t)
	}
	g.info.Circles = circles(g.info.Tasks, stuck)
}

// task makes a DumpTask of what has been read.
func (v *view) task(now int64) DumpTask {
	t := DumpTask{
		ID: v.id, Name: v.name, State: stateText[v.state], Parent: v.parent, Goroutine: v.goid,
		CreatedBy: position(v.pc),
	}
	if !v.steady {
		return t
	}
	switch v.state {
	case gWaiting, gClaimed, gSyscall:
		t.WaitNS = sinceNS(v.since, now)
		t.WaitReason = v.reason.String()
		t.WaitsFor = waitEdge(v.gp.s, v.reason, v.on)
	case gRunning:
		if v.p >= 0 {
			t.P = &v.p
		}
	case gRunnable:
		if v.stk == nil && v.fn != nil { // it has no stack yet: what will be its first line
			if pos := position(entry(v.fn) + 1); pos != nil {
				t.Stack = fmt.Sprintf("%s(...)\n\t%s:%d", pos.Func, pos.File, pos.Line)
			}
		}
	}
	return t
}

// addTraceback adds what the native goroutine of the task shows.
func (t *DumpTask) addTraceback(v view, tb traceback) {
	t.Stack = tb.user(v.state == gWaiting || v.state == gClaimed || v.state == gRunnable)
	switch {
	case v.state != gRunning && v.state != gSyscall:
	case tb.status != "running" && tb.status != "runnable" && tb.status != "coroutine":
		t.Native = tb.status
	}
}

func waitEdge(s *Scheduler, reason WaitReason, on unsafe.Pointer) *DumpWait {
	if on == nil {
		return nil
	}
	what, owner := describeWait(s, reason, on)
	return &DumpWait{Addr: fmt.Sprintf("%#x", uintptr(on)), What: what, Owner: owner}
}

// position resolves a return address; nil for 0.
func position(pc uintptr) *DumpPos {
	if pc == 0 {
		return nil
	}
	f, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	return &DumpPos{Func: f.Function, File: f.File, Line: f.Line, Offset: pc - f.Entry}
}

// waitingGoroutines returns the plain goroutines that wait in calls of ours: of any Scheduler's
// primitives, since a plain goroutine belongs to none.
func waitingGoroutines() (vs []view) {
	coro.Adopted(func(cs *coro.Stack) {
		if v, ok := (*stack)(unsafe.Pointer(cs)).lookNative(); ok {
			vs = append(vs, v)
		}
	})
	slices.SortFunc(vs, func(a, b view) int { return cmp.Compare(a.goid, b.goid) })
	return vs
}

// lookNative is look for the entry of a plain goroutine.
//
//go:norace
func (st *stack) lookNative() (v view, ok bool) {
	n := &(*plainEntry)(unsafe.Pointer(st)).native
	gp := n.gp
	if gp == nil || gp.state.Load() != gWaiting {
		return v, false
	}
	seq := n.wait.seq.Load()
	on, since, reason := n.wait.on, n.wait.since, gp.reason
	if !gp.state.CompareAndSwap(gWaiting, gWaiting) || n.wait.seq.Load() != seq {
		return v, false
	}
	return view{
		gp: gp, state: gWaiting, steady: true, stk: st, goid: st.Goid(), p: -1,
		reason: reason, on: on, since: since, seq: seq,
	}, true
}

// goroutinesStill adds their tracebacks to those that wait as before.
func goroutinesStill(vs []view, all map[uint64]traceback) (out []DumpTask) {
	now := clock.Nanotime()
	for _, v := range vs {
		if again, ok := v.stk.lookNative(); !ok || again.seq != v.seq {
			continue
		}
		t := v.task(now)
		if tb, ok := all[v.goid]; ok {
			t.Stack = tb.user(true)
		}
		out = append(out, t)
	}
	return out
}
