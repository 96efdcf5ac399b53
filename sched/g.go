package sched

import (
	"unsafe"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/hb"
)

// The states of a G. The same in Go: runtime/runtime2.go, _Gidle and its neighbours.
//
//	          newproc              schedule, execute
//	gDead --------------> gRunnable ----------------> gRunning
//	  ^                    ^   ^  ^                    |  |  |
//	  |                    |   |  +--- Yield ----------+  |  |
//	  |              Ready |   |                          |  |
//	  |                    |   | commit said no, unwound  |  | Park
//	  |                gClaimed|                          |  v
//	  |                    ^   +--------------------- gWaiting
//	  |                    +--- Claim, by one CAS --------+
//	  +------------------------- goexit0 -----------------+ (from gRunning)
//
//	gRunning <---- entersyscall, exitsyscall ----> gSyscall ---- exitsyscall without a P ----> gRunnable
//
// Only the step out of gWaiting is contested: whoever wakes (Claim, to gClaimed) and whoever unwinds
// (Close, straight to gRunnable) compete by one CAS. Who has won it may also let the G wait for something else (MoveTo, back to
// gWaiting). All other steps are made by whoever has the right to run the G.
const (
	gDead     = iota // on a free list
	gRunnable        // on a run queue, or about to be
	gRunning         // a worker runs it; it is on no queue
	gWaiting         // parked, and its stack has wholly left
	gClaimed         // somebody has won the right to make it runnable and has not done so yet
	gSyscall         // in Block, on its own thread, maybe without a P
)

var stateText = [...]string{gDead: "dead", gRunnable: "runnable", gRunning: "running", gWaiting: "waiting", gClaimed: "waiting", gSyscall: "syscall"}

// G is a unit of execution: a task, or the entry of a plain goroutine that blocks in one of our
// calls. The same in Go: runtime/runtime2.go, g.
//
// Unless noted, a field belongs to whoever has the right to run the G: who made it, then its run
// queue, then its worker.
type G struct {
	// A task that starts, never parks and ends touches these and no more. In a slab they lie in one cache line,
	// for the allocator keeps 8 bytes in front of it: a thousand tasks in two lines each don't fit the first-level cache.
	stk       *stack // nil while the task has not started or is wired (lockthread.go), and in a plain goroutine's entry
	schedlink *G     // next in a list
	id        uint64
	fn        func() // what it will run; nil once it has started
	state     atom.Uint32
	reason    WaitReason
	unwinding bool    // Close has won the last wait: Park returns false. Set by the winner of the CAS
	unwound   bool    // Close has won a wait before; set with unwinding
	extras    uint8   // which of the rarer fields are set: hasLabels and its neighbours
	pc        uintptr // of the call that made it; 0: not known
	parent    uint64  // id of the task that made it; 0: a plain goroutine

	s       *Scheduler     // its scheduler for ever; nil in a plain goroutine's entry
	end     Ender          // told when it has ended; may be nil
	labels  unsafe.Pointer // pprof labels of its creator
	native  *native        // of a plain goroutine's entry or a wired task; else not to be looked at
	name    string         // as GoWith was told
	dying   atom.Uint32    // unwound, to be read by those who have no right to run the G
	clashed atom.Uint32    // 1 + when it last found a lock held, on the coarse clock; 0: never. See clash.go
	waiter  *Waiter        // its own place in queues; nil before the first call of Waiter
}

// Bits of G.extras. They spare a task that has none of it the second cache line.
const (
	hasLabels = 1 << iota
	hasName
	hasWire // native is that of a task that has been wired
	hasEnd
	hasClashed
)

// inherit gives gp, which is new, the pprof labels of its creator.
func (gp *G) inherit(labels unsafe.Pointer) {
	if labels != nil {
		gp.labels = labels
		gp.extras |= hasLabels
	}
}

// endsAt notes who is told of the end of gp, which is new; nil for nobody.
func (gp *G) endsAt(end Ender) {
	if end != nil {
		gp.end = end
		gp.extras |= hasEnd
	}
}

