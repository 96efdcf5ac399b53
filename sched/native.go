package sched

import (
	"unsafe"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/fence"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/internal/sema"
)

// Plain goroutines as waiters. Each that blocks in one of our calls has a G, so that it can stand in
// the same queues as tasks, and sleeps natively. The runtime has no counterpart: there all are goroutines.

// plainEntry is a plain goroutine's entry in coro's table; m and g are nil, so that Self looks whose it is.
type plainEntry struct {
	stack
	native
}

// native is how a G waits that doesn't leave its stack: a plain goroutine's, or a wired task's (lockthread.go).
type native struct {
	gp *G

	wired *stack // of a wired task; nil: it is a plain goroutine's
	locks int    // LockOSThread calls of the task that are not undone

	sema  sema.Sema
	sleep func() // waits for sema, made once

	wait waitNote // for a dump

	inside int32 // depth of calls that run user code on this goroutine; see enterCall

	borrower // of a plain goroutine's; see lend.go
}

// adopt makes the entry of the calling goroutine. It holds the goroutine's g and goid, is replaced by the
// next goroutine that gets the same g, and swept when that one has ended; see internal/coro/table.go.
func adopt() *G {
	fence.Start() // there may be no Scheduler that has, and locks are slow without
	e := &plainEntry{}
	e.init()
	e.plain = true
	e.skip.Store(firstSkip)
	coro.Adopt(&e.Stack)
	if hb.On {
		hb.Fresh(unsafe.Pointer(e.gp), unsafe.Sizeof(*e.gp)) // the caller may hand it to anybody
	}
	return e.gp
}

// selfOther is Self for a stack that shows no G: a plain goroutine's entry, or a task's within Block.
func (st *stack) selfOther() *G {
	if st.m != nil || st.blockM != nil {
		return st.guest()
	}
	if !st.Mine() {
		return adopt()
	}
	return (*plainEntry)(unsafe.Pointer(st)).gp
}

// init makes n a plain goroutine's.
func (n *native) init() {
	n.sleep = n.acquire
	n.gp = &G{native: n}
	n.gp.state.Store(gRunning)
}

// acquire waits until readyNative has been called.
func (n *native) acquire() {
	if p := n.lent.Load(); p == nil || !n.help(p) {
		n.sema.Acquire()
	}
	n.gp.state.StoreRel(gRunning)
	n.wait.on = nil
}

// waitsFor notes what the calling goroutine is about to wait for.
func (n *native) waitsFor(on unsafe.Pointer) {
	now := uint32(0)
	if p := n.lent.Load(); p != nil && p.blocked.Load() == lentOut {
		now = p.s.coarse.Load() // as a task does, which it takes turns with: 20 ns
	} else {
		now = coarse(clock.Nanotime())
	}
	n.wait.begin(on, now)
}

// parkNative is Park without a stack to leave: on a plain goroutine, which is never unwound, the commit
// runs right here.
func (gp *G) parkNative(reason WaitReason, commit func(*G, unsafe.Pointer) bool, arg unsafe.Pointer) bool {
	gp.reason = reason
	gp.native.waitsFor(arg)
	if gp.native.wired != nil {
		return gp.parkWired(commit, arg)
	}
	gp.native.waits()
	gp.state.StoreRel(gWaiting)
	if commit == nil || commit(gp, arg) || !gp.Claim() {
		gp.native.acquire()
		return true
	}
	gp.native.goesOn()
	gp.state.StoreRel(gRunning)
	gp.native.wait.on = nil
	return true
}

// beginParkNative is BeginPark on a plain goroutine.
func (gp *G) beginParkNative(lock *rawlock.Mutex) func() {
	gp.native.waitsFor(unsafe.Pointer(lock))
	if gp.native.wired != nil {
		return gp.beginParkWired(lock)
	}
	gp.native.waits()
	gp.state.StoreRel(gWaiting)
	lock.Unlock()
	return gp.native.sleep
}

// readyNative wakes the goroutine of gp. The native scheduler will not run it before a native P is
// free, and our workers hold theirs all the time: so the waker, if a worker, lets it in soon.
func (gp *G) readyNative() {
	gp.state.StoreRel(gRunnable)
	gp.native.goesOn()
	if gp.native.readyHelper() {
		return
	}
	st := self()
	if st != nil && st.m.p != nil {
		st.m.p.woke = gp.native
		st.m.p.setAttn(attnNative)
	}
	gp.native.sema.Release()
}
