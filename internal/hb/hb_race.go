//go:build race && linux && amd64 && go1.26 && !go1.28 && !userrt_nogetg && !userrt_nohb

package hb

import (
	"runtime"
	"unsafe"

	"github.com/userrt/userrt/internal/getg"
)

// toKernel makes the goroutine g, whose state is st, go on in the context of our own code. That may know all of
// the user's; never the other way round. Our own contexts are in the order in which they are left and entered, for what
// one has made, a Scheduler or a connection, reaches another through the user's hands.
//
//go:norace
func (st *state) toKernel(g uintptr) {
	release(st.user, unsafe.Pointer(st))
	acquire(st.kernel, unsafe.Pointer(st))
	acquire(st.kernel, unsafe.Pointer(&root))
	*current(g) = st.kernel
}

// Of a stack larger than bigStack only so much is forgotten as may hold arguments that the call had by pointer.
const (
	bigStack = 64 << 10
	argsRoom = 16 << 10
)

// toUser is the way back. What our code has done on the stack, also to arguments that lie there, is
// forgotten, or it would look like a race with the user's next frames; nobody else can get at a stack. The same in Go: runtime/mcleanup.go, raceEnterNewCtx.
//
//go:norace
func (st *state) toUser(g uintptr) {
	release(st.kernel, unsafe.Pointer(&root))
	lo, hi := *field(g, 0), *field(g, 8)
	size := hi - lo
	if size > bigStack {
		size = min(size, hi-st.top-lo+argsRoom)
	}
	call(mallocFn(), 0, 0, lo, size)
	*current(g) = st.user
}

// here returns the calling goroutine's g and what this package knows of it: nil if nothing. g is 0 where nothing
// here does anything.
//
//go:norace
func here() (g uintptr, st *state) {
	if racectxAt == 0 {
		return 0, nil
	}
	g = getg.Get()
	return g, lookup(g)
}

// Enter begins a call of ours, and Leave ends it, also when that panics or exits. They stand in each exported function
// that touches what is shared, in just this form: a deferred call with arguments would be one of a wrapper, which the
// detector would see begin in one context and end in another.
//
//	if hb.On {
//		hb.Enter()
//		defer hb.Leave()
//	}
//
//go:norace
func Enter() {
	g, st := here()
	if g == 0 {
		return
	}
	if st == nil {
		st = &state{plain: true, user: *current(g), kernel: newCtx(0)}
		insert(g, st)
	}
	if st.depth++; st.depth == 1 {
		st.top = *field(g, 8) - callerFP()
		st.toKernel(g)
	}
}

// Leave ends the call that Enter has begun.
//
//go:norace
func Leave() {
	g, st := here()
	if st == nil {
		return
	}
	if st.depth--; st.depth > 0 {
		return
	}
	st.toUser(g)
	if st.plain && len(st.saved) == 0 {
		remove(g)
		end(st.kernel)
	}
}

// Register makes the calling goroutine one of ours, which calls user code only by Task, OutFor and OutAfter: a stack
// that runs tasks, or one that looks after a Scheduler. It is in our code.
//
//go:norace
func Register() {
	if racectxAt != 0 {
		g := getg.Get()
		insert(g, &state{kernel: *current(g), depth: 1})
	}
}

// Unregister undoes Register.
//
//go:norace
func Unregister() {
	if racectxAt != 0 {
		remove(getg.Get())
	}
}

// Task begins the user's part of a task, on a registered stack; pc is where the task was made, and what was
// released at from has happened before; if tell, all that our code knows too.
//
//go:norace
func Task(pc uintptr, from unsafe.Pointer, tell bool) {
	g, st := here()
	if st == nil {
		return
	}
	st.user = newCtx(pc)
	acquire(st.user, from)
	if tell {
		st.tell()
	}
	st.top = *field(g, 8) - callerFP()
	st.depth = 0
	st.toUser(g)
}

// TaskOver goes back to our code, however the user's part of the task has ended. If the task panics or exits it must be
// the first deferred call of ours that runs. Until TaskGone the task is a user who is in a call of ours, and who is
// told of the end, between Out and Back, is told as a part of it.
//
//go:norace
func TaskOver() {
	g, st := here()
	if st == nil || st.user == 0 {
		return
	}
	st.depth = 1
	st.saved = st.saved[:0]
	st.toKernel(g)
}

// TaskGone forgets the task; all that it has done happens before who acquires at.
//
//go:norace
func TaskGone(at unsafe.Pointer) {
	_, st := here()
	if st == nil || st.user == 0 {
		return
	}
	release(st.user, at)
	end(st.user)
	st.user = 0
}

// Out goes back to the user's context for a function of the user's that our code calls, and Back returns from it:
//
//	if hb.On {
//		hb.Out()
//		defer hb.Back()
//	}
//	fn()
//
// stands in a function of its own.
//
//go:norace
func Out() {
	g, st := here()
	if st == nil {
		return
	}
	if st.user == 0 { // a worker that calls for nobody: it stays what it is
		st.saved = append(st.saved, saved{depth: st.depth, top: st.top})
		return
	}
	st.out(g, st.user, callerFP())
}

// out goes to the context user; the frames below fp are the user's.
//
//go:norace
func (st *state) out(g, user, fp uintptr) {
	st.saved = append(st.saved, saved{depth: st.depth, user: st.user, top: st.top})
	st.depth, st.user = 0, user
	st.top = *field(g, 8) - fp
	st.toUser(g)
}

