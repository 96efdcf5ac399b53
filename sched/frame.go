package sched

import (
	"runtime"
	"unsafe"

	"github.com/userrt/userrt/internal/atom"
)

// What Join offers to thieves, and the queue in which they find it. The runtime has nothing like it.

// frame is one function offered to thieves. Frames are never freed, only reused, so a thief may look
// at one that has meanwhile been taken back; the CAS on state decides, and whoever wins it runs what
// the frame then holds.
//
//	frameFree -> frameOffered -> frameFree                      the owner took it back
//	             frameOffered -> frameStolen -> frameDone        a thief ran it; the owner frees it
//	                             frameStolen -> frameAwaited -> frameDone   the owner parked meanwhile
type frame struct {
	state  atom.Uint32
	fn     func()
	owner  *G             // who waits; set before frameAwaited
	result joinResult     // what a thief's run of fn came to; set before frameDone
	body   func()         // runStolen, made once
	link   *frame         // free list, or the owner's other frames
	labels unsafe.Pointer // the owner's pprof labels
	pc     uintptr        // of the call of Join; and the owner's id: see G
	parent uint64
}

const (
	frameFree = iota
	frameOffered
	frameStolen
	frameAwaited
	frameDone
)

func newFrame() *frame {
	f := &frame{}
	f.body = f.runStolen
	return f
}

// frameSlab is how a P's frames are allocated. The scheduler keeps them, since joinq's pointers are
// not seen by the collector.
const frameSlab = 32

func (p *P) frameGet() *frame {
	f := p.frames
	if f == nil {
		slab := new([frameSlab]frame)
		for i := range slab {
			f = &slab[i]
			f.body = f.runStolen
			p.framePut(f)
		}
		p.s.lock.Lock()
		p.s.allFrames = append(p.s.allFrames, slab)
		p.s.lock.Unlock()
		f = p.frames
	}
	p.frames = f.link
	return f
}

func (p *P) framePut(f *frame) {
	f.link = p.frames
	p.frames = f
}

// takeBack returns f's function if no thief has f; f is then free. Called by the owner's task.
func (f *frame) takeBack() func() {
	if !f.state.CompareAndSwap(frameOffered, frameFree) {
		return nil
	}
	fn := f.fn
	f.fn = nil
	p := self().m.p
	p.joinq.forget(f)
	p.framePut(f)
	return fn
}

// await waits for the thief to be done with f; f is then free. If the caller is unwound meanwhile,
// f stays with the thief.
func (f *frame) await() joinResult {
	if f.state.Load() != frameDone {
		f.owner = Self()
		if !f.owner.Park(WaitReasonJoin, awaitCommit, unsafe.Pointer(f)) {
			runtime.Goexit()
		}
	}
	r := f.result
	f.result = joinResult{}
	f.fn, f.owner = nil, nil
	if st := self(); st != nil {
		f.state.StoreRel(frameFree)
		st.m.p.framePut(f)
	}
	return r
}

func awaitCommit(_ *G, f unsafe.Pointer) bool {
	return (*frame)(f).state.CompareAndSwap(frameStolen, frameAwaited)
}

// task makes the task in which a thief, which holds p, runs the stolen f.
func (f *frame) task(p *P) *G {
	gp := p.gfget()
	gp.fn = f.body
	gp.inherit(f.labels)
	gp.id = p.nextID()
	gp.created(f.parent, f.pc, nil)
	gp.state.StoreRel(gRunnable)
	p.nSpawn.StoreRel(p.nSpawn.Load() + 1)
	return gp
}

// runStolen runs f in a task of its own and tells the owner how that ended.
func (f *frame) runStolen() {
	returned := false
	defer func() {
		if !returned {
			if v := recover(); v != nil {
				f.result.panic = newPanicError(v, taskID())
			} else {
				f.result.exited = true
			}
		}
		f.tell()
	}()
	f.fn()
	returned = true
}

// TaskEnded implements Ender: a task that its scheduler has dropped ends f like one that exits.
func (f *frame) TaskEnded(how End) {
	if how.Dropped && f.state.Load() != frameDone {
		f.result.exited = true
		f.tell()
	}
}

// tell ends f and wakes the owner, if it has parked; then f is still ours.
func (f *frame) tell() {
	if f.state.Swap(frameDone) == frameAwaited {
		f.owner.Ready()
	}
}

// joinq is the P's queue of offered frames: the owner pushes at the bottom, thieves take from the top,
// where the largest pieces of the work are. After Chase and Lev ("Dynamic Circular Work-Stealing
// Deque", 2005), but without their fence between owner and thief: the owner doesn't need the queue to
// take a frame back, since the CAS on the frame's state decides. So an entry is only a hint: it may be
// taken back already, or used again, or (when top overtakes bottom, see forget) be lost to thieves,
// and the owner then runs that frame itself.
type joinq struct {
	top    atom.Uint32
	bottom atom.Uint32 // written by the owner only
	ring   [joinqSize]atom.Ptr[frame]
}

const joinqSize = 256

func (q *joinq) empty() bool { return int32(q.bottom.Load()-q.top.Load()) <= 0 }

// push offers f, and reports whether there was room. Owner only.
func (q *joinq) push(f *frame) bool {
	b, t := q.bottom.Load(), q.top.Load()
	if int32(b-t) < 0 {
		b = t
	}
	if b-t >= joinqSize {
		return false
	}
	q.ring[b%joinqSize].StoreRel(f)
	q.bottom.StoreRel(b + 1)
	return true
}

// forget takes f's entry out if it is the newest. Owner only.
func (q *joinq) forget(f *frame) {
	b := q.bottom.Load() - 1
	if int32(b-q.top.Load()) >= 0 && q.ring[b%joinqSize].Load() == f {
		q.bottom.StoreRel(b)
	}
}

// steal takes the oldest frame that is still offered, nil if there is none.
func (q *joinq) steal() *frame {
	for !q.empty() {
		t := q.top.Load()
		f := q.ring[t%joinqSize].Load()
		if q.top.CompareAndSwap(t, t+1) && f != nil && f.state.CompareAndSwap(frameOffered, frameStolen) {
			return f
		}
	}
	return nil
}
