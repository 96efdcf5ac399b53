package sched

import (
	"unsafe"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/procyield"
)

// frame is one piece of work that a task offers to thieves: a function of a Join, the second call of a
// Both, a range of a For. It is the head of a joinFrame, bothFrame or forFrame, and lies on the heap, since no
// pointer into a stack may cross to another task. The runtime has nothing like it.
//
// What it holds belongs to the task that pushed it until a thief has taken it (forkq.go), then to the
// thief until it is done:
//
//	frameIdle -> frameStolen ----------------------------------------> frameDone -> frameIdle
//	                 |                                                     ^
//	                 +-> frameAwaited, the owner has parked -> frameTelling
//	                          |
//	                          +-> frameAbandoned: the owner was unwound; nobody uses it again
type frame struct {
	tag    unsafe.Pointer // the type whose head it is: *joinFrame, *bothFrame[A, R] or *forFrame
	used   bool           // it holds something that reset has to forget
	loop   bool           // the head of a forFrame, which thieves split instead of taking it
	state  atom.Uint32
	owner  *G             // who waits; set before frameAwaited
	result joinResult     // what a thief's run came to; set before frameDone
	labels unsafe.Pointer // the owner's pprof labels
	pc     uintptr        // of the call of Join, 0 for others; see G
	parent uint64         // the owner's id; set when it is stolen
	link   *frame         // next in a list: spare ones, or those that are waited for

	body   func() // does the work; made once, as are the next two
	reset  func() // forgets the work
	stolen func() // what a thief's task runs: runStolen
}

const (
	frameIdle = iota
	frameStolen
	frameAwaited
	frameTelling
	frameDone
	frameAbandoned
)

// noFrame stands in a slot that holds none.
var noFrame frame

func (f *frame) init(tag unsafe.Pointer, body, reset func()) {
	f.tag, f.body, f.reset = tag, body, reset
	f.stolen = f.runStolen
}

// typeOf returns what is different for each type that an interface may hold.
func typeOf(v any) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&v))
}

// task makes the task in which a thief, which holds p, runs the stolen f.
func (f *frame) task(p *P) *G {
	gp := p.gfget()
	gp.fn = f.stolen
	gp.inherit(f.labels)
	gp.id = p.nextID()
	gp.created(f.parent, f.pc, nil)
	gp.state.StoreRel(gRunnable)
	p.nSpawn.StoreRel(p.nSpawn.Load() + 1)
	if h := p.hooks; h != nil {
		h.spawned(gp)
	}
	return gp
}

// runStolen does f's work in a task of its own and tells the owner how that ended.
func (f *frame) runStolen() {
	returned := false
	defer func() {
		if !returned {
			if v := recover(); v != nil {
				f.result.panic = recovered(v)
			} else {
				f.result.exited = true
			}
		}
		f.tell()
	}()
	f.body()
	returned = true
}

// TaskEnded implements Ender, for a frame that a plain goroutine waits for: a task that its scheduler
// has dropped ends f like one that exits. Other owners are unwound themselves then.
func (f *frame) TaskEnded(how End) {
	if s := f.state.Load(); how.Dropped && (s == frameStolen || s == frameAwaited) {
		f.result.exited = true
		f.tell()
	}
}

// tell ends f and wakes the owner, if it has parked. The owner is claimed before it may see that f is
// done: one that is being unwound would else go on to another wait, and be woken from that.
func (f *frame) tell() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Release(unsafe.Pointer(f))
	}
	if f.state.CompareAndSwap(frameStolen, frameDone) || !f.state.CompareAndSwap(frameAwaited, frameTelling) {
		return
	}
	gp := f.owner
	won := gp.Claim()
	f.state.Store(frameDone)
	if won {
		gp.Ready()
	}
}

// await waits on gp, the caller's, until the thief is done with f, which can then be used again. If gp is
// unwound meanwhile that counts as an exit, and f may stay with the thief: gone.
func (f *frame) await(gp *G) (r joinResult, gone bool) {
	if f.state.Load() != frameDone {
		f.owner = gp
		if !gp.Park(WaitReasonJoin, awaitCommit, unsafe.Pointer(f)) {
			if f.state.CompareAndSwap(frameAwaited, frameAbandoned) {
				return joinResult{exited: true}, true
			}
			for f.state.Load() != frameDone { // for the few instructions of tell
				procyield.Pause(1)
			}
			f.result.exited = true
		}
	}
	r = f.result
	f.result = joinResult{}
	f.owner = nil
	f.state.StoreRel(frameIdle)
	return r, false
}

func awaitCommit(_ *G, f unsafe.Pointer) bool {
	return (*frame)(f).state.CompareAndSwap(frameStolen, frameAwaited)
}