// stack is a coroutine with the task that it runs now. It is pooled: g changes, the stack stays.
type stack struct {
	coro.Stack // first, so that coro.Self's result is ours

	g       *G       // the task; nil between two tasks and on a g0
	m       *M       // the worker that runs it; written by whoever switches to it; nil in a plain goroutine's entry
	link    *stack   // next in a pool
	sleeper *timer   // what wakes the task from Sleep; made by the first one
	blockM  *M       // within Block, where g and m are nil or a guest's: the worker
	forks   *forkq   // what the task on it offers to thieves; nil until one has
	wire    *native  // see lockthread.go; nil before the first LockOSThread
	wait    waitNote // for a dump
	inTask  bool     // the user's function is on it
	retired bool     // when run next it is to end

	_ [(lineSize - stackUsed%lineSize) % lineSize]byte // no line shared with another worker's
}

// stackUsed is what a stack takes without the padding: two lines with cells, more with goroutines.
const stackUsed = unsafe.Sizeof(coro.Stack{}) + 7*unsafe.Sizeof(uintptr(0)) + unsafe.Sizeof(waitNote{}) + 2

const lineSize = 64

// waitNote is what a G that parks leaves for a dump, besides G.reason. It is written before the state
// becomes gWaiting. seq comes last: two equal loads of it, with the state gWaiting seen before the first and
// after the second, mean that all of one wait has been read (inspect.go, look).
type waitNote struct {
	// on is what it waits for: the lock of BeginPark, the argument of Park. A pointer, so that it can be looked at;
	// nil again when the wait is over, so that nothing is retained.
	on    unsafe.Pointer
	since uint32      // when the wait began, on the coarse clock
	seq   atom.Uint32 // counts the waits on this stack
}

// begin notes that a wait for on is about to begin.
func (w *waitNote) begin(on unsafe.Pointer, now uint32) {
	w.on, w.since = on, now
	w.seq.StoreRel(w.seq.Load() + 1)
}

// self returns the calling stack, or nil for a goroutine that is not a worker's.
func self() *stack {
	st := (*stack)(unsafe.Pointer(coro.Self()))
	if st == nil || st.m == nil {
		return nil
	}
	return st
}

// Ender is told of a task's end; see (*Scheduler).GoEnd.
type Ender interface {
	// TaskEnded is called once, on the task's own stack, after its deferred calls and, if it
	// panicked, after PanicHandler. It must not panic or block.
	TaskEnded(how End)
}

// End tells how a task ended. Its zero value means that its function returned.
type End struct {
	Panic   *PanicError // a panic that PanicHandler took, or that this Ender takes
	Exited  bool        // by Exit or runtime.Goexit
	Dropped bool        // its scheduler closed: it never ran, or was unwound
}

// ID returns the calling task's id, unique in its scheduler and never reused; ok is false on a plain
// goroutine.
func ID() (id uint64, ok bool) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if gp := currentTask(); gp != nil {
		return gp.id, true
	}
	return 0, false
}

// ID returns the id of the task gp, 0 if it is a plain goroutine's entry. It may be called by who holds a lock that gp
// is parked under.
func (gp *G) ID() uint64 {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return gp.id
}

// currentTask returns the calling task, also within Block; nil on a plain goroutine and on a g0.
func currentTask() *G {
	st := (*stack)(unsafe.Pointer(coro.Self()))
	switch {
	case st == nil:
	case st.blockM != nil:
		return st.blockM.blockG
	case st.m != nil:
		return st.g
	}
	return nil
}

// Current returns the calling task's scheduler; on a plain goroutine it returns Default().
func Current() *Scheduler {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	st := (*stack)(unsafe.Pointer(coro.Self()))
	switch {
	case st == nil:
	case st.m != nil:
		return st.m.s
	case st.blockM != nil:
		return st.blockM.s
	}
	return Default()
}
