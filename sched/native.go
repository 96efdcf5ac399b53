package sched

import (
	"sync"
	"unsafe"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/getg"
	"github.com/userrt/userrt/internal/rawlock"
)

// Plain goroutines as waiters. Each that blocks in one of our calls has a G, so that it can stand in
// the same queues as tasks, and sleeps natively.

// native is what a plain goroutine's G has in place of a stack.
type native struct {
	stack // its entry in coro's table; m is nil

	// sema is a binary semaphore: held, but for the moment between readyNative and the waking. It is
	// a mutex and not a channel because a channel made in a synctest bubble must not be used outside
	// of it, and this one stays when the goroutine is gone.
	sema  sync.Mutex
	sleep func() bool // waits for sema, made once
}

// adopt makes the entry of the calling goroutine.
func adopt() *G {
	n := newNative()
	coro.Adopt(&n.Stack)
	return n.g
}

func newNative() *native {
	n := &native{}
	n.sema.Lock()
	n.sleep = n.acquire
	n.g = &G{native: n}
	n.g.state.Store(gRunning)
	return n
}

// acquire sleeps until readyNative has been called.
func (n *native) acquire() bool {
	n.sema.Lock()
	n.g.state.Store(gRunning)
	n.wait.on = nil
	return true
}

// waitsFor notes what the calling goroutine is about to wait for; its id too, since the entry may be an earlier
// goroutine's.
func (n *native) waitsFor(on unsafe.Pointer) {
	n.goid = getg.Goid()
	n.waits(on, coarse(clock.Nanotime()))
}

// parkNative is Park on a plain goroutine: the commit runs right here. It is never unwound.
func (gp *G) parkNative(reason WaitReason, commit func(*G, unsafe.Pointer) bool, arg unsafe.Pointer) bool {
	gp.reason = reason
	gp.native.waitsFor(arg)
	gp.state.Store(gWaiting)
	if commit == nil || commit(gp, arg) || !gp.Claim() {
		gp.native.sema.Lock()
	}
	gp.state.Store(gRunning)
	gp.native.wait.on = nil
	return true
}

// beginParkNative is BeginPark on a plain goroutine.
func (gp *G) beginParkNative(lock *rawlock.Mutex) func() bool {
	gp.native.waitsFor(unsafe.Pointer(lock))
	gp.state.Store(gWaiting)
	lock.Unlock()
	return gp.native.sleep
}

// readyNative wakes the goroutine of gp. The native scheduler will not run it before a native P is
// free, and our workers hold theirs all the time: so the waker, if a worker, lets it in soon.
func (gp *G) readyNative() {
	gp.state.Store(gRunnable)
	gp.native.sema.Unlock()
	if st := self(); st != nil && st.m.p != nil {
		st.m.p.setAttn(attnNative)
	}
}
