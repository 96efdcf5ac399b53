package waitgroup

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/callerpc"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/nocopy"
	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/sched"
)

// WaitGroup waits for a number of tasks to end. The zero value is ready for use; it must not be
// copied after its first use, which go vet sees. The same in Go: sync/waitgroup.go.
//
// Who calls Done happens before the return of every Wait that it lets through.
type WaitGroup struct {
	_ nocopy.NoCopy

	first hb.Word // for the race detector: read by an Add from zero, written by the first that waits

	// state is the counter in the high half and the number of waiters in the low one, so that one
	// atomic operation sees both. Waiters are counted under lock.
	state atomic.Uint64

	// begun counts the Adds from zero. Of two at the same time, which should not be, one may be missed.
	begun atom.Uint32

	lock  rawlock.Mutex // guards what follows
	queue sched.WaitQueue
	round int64 // counts the times that waiters were woken
	late  int32 // Dones on their way to wakeAll whose waiters have all given up since; see uncount
}

const waiter = 1

// counter is the high half, which may be negative for a moment in misuse.
func counter(state uint64) int32 { return int32(state >> 32) }

// Add adds delta, which may be negative, to the counter. When that becomes zero, all waiters are
// woken. It panics with "sync: negative WaitGroup counter", and, if it sees that an Add from zero
// races with Wait, with "sync: WaitGroup misuse: Add called concurrently with Wait".
func (wg *WaitGroup) Add(delta int) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		if delta < 0 {
			hb.Release(unsafe.Pointer(wg))
		}
	}
	state := wg.state.Add(uint64(delta) << 32)
	n, w := counter(state), uint32(state)
	if hb.On && delta > 0 && n == int32(delta) {
		hb.Read(wg.first.Addr()) // the first Add must not run beside Wait, as sync has it
	}
	if n > 0 || n == 0 && w == 0 {
		if n == int32(delta) { // from zero
			if w != 0 {
				panic(misuseText)
			}
			wg.begun.StoreRel(wg.begun.Load() + 1)
		}
		giveWay()
		return
	}
	if n < 0 {
		panic("sync: negative WaitGroup counter")
	}
	wg.wakeAll()
	giveWay()
}

// giveWay ends a call that has not parked.
func giveWay() {
	if sched.Preempting() {
		sched.GiveWay()
	}
}

const (
	misuseText = "sync: WaitGroup misuse: Add called concurrently with Wait"
	reusedText = "sync: WaitGroup is reused before previous Wait has returned"
)

// Done takes one from the counter.
func (wg *WaitGroup) Done() { wg.Add(-1) }

// wakeAll readies all waiters; the counter has just become zero.
func (wg *WaitGroup) wakeAll() {
	wg.lock.Lock()
	state := wg.state.Load()
	if wg.late > 0 && (uint32(state) == 0 || counter(state) != 0) {
		wg.late-- // of this round nobody is left; what is there belongs to a later one
		wg.lock.Unlock()
		return
	}
	// No Wait counts itself while the counter is zero, so with somebody waiting it can only have
	// changed by an Add that should not be.
	if counter(state) != 0 {
		wg.lock.Unlock()
		panic(misuseText)
	}
	wg.state.Store(0)
	wg.round++
	woken, _ := wg.queue.ClaimAll()
	for w := woken.First(); w != nil; w = w.Next() {
		w.Given = true
	}
	wg.lock.Unlock()
	woken.ReadyAll()
}

// Wait blocks until the counter is zero. It panics with "sync: WaitGroup is reused before previous
// Wait has returned" when it sees that. A Wait that lets its only child run first is not counted meanwhile, so it
// panics itself where an Add would have.
func (wg *WaitGroup) Wait() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		defer wg.acquire()
	}
	state := wg.state.Load()
	if counter(state) == 0 {
		giveWay()
		return
	}
	gp := sched.Self()
	if state == 1<<32 { // nobody waits, and one is counted: maybe the caller's child
		begun := wg.begun.Load()
		if leave := gp.BeginChild(); leave != nil {
			leave()
			if gp.EndChild(); counter(wg.state.Load()) == 0 {
				return
			}
			if wg.begun.Load() != begun { // Add can't see that the caller waits: it is not counted
				panic(reusedText)
			}
			gp.ChildFailed()
		}
	}
	w := gp.Waiter()
	wg.lock.Lock()
	if !wg.count() {
		wg.lock.Unlock()
		return
	}
	wg.queue.PushBack(w)
	leave := gp.BeginPark(sched.WaitReasonWaitGroupWait, &wg.lock)
	leave()
	if !gp.EndPark() {
		wg.unwound(w)
		runtime.Goexit()
	}
	if wg.state.Load() != 0 {
		panic(reusedText)
	}
}

// acquire makes what Done has released happen before what the caller does next.
func (wg *WaitGroup) acquire() { hb.Acquire(unsafe.Pointer(wg)) }

// count counts the caller as a waiter, unless the counter is zero. Needs lock.
func (wg *WaitGroup) count() bool {
	for {
		state := wg.state.Load()
		if counter(state) == 0 {
			return false
		}
		if wg.state.CompareAndSwap(state, state+waiter) {
			if hb.On && uint32(state) == 0 {
				hb.Write(wg.first.Addr())
			}
			return true
		}
	}
}

// uncount undoes count, for who waits no longer and has not been woken by wakeAll. Needs lock. If it is the last, and the counter is zero, the Done that
// has brought it there is on its way to wake somebody; meanwhile the next round may begin.
func (wg *WaitGroup) uncount() {
	if wg.state.Add(^uint64(0)) == 0 {
		wg.late++
	}
	if hb.On {
		hb.Fresh(wg.first.Addr(), 8) // the next is the first that waits
	}
}

// unwound takes w, whose G is being unwound, out of the queue if it is still there.
func (wg *WaitGroup) unwound(w *sched.Waiter) {
	wg.lock.Lock()
	if w.Remove() {
		wg.uncount()
	}
	wg.lock.Unlock()
}

// Go starts fn in a new task and counts it until it has ended: after its deferred calls, also when it
// ends by a Goexit, and, if it panics, after the PanicHandler has returned. The WaitGroup must be
// empty or have been counted up before a Wait that may run at the same time. fn must not be nil.
// The same in Go: sync/waitgroup.go, Go.
//
//go:noinline
func (wg *WaitGroup) Go(fn func()) {
	if fn == nil {
		panic("sched: Go of nil func")
	}
	pc := callerpc.Get()
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	wg.Add(1)
	started := false
	defer func() {
		if !started { // the scheduler is closed
			wg.Done()
		}
	}()
	sched.Current().GoEndAt(fn, (*ended)(wg), pc)
	started = true
}

// ended is a WaitGroup as the one who is told of a task's end; a type of its own, so that WaitGroup
// has no method TaskEnded.
type ended WaitGroup

// TaskEnded implements sched.Ender.
func (e *ended) TaskEnded(sched.End) { (*WaitGroup)(e).Done() }
