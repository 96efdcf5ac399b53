//go:build go1.26 && !go1.28 && (amd64 || arm64 || 386 || riscv64) && !userrt_goroutine && !userrt_nogetg

package coro

import (
	"iter"
	"runtime"
	"sync/atomic"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rawlock"
)

// Backend names the way stacks are made in this build.
const Backend = "cell"

// A cell is one iter.Pull, a place in which one stack lies. The same in Go: runtime/coro.go, coro. A switch only reads it, so it may
// share its cache line with others.
type cell struct {
	way // into it; whoever has the right to run the stack that lies here may take it

	// dead is the stack for which this cell was made, once it has ended and waits for its burial.
	// Written under graveyard; Marked reads it without, so it may come a moment too early to see it:
	// then the burial waits until the stack that lies here after that is run.
	dead atomic.Pointer[Stack]

	body func(*Stack) // what the stack for which it was made runs
}

func init() {
	if err := learn(); err != nil {
		panic("userrt: " + runtime.Version() + " is not as expected, build with -tags userrt_goroutine: " + err.Error())
	}
}

// Stack is a stack that runs or lies in a cell. Its zero value becomes one by New or Bind.
type Stack struct {
	at    *cell  // where it lies while it doesn't run
	then  *Stack // an errand: switch there as soon as you run, before you return from Switch
	own   *cell  // the cell that was made for it, from which its end will release somebody
	ended bool
	guest bool    // entered by Adopt
	goid  uint64  // of the goroutine that it is; in use from register on
	key   uintptr // of the same, from getg
}

// New makes st a fresh stack. The first switch to it runs body(st) there; when body returns or is
// unwound by runtime.Goexit the stack has ended, and that must be by way of Bury. A body that is no closure
// is not allocated, and the one for iter.Pull captures st alone: a parked task costs 48 bytes less so.
//
// The caller must be a goroutine that carries nothing of a user (labels, a synctest bubble): the new
// stack keeps what its maker has. It must be a bound one.
func New(st *Stack, body func(*Stack)) {
	c := &cell{body: body}
	st.own, st.at = c, c
	runtime.UnlockOSThread()
	next, _ := iter.Pull(func(func(struct{}) bool) {
		st.own.begin()
		runtime.LockOSThread()
		register(st)
		hb.Register()
		defer end(st)
		if st.HasErrand() {
			st.Errand()
		}
		st.own.body(st)
	})
	c.set(coroOf(next))
	runtime.LockOSThread()
}

// end is a stack's last act: also when Goexit unwinds it.
func end(st *Stack) {
	unregister(st)
	hb.Unregister()
	runtime.UnlockOSThread()
	st.own.end()
}

// Bind wires the calling goroutine to its thread and makes it a stack: a g0.
func Bind(st *Stack) {
	runtime.LockOSThread()
	register(st)
	hb.Register()
}

// Unbind undoes Bind but for the wire: if the goroutine then returns, its thread ends as well.
func Unbind(st *Stack) {
	unregister(st)
	hb.Unregister()
}

// Gosched lets other goroutines run, with the thread lock released meanwhile: 0.13 µs when nobody
// waits, where the native call takes 33 µs on a locked thread.
func Gosched() {
	runtime.UnlockOSThread()
	runtime.Gosched()
	runtime.LockOSThread()
}

// Switch stops me, the caller, and continues to where it left off; it returns when somebody
// switches to me, maybe on another thread. The same in Go: runtime/coro.go, coroswitch_m; for what
// it means here, runtime/stubs.go, mcall, followed by gogo.
//
// The thread lock is off between Unpin and Pin on both sides, so the native scheduler may there move
// the worker to another thread. The two calls cost 2 to 5 ns together.
func Switch(me, to *Stack) {
	leave := Leave(me, to)
	Unpin()
	leave()
	Pin()
	if me.HasErrand() {
		me.Errand()
	}
}

// Leave, Unpin, Pin, HasErrand and Errand are the parts of Switch, to be called in just this way by
// who can't afford the one call level more: a return that crosses a switch is mispredicted.

// Leave notes that me will lie where to lies now, and returns the function that swaps the two.
func Leave(me, to *Stack) func() {
	me.at = to.at
	return to.at.swap()
}

// Unpin releases the thread for a moment.
func Unpin() { runtime.UnlockOSThread() }

// Pin wires the thread again.
func Pin() { runtime.LockOSThread() }

// Wire has nothing to do here: a stack that runs is wired to its thread, and one that does not Leave
// stays so.
func Wire() {}

// Unwire undoes Wire.
func Unwire() {}

// HasErrand reports whether st, which has just begun to run, was resumed only to switch elsewhere.
func (st *Stack) HasErrand() bool { return st.then != nil }

// Errand does so; it returns when st really runs.
func (st *Stack) Errand() {
	to := st.then
	st.then = nil
	Switch(st, to)
}

// # Ending a stack
//
// When a coroutine's function is over, runtime/coro.go, coroexit swaps one last time: it releases
// whatever lies in the cell that was made for the ended stack e, its own, and that continues as if
// called. Any stack may lie there by now, one that waits for a channel, say, so e can't just end.
// It waits, dead, in the cell where it lies, and its own cell is marked. Whoever is about to run the
// stack x that lies in a marked cell first goes to its g0, which calls Clear: g0 changes places
// with x, x at once with e, e ends, and its last swap brings back g0.
//
// A thread that marks and one that clears exclude each other by graveyard. Cycles (each of two dead
// ones lies in the other's cell) can't stay: Bury clears the cell in which the newly dead one lies,
// so the last of a cycle to die buries the others.
//
// graveyard is held across switches, by a g0 that comes back to itself: no other code runs meanwhile.
var graveyard rawlock.Mutex

// Marked reports whether somebody's burial has to come before a switch to st: call Clear from g0.
func Marked(st *Stack) bool { return st.at.dead.Load() != nil }

// Clear buries whoever waits for the cell in which st lies. The caller runs on g0 and has the right
// to run st, which still lies in a cell afterwards, maybe another one.
func Clear(g0, st *Stack) {
	graveyard.Lock()
	for st.at.dead.Load() != nil {
		reap(g0, st.at.dead.Load(), st)
	}
	graveyard.Unlock()
}

// Bury ends e, which the caller, running on g0, has the right to run, and which will return from
// its body when it runs next. It may be put off until the stack that lies in e's own cell is run.
func Bury(g0, e *Stack) {
	graveyard.Lock()
	e.own.dead.Store(e)
	for !e.ended && e.at.dead.Load() != nil {
		reap(g0, e.at.dead.Load(), e)
	}
	graveyard.Unlock()
}

// reap ends e. x lies in e's own cell, may be e itself, and the caller has the right to run it.
// Afterwards x, if another, lies where e lay.
func reap(g0, e, x *Stack) {
	e.own.dead.Store(nil)
	if x != e {
		x.then = e // x to where e lay, e out and at its end
	}
	Switch(g0, x)
	e.ended = true
}
