package sched

import (
	"runtime"
	"unsafe"

	"github.com/userrt/userrt/internal/callerpc"
	"github.com/userrt/userrt/internal/getg"
	"github.com/userrt/userrt/internal/hb"
)

// Join: work-first fork and join. The caller offers all functions but the first to thieves, runs the
// first, then the others, each that nobody has taken, on its own stack. After Cilk (Frigo, Leiserson,
// Randall, 1998; see forkq.go). The runtime has nothing like it.

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

// raise hands on to the caller how the functions ended.
func (r *joinResult) raise() {
	if r.panic != nil {
		panic(r.panic)
	}
	if r.exited {
		runtime.Goexit()
	}
}

// Join runs all fns, in any order and maybe in parallel, and returns when all have ended. What no
// other worker has taken runs on the caller's stack, so a function that blocks may block the
// others; the first runs there in any case. If one panics, the others still run, and the first panic
// is then raised again in the caller as a *PanicError; if one calls Goexit (or t.FailNow) the
// caller's Goexit goes on when all have ended. On a plain goroutine, and within Block, the others run as
// tasks of Current(), for which a worker may have to wake: 100 µs. Join panics with "sched: Join of nil func".
//
// It allocates nothing in a task, but for the closures that the caller makes, which cost more than Join
// does: a function of two that nobody takes costs about 20 ns with Join, and as much for its closure. Where
// all functions are one with different arguments, Both takes no closures.
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
	if Preempting() {
		GiveWay()
	}
	pc := callerpc.Get()
	if hb.On {
		inCall(func() { joinApart(fns, pc) })
		return
	}
	st := self()
	if st == nil {
		joinNative(fns, pc)
		return
	}
	q := st.forks
	if q == nil {
		q = st.forkq()
	}
	if len(fns) == 2 {
		q.join2(fns[0], fns[1], pc)
		return
	}
	j := join{q: q, base: q.bottom.Load()}
	for i, fn := range fns[1:] {
		q.pushFunc(j.base+uint32(i), fn, pc)
	}
	done := false
	defer func() {
		if !done {
			j.failed(recover())
		}
	}()
	fns[0]()
	for i := q.bottom.Load(); i > j.base; {
		if i--; q.pop(i) {
			(*joinFrame)(unsafe.Pointer(q.slots[i])).fn()
		} else {
			j.result.add(q.await(i))
		}
	}
	done = true
	if j.base == 0 {
		q.rest()
	}
	j.result.raise()
}

// join2 is Join of two functions, written out like Both: 2 of 16 ns.
func (q *forkq) join2(f, g func(), pc uintptr) {
	i := q.bottom.Load()
	q.pushFunc(i, g, pc)
	done := false
	defer func() {
		if !done {
			q.failed(i, recover())
		}
	}()
	f()
	q.bottom.StoreRel(i)
	if q.limit.Load() <= i || q.popSlow(i) {
		g()
		done = true
	} else {
		r := q.await(i)
		done = true
		r.raise()
	}
	if i == 0 {
		q.rest()
	}
}

// joinFrame is a frame of Join.
type joinFrame struct {
	frame
	fn func()
}

var joinTag = typeOf((*joinFrame)(nil))

// pushFunc offers fn in slots[i], the next one.
func (q *forkq) pushFunc(i uint32, fn func(), pc uintptr) {
	var jf *joinFrame
	if int(i) < len(q.slots) && q.slots[i].tag == joinTag {
		jf = (*joinFrame)(unsafe.Pointer(q.slots[i]))
	} else if f := q.fit(i, joinTag); f.tag == joinTag {
		jf = (*joinFrame)(unsafe.Pointer(f))
	} else {
		jf = newJoinFrame()
		q.slots[i] = &jf.frame
	}
	jf.fn, jf.pc, jf.labels, jf.used = fn, pc, getg.Labels(), true
	q.bottom.StoreRel(i + 1)
	if q.limit.Load() >= i {
		q.pushed(i)
	}
}

func newJoinFrame() *joinFrame {
	jf := &joinFrame{}
	jf.init(joinTag, jf.run, jf.forget)
	return jf
}

