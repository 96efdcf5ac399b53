package sched

import "unsafe"

// Reading tasks without the right to: a dump looks at Gs that run, park and end meanwhile. Nobody is stopped
// and no lock is held, so each G is read between two looks at what would have changed. The same in Go:
// runtime/traceback.go, tracebackothers, for which the world stands still.
//
// The fields are plain words of their owner's, and the race detector would call this a race. It is one that
// is seen and undone: what was read is used only if the G turns out to have been the same all the time. So these
// functions are not watched, and no string or pointer is followed before the second look.

// view is what has been read of one G.
type view struct {
	gp     *G
	id     uint64
	state  uint32
	steady bool // all below belongs together; else only id and state are known

	name   string
	pc     uintptr
	parent uint64
	fn     func()         // what it will run, if it has not started
	stk    *stack         // nil if it has not started
	goid   uint64         // of the goroutine that is its stack
	p      int            // number of the P on which it runs, -1 for none, maybe an old one
	reason WaitReason     // why it waits, or, within Block, what the code there waits for
	on     unsafe.Pointer // and for what
	since  uint32         // and since when, on the coarse clock; with gSyscall since when it is in Block
	seq    uint32         // the number of that wait
}

// look reads gp; false means that no task has it.
func (gp *G) look() (v view, ok bool) {
	for range 100 { // a task that is handed back and forth changes its state every 50 ns
		if v, ok = gp.lookOnce(); !ok || v.steady {
			break
		}
	}
	return v, ok
}

//go:norace
func (gp *G) lookOnce() (v view, ok bool) {
	state := gp.state.Load()
	if state == gDead {
		return view{}, false
	}
	id, name, pc, parent, fn, st := gp.id, gp.name, gp.pc, gp.parent, gp.fn, gp.stackOf()
	v = view{gp: gp, id: id, state: state, p: -1}
	var w *waitNote
	var on unsafe.Pointer
	var reason WaitReason
	var since, seq uint32
	waiter := gp // whose wait it is
	if st != nil {
		waiter = st.waiter(gp, state)
		w = waiter.note(st)
		seq = w.seq.Peek() // before the others; see waitNote
		on, since, reason = w.on, w.since, waiter.reason
	}
	// A compare-and-swap that changes nothing is a full barrier: what stands before it has been read before.
	if !gp.state.CompareAndSwap(state, state) || gp.id != id || gp.stackOf() != st {
		return v, true
	}
	if st != nil {
		if st.waiter(gp, state) != waiter || w.seq.Peek() != seq {
			return v, true
		}
		v.goid, v.p = st.Goid(), st.runsOn()
	}
	v.steady = true
	v.name, v.pc, v.parent, v.stk = name, pc, parent, st
	switch {
	case st == nil:
		v.fn = fn
	case state == gWaiting || state == gClaimed:
		v.reason, v.on, v.since, v.seq = reason, on, since, seq
	case state == gSyscall:
		v.since = st.wait.since
		if waiter != gp && waiter.state.Peek() == gWaiting {
			v.reason, v.on = reason, on
		}
	}
	return v, true
}

// stackOf returns gp's stack, nil if it has none yet.
//
//go:norace
func (gp *G) stackOf() *stack {
	if st := gp.stk; st != nil {
		return st
	}
	if n := gp.native; n != nil && gp.fn == nil {
		return n.wired
	}
	return nil
}

// waiter returns whose wait a look at gp, on st, shall tell: within Block it is that of the code there, which
// waits like a plain goroutine's.
//
//go:norace
func (st *stack) waiter(gp *G, state uint32) *G {
	if guest := st.g; state == gSyscall && guest != nil && guest != gp && guest.native != nil {
		return guest
	}
	return gp
}

// note returns the waitNote of gp, whose stack, if it is a task, is st.
//
//go:norace
func (gp *G) note(st *stack) *waitNote {
	if gp.stk == nil && gp.native != nil { // also of a wired task
		return &gp.native.wait
	}
	return &st.wait
}

//go:norace
func (st *stack) runsOn() int {
	if m := st.m; m != nil {
		if p := m.p; p != nil {
			return int(p.id)
		}
	}
	return -1
}

// entry returns where a function value's code begins.
//
//go:norace
func entry(fn func()) uintptr { return **(**uintptr)(unsafe.Pointer(&fn)) }
