//go:build !(go1.26 && !go1.28 && (amd64 || arm64 || 386 || riscv64) && !userrt_goroutine && !userrt_nogetg)

package coro

import (
	"runtime"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/sema"
)

// Backend names the way stacks are made in this build.
const Backend = "goroutine"

// Stack is one goroutine that sleeps while another of its scheduler runs. Its zero value becomes one
// by New or Bind.
type Stack struct {
	wake  sema.Sema // says that it shall run
	goid  uint64    // of the goroutine that it is; in use from register on
	key   uintptr   // of the same, from getg
	guest bool      // entered by Adopt
	body  func(*Stack)
	to    *Stack // where it switches
	swap  func() // its method hand
}

// New makes st a fresh stack; the first switch to it starts its goroutine, which runs body(st).
func New(st *Stack, body func(*Stack)) {
	st.body, st.swap = body, st.hand
	go func() {
		st.wake.Acquire()
		register(st)
		defer unregister(st)
		hb.Register()
		defer hb.Unregister()
		st.body(st)
	}()
}

// Bind makes the calling goroutine a stack: a g0.
func Bind(st *Stack) {
	st.swap = st.hand
	register(st)
	hb.Register()
}

// Unbind undoes Bind.
func Unbind(st *Stack) {
	unregister(st)
	hb.Unregister()
}

// Gosched lets other goroutines run.
func Gosched() { runtime.Gosched() }

// Switch wakes to and puts me, the caller, to sleep until somebody switches to me.
// A wake-up that comes before the sleep is kept by the semaphore.
func Switch(me, to *Stack) { Leave(me, to)() }

// Leave, Unpin, Pin, HasErrand and Errand are the parts of Switch; see cell.go.

// Leave notes where me will switch and returns the function that does it.
func Leave(me, to *Stack) func() {
	me.to = to
	return me.swap
}

func (st *Stack) hand() {
	st.to.wake.Release()
	st.wake.Acquire()
}

// Unpin does nothing: only workers' own goroutines could be wired.
func Unpin() {}

// Pin does nothing.
func Pin() {}

// Wire wires the calling stack to its thread.
func Wire() { runtime.LockOSThread() }

// Unwire undoes Wire.
func Unwire() { runtime.UnlockOSThread() }

// HasErrand is false.
func (st *Stack) HasErrand() bool { return false }

// Errand is never called.
func (st *Stack) Errand() {}

// Marked is false: a goroutine's end releases nobody.
func Marked(*Stack) bool { return false }

// Clear has nothing to do here.
func Clear(_, _ *Stack) {}

// Bury lets e, which will return from its body when it runs next, do so.
func Bury(_, e *Stack) { e.wake.Release() }