func (jf *joinFrame) run()    { jf.fn() }
func (jf *joinFrame) forget() { jf.fn, jf.labels = nil, nil }

// joinNative is Join for a caller that has no stack for thieves to watch.
func joinNative(fns []func(), pc uintptr) {
	defer enterCall()()
	joinApart(fns, pc)
}

// inCall calls fn, and notes that it does if the caller is no task; before the race detector nothing but ID tells.
func inCall(fn func()) {
	if _, task := ID(); !task {
		defer enterCall()()
	}
	fn()
}

// joinApart is Join before the race detector: functions that one stack calls in turn would look ordered, so each has a
// task of its own.
func joinApart(fns []func(), pc uintptr) {
	j := newJoin()
	for i, fn := range fns[1:] {
		jf := newJoinFrame()
		jf.fn, jf.pc = fn, pc
		if j.trySpawn(&jf.frame) {
			continue
		}
		if !hb.On {
			panic(closedText)
		}
		j.run(func() { inTurn(fns[0], fns[1+i:]) }) // of a task whose scheduler closes
		return
	}
	j.run(fns[0])
}

// inTurn calls first, then rest, however they end.
func inTurn(first func(), rest []func()) {
	if len(rest) > 0 {
		defer inTurn(rest[0], rest[1:])
	}
	first()
}

// newJoin returns one that is not on the caller's stack, where what our code does to it would look like the user's.
//
//go:noinline
func newJoin() *join { return &join{} }

// join is what a call of Join, Both or For has to do still. It lies on the caller's stack.
type join struct {
	loop   *forFrame // a range to go through; it lies in the innermost slot
	q      *forkq    // whose slots from base on are the call's
	base   uint32
	kids   *frame // others that are with thieves, to be awaited
	result joinResult
}

// spawn makes a task of f, which is new, for a caller on a plain goroutine.
func (j *join) spawn(f *frame) {
	if !j.trySpawn(f) {
		panic(closedText)
	}
}

// trySpawn is spawn that does nothing and returns false when the scheduler is closed.
func (j *join) trySpawn(f *frame) bool {
	f.state.StoreRel(frameStolen)
	if !Current().spawn(f.stolen, f, f.pc, nil) {
		return false
	}
	f.link, j.kids = j.kids, f
	return true
}

// run calls fn, sees to the rest, and raises what came of it.
func (j *join) run(fn func()) {
	done := false
	defer func() {
		if !done {
			j.failed(recover())
		}
	}()
	fn()
	done = true
	j.finish()
}

// failed is called by a deferred function that has recovered v, nil for a Goexit, which can't be
// stopped: not even when a deferred call has panicked meanwhile and that is recovered. So the rest is
// done within the unwinding; nothing would come back to do it.
func (j *join) failed(v any) {
	if v != nil {
		j.result.add(joinResult{panic: recovered(v)})
	}
	j.finish()
}

// finish does the rest, however often it panics or exits, and raises what came of it all.
func (j *join) finish() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	done := false
	defer func() {
		if !done { // a Goexit, under way still
			j.finish()
		}
	}()
	for !j.rest() {
	}
	done = true
	if j.q != nil && j.base == 0 {
		j.q.rest()
	}
	j.result.raise()
}

// rest runs and awaits what is left. It returns false after a panic, which it has noted.
func (j *join) rest() (done bool) {
	defer func() {
		if !done {
			if v := recover(); v != nil {
				j.result.add(joinResult{panic: recovered(v)})
			}
		}
	}()
	if l := j.loop; l != nil {
		l.pieces(j.q)
		j.loop = nil
		j.kids = l.close(j.q)
	}
	for q := j.q; q != nil && q.bottom.Load() > j.base; {
		i := q.bottom.Load() - 1
		if q.pop(i) {
			q.slots[i].body()
		} else {
			j.result.add(q.await(i))
		}
	}
	for j.kids != nil {
		f := j.kids
		j.kids = f.link
		f.link = nil
		r, gone := f.await(Self())
		if hb.On {
			hb.Acquire(unsafe.Pointer(f))
		}
		j.result.add(r)
		if !gone && j.q != nil {
			j.q.st.m.p.kidPut(f)
		}
	}
	return true
}