// OutFor is Out for a function that is called for another, who has released at addr and waits: what it does comes after
// that, and before who acquires addr once BackFor has returned. It is in no other order with anything else.
//
//go:norace
func OutFor(addr unsafe.Pointer) {
	if g, st := here(); st != nil {
		st.outFor(g, callerFP(), addr, addr)
	}
}

// OutAfter is OutFor for a function that is called because of another, who has released at addr and does not wait:
// what it does comes before nothing.
//
//go:norace
func OutAfter(addr unsafe.Pointer) {
	if g, st := here(); st != nil {
		st.outFor(g, callerFP(), addr, nil)
	}
}

//go:norace
func (st *state) outFor(g, fp uintptr, after, before unsafe.Pointer) {
	ctx := newCtx(0)
	acquire(ctx, after)
	st.out(g, ctx, fp)
	st.saved[len(st.saved)-1].before = before
}

// BackFor returns from OutFor and OutAfter, as soon as the function has: an other who goes on before that is ordered
// only by what the function has done.
//
//go:norace
func BackFor() {
	g, st := here()
	if st == nil {
		return
	}
	ctx := st.user
	if at := st.saved[len(st.saved)-1].before; at != nil {
		release(ctx, at)
	}
	st.back(g)
	end(ctx)
}

// ByUser reports whether the call of ours in which the caller is was made by the user's code.
//
//go:norace
func ByUser() bool {
	_, st := here()
	return st != nil && st.depth == 1 && st.user != 0
}

// Back returns from Out.
//
//go:norace
func Back() {
	if g, st := here(); st != nil {
		st.back(g)
	}
}

//go:norace
func (st *state) back(g uintptr) {
	last := len(st.saved) - 1
	s := st.saved[last]
	st.saved = st.saved[:last]
	switch {
	case st.depth > 0: // see Out
	case s.depth > 0:
		st.toKernel(g)
	default:
		*current(g) = s.user
	}
	st.depth, st.user, st.top = s.depth, s.user, s.top
}

// Tell makes all that our code knows happen before what the caller's user does next: for results that it has made, as
// errors, which the user will read. It hides races, so it is for what is rare.
//
//go:norace
func Tell() {
	if _, st := here(); st != nil && st.user != 0 && st.depth > 0 {
		st.tell()
	}
}

//go:norace
func (st *state) tell() {
	at := unsafe.Pointer(&st.depth)
	release(st.kernel, at)
	acquire(st.user, at)
}

// Fresh makes what our code has done to an object that it has made and hands to the user look as if nothing had been
// done to it.
//
//go:norace
func Fresh(addr unsafe.Pointer, size uintptr) {
	if racectxAt != 0 && size > 0 {
		call(mallocFn(), 0, 0, uintptr(addr)&^7, (uintptr(addr)&7+size+7)&^7)
	}
}

// Acquire makes what was released at addr happen before what the caller's user does next.
//
//go:norace
func Acquire(addr unsafe.Pointer) { User().Acquire(addr) }

// Release makes what the caller's user has done happen before who acquires addr.
//
//go:norace
func Release(addr unsafe.Pointer) { User().Release(addr) }

// ReleaseStore is Release that forgets what was released at addr before.
//
//go:norace
func ReleaseStore(addr unsafe.Pointer) {
	c := User()
	if c.p != 0 {
		releaseStore(c.p, addr)
	} else if racectxAt != 0 { // nobody: what was released before is forgotten
		ctx := newCtx(0)
		releaseStore(ctx, addr)
		end(ctx)
	}
}

// Read is an access of the user's to the word at addr.
//
//go:norace
func Read(addr unsafe.Pointer) {
	if c := User(); c.p != 0 {
		g := getg.Get()
		was := *current(g)
		*current(g) = c.p
		runtime.RaceRead(addr)
		*current(g) = was
	}
}

// Write is one that writes.
//
//go:norace
func Write(addr unsafe.Pointer) {
	if c := User(); c.p != 0 {
		g := getg.Get()
		was := *current(g)
		*current(g) = c.p
		runtime.RaceWrite(addr)
		*current(g) = was
	}
}

// Ctx is the context of a user who is in a call of ours, for another to state edges for it while it waits.
type Ctx struct{ p uintptr }

// User returns the caller's, which is in a call of ours.
//
//go:norace
func User() Ctx {
	if _, st := here(); st != nil {
		return Ctx{st.user}
	}
	return Ctx{}
}

// Word is a variable that only Read and Write touch.
type Word struct{ _ uintptr }

// Addr returns its address.
func (w *Word) Addr() unsafe.Pointer { return unsafe.Pointer(w) }

// Acquire is the function Acquire for c.
//
//go:norace
func (c Ctx) Acquire(addr unsafe.Pointer) {
	if c.p != 0 {
		acquire(c.p, addr)
	}
}

// Release is the function Release for c.
//
//go:norace
func (c Ctx) Release(addr unsafe.Pointer) {
	if c.p != 0 {
		release(c.p, addr)
	}
}

// ReleaseStore is the function ReleaseStore for c.
//
//go:norace
func (c Ctx) ReleaseStore(addr unsafe.Pointer) {
	if c.p != 0 {
		releaseStore(c.p, addr)
	}
}
