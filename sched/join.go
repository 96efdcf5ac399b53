package sched

import (
	"runtime"

	"github.com/userrt/userrt/internal/callerpc"
	"github.com/userrt/userrt/internal/getg"
)

// Join: work-first fork and join. The caller offers all functions but the first to thieves, runs the
// first, then the others, each that nobody has taken, on its own stack: a fork that nobody steals
// costs a queue push and a call. After Cilk (Frigo, Leiserson, Randall, "The Implementation of the
// Cilk-5 Multithreaded Language", 1998), with frames on the heap, since no pointer into a stack may
// cross to another task. The runtime has nothing like it.

// joinResult is how the functions of a Join ended: the first panic, and whether any has exited.
type joinResult struct {
	panic  *PanicError
	exited bool
}

func (r *joinResult) add(o joinResult) {
	if r.panic == nil {
		r.panic = o.panic
	}
	r.exited = r.exited || o.exited
}

// Join runs all fns, in any order and maybe in parallel, and returns when all have ended. What no
// other worker has taken runs on the caller's stack, so a function that blocks may block the
// others; the first runs there in any case. If one panics, the others still run, and the first panic
// is then raised again in the caller as a *PanicError; if one calls Goexit (or t.FailNow) the
// caller's Goexit goes on when all have ended. On a plain goroutine the others run as tasks of
// Default().
//
// It allocates nothing, but for the closures that the caller makes.
//
//go:noinline
func Join(fns ...func()) {
	for _, fn := range fns {
		if fn == nil {
			panic("sched: Join of nil func")
		}
	}
	if len(fns) == 0 {
		return
	}
	var j join
	pc := callerpc.Get()
	if st := self(); st != nil {
		j.offer(st, fns[1:], pc)
	} else {
		j.spawn(fns[1:], pc)
	}
	j.call(fns[0])
	j.callRest()
	j.raise()
}

// join is what one call of Join has to do still. It lies on the caller's stack.
type join struct {
	rest   *frame
	result joinResult
}

// offer makes a frame of each of fns and offers it to thieves.
func (j *join) offer(st *stack, fns []func(), pc uintptr) {
	p, labels, parent := st.m.p, getg.Labels(), st.g.idOf()
	for _, fn := range fns {
		f := p.frameGet()
		f.fn, f.labels, f.link = fn, labels, j.rest
		f.pc, f.parent = pc, parent
		j.rest = f
		f.state.StoreRel(frameOffered)
		if !p.joinq.push(f) { // a queue full of offers: one task more
			f.state.StoreRel(frameStolen)
			p.runqput(f.task(p), false)
		}
	}
	p.wake()
}

// spawn makes a task of each of fns, for a caller that has no stack for thieves to watch.
func (j *join) spawn(fns []func(), pc uintptr) {
	for _, fn := range fns {
		f := newFrame()
		f.fn, f.pc, f.link = fn, pc, j.rest
		j.rest = f
		f.state.StoreRel(frameStolen)
		Default().mustSpawn(f.body, f, f.pc, nil)
	}
}

// callRest calls what no thief has taken and waits for the others.
func (j *join) callRest() {
	for j.rest != nil {
		f := j.rest
		j.rest = f.link
		if fn := f.takeBack(); fn != nil {
			j.call(fn)
		} else {
			j.result.add(f.await())
		}
	}
}

// call runs fn. If fn panics or exits, the rest is called within the unwinding: a Goexit can't be
// stopped, not even when a deferred call of fn's has panicked meanwhile and that is recovered, so
// nothing would come back to do it.
func (j *join) call(fn func()) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			j.result.add(joinResult{panic: newPanicError(v, taskID())})
		}
		j.callRest()
		if j.result.panic != nil {
			panic(j.result.panic)
		}
	}()
	fn()
	returned = true
}

// raise hands on to the caller how the functions ended.
func (j *join) raise() {
	if j.result.panic != nil {
		panic(j.result.panic)
	}
	if j.result.exited {
		runtime.Goexit()
	}
}

func taskID() uint64 {
	id, _ := ID()
	return id
}
