package sched

import (
	"context"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/userrt/userrt/internal/callerpc"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rawlock"
)

// Structured concurrency: tasks that end before the call which made them returns. After Martin Sústrik
// ("Structured Concurrency", 2016) and Nathaniel J. Smith's nurseries; golang.org/x/sync/errgroup has the
// same calls without the promise. The runtime has no counterpart.

// Scope is a set of tasks that Scoped waits for.
//
//	open ---- fn has returned, no task is active ----> ended: Go panics
//
// The first failure, of fn or of a task, is kept and cancels the context; those after it are dropped.
type Scope struct {
	s      *Scheduler // of all its tasks
	ctx    context.Context
	cancel context.CancelCauseFunc

	lock   rawlock.Mutex // guards all below
	active int           // tasks that have not ended, and callers of Go that have been given the right to start one
	limit  int           // on active; negative: none
	ended  bool
	err    error       // the first failure
	panic  *PanicError // the same, if that was a panic
	slots  waitList    // who is blocked in Go, since active has reached limit
	owner  waitList    // who is in Scoped and waits for active to become 0
}

const endedText = "sched: Go on a Scope that has ended"

// Scoped calls fn with a new Scope and returns when fn and all tasks that were started by the Scope's
// Go have ended. They run on the caller's scheduler, on Default() if the caller is a plain goroutine.
//
// The first of them that fails decides how Scoped ends, and cancels the Scope's context, whose cause it then
// is, so that the others can end soon; later failures are dropped, panics too. If it returned an error,
// Scoped returns that. If it panicked, Scoped panics with the *PanicError, which holds the stack of
// the task that failed; Config.PanicHandler is not called for it. A task that ended by Exit or
// runtime.Goexit counts as ErrExited, one that its scheduler dropped when it closed as ErrClosed. If fn itself
// calls Goexit, that goes on in the caller when all tasks have ended. When ctx is cancelled so is the Scope's
// context; Scoped returns an error only if one of its functions does.
//
// If the caller's task is unwound because its scheduler closes, the context is cancelled, and Scoped waits
// until its tasks, which are unwound as well, have ended.
//
// It panics with "sched: Scoped of nil func".
func Scoped(ctx context.Context, fn func(*Scope) error) error {
	if fn == nil {
		panic("sched: Scoped of nil func")
	}
	sc := &Scope{s: Current(), limit: -1}
	sc.ctx, sc.cancel = context.WithCancelCause(ctx)
	sc.call(fn)
	return sc.err
}

// call runs fn and waits for the tasks. All of it is done in the deferred call: if a Goexit is under way, which
// can't be stopped, nothing would come back to do it.
func (sc *Scope) call(fn func(*Scope) error) {
	returned := false
	defer func() {
		if !returned {
			if v := recover(); v != nil {
				sc.fail(recovered(v), true)
			} else {
				sc.fail(exitError(), false)
			}
		}
		sc.wait()
		sc.cancel(nil)
		if sc.panic != nil {
			panic(sc.panic)
		}
	}()
	if err := fn(sc); err != nil {
		sc.fail(err, false)
	}
	returned = true
}

// exitError tells why a Goexit is under way in the caller.
func exitError() error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if gp := currentTask(); gp != nil && gp.unwound {
		return ErrClosed
	}
	return ErrExited
}

// fail keeps err if nothing has failed before, and cancels the context.
func (sc *Scope) fail(err error, panicked bool) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	sc.lock.Lock()
	first := sc.err == nil
	if first {
		sc.err = err
		if panicked {
			sc.panic = err.(*PanicError)
		}
	}
	sc.lock.Unlock()
	if first {
		cancel := sc.cancel // it runs what others have made of the context
		outside(func() { cancel(err) })
	}
}

// wait returns when no task is active, and the Scope has ended. An unwound caller waits a second time, since its
// tasks are being unwound as well; a third time would be in vain: nothing else in the scheduler can run.
func (sc *Scope) wait() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	for tries := 1; ; tries++ {
		sc.lock.Lock()
		if sc.active == 0 {
			break
		}
		gp := Self()
		sc.owner.add(gp)
		if sc.owner.park(gp, WaitReasonTaskWait, &sc.lock) {
			continue
		}
		sc.fail(ErrClosed, false)
		if tries > 1 {
			runtime.Goexit()
		}
		defer runtime.Goexit()
	}
	sc.ended = true
	late := sc.slots.claimAll() // a limit of 0 has kept them; they panic
	sc.lock.Unlock()
	late.ready()
	if Preempting() {
		GiveWay()
	}
	if hb.On {
		hb.Acquire(unsafe.Pointer(sc))
		hb.Fresh(unsafe.Pointer(sc), unsafe.Sizeof(*sc)) // Scoped reads how it ended
	}
}

// Context returns the Scope's context: a child of the one that Scoped was given, cancelled by the first
// failure and when Scoped returns.
func (sc *Scope) Context() context.Context { return sc.ctx }

// SetLimit bounds the number of the Scope's active tasks to n: Go then blocks until one has ended. With 0 it
// blocks until the Scope ends; a negative n, as at the start, is no bound. It panics with "sched: SetLimit while N
// tasks of the Scope are active".
func (sc *Scope) SetLimit(n int) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	sc.lock.Lock()
	active := sc.active
	if active == 0 {
		sc.limit = n
	}
	sc.lock.Unlock()
	if active > 0 {
		panic(fmt.Sprintf("sched: SetLimit while %d tasks of the Scope are active", active))
	}
}

// Go starts fn in a new task of the Scope, with the Scope's context. At the limit it blocks until
// another task has ended. It may be called by fn of Scoped, by the Scope's tasks and by others, as long as the
// Scope has not ended: then it panics with "sched: Go on a Scope that has ended". fn must not be nil ("sched:
// Go of nil func"). If the scheduler is closed, fn does not run, and the Scope fails with ErrClosed.
//
//go:noinline
func (sc *Scope) Go(fn func(ctx context.Context) error) {
	if fn == nil {
		panic(nilFuncText)
	}
	pc := callerpc.Get()
	sc.acquire()
	sc.start(fn, pc)
}

// TryGo is Go that does not block: at the limit it does nothing and returns false.
//
//go:noinline
func (sc *Scope) TryGo(fn func(ctx context.Context) error) bool {
	if fn == nil {
		panic(nilFuncText)
	}
	pc := callerpc.Get()
	ok := sc.tryAcquireLocking()
	if ok {
		sc.start(fn, pc)
	}
	return ok
}

// tryAcquireLocking is tryAcquire with the lock.
func (sc *Scope) tryAcquireLocking() bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	sc.lock.Lock()
	ok := sc.tryAcquire()
	sc.lock.Unlock()
	if hb.On && ok {
		sc.placed()
	}
	if !ok && Preempting() { // else start looks
		GiveWay()
	}
	return ok
}

// tryAcquire counts a task that is about to start, unless that is one too many. Needs sc.lock, which it
// releases before it panics.
func (sc *Scope) tryAcquire() bool {
	if sc.ended {
		sc.lock.Unlock()
		panic(endedText)
	}
	if sc.limit >= 0 && sc.active >= sc.limit {
		return false
	}
	sc.active++
	return true
}

// acquire is tryAcquire that waits.
func (sc *Scope) acquire() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	sc.lock.Lock()
	if hb.On {
		defer sc.placed()
	}
	if sc.tryAcquire() {
		sc.lock.Unlock()
		return
	}
	gp := Self()
	sc.slots.add(gp)
	if !sc.slots.park(gp, WaitReasonSemacquire, &sc.lock) {
		runtime.Goexit()
	}
	sc.lock.Lock()
	ended := sc.ended // else a task that has ended has left its place in active to us
	sc.lock.Unlock()
	if ended {
		panic(endedText)
	}
}

// release gives the place of a task that has ended to the first who waits for one, or tells the owner that it was
// the last.
func (sc *Scope) release() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	sc.lock.Lock()
	gp := sc.slots.claim()
	if gp == nil {
		if sc.active--; sc.active == 0 {
			gp = sc.owner.claim()
		}
	}
	sc.lock.Unlock()
	if gp != nil {
		gp.Ready()
	}
}

// start makes the task that acquire has counted.
func (sc *Scope) start(fn func(context.Context) error, pc uintptr) {
	t := &scopeTask{sc: sc, fn: fn}
	if !sc.s.spawn(t.run, t, pc, nil) {
		t.TaskEnded(End{Dropped: true})
	}
}

// scopeTask is one task of a Scope.
type scopeTask struct {
	sc  *Scope
	fn  func(context.Context) error
	err error
}

func (t *scopeTask) run() { t.err = t.fn(t.sc.ctx) }

func (*scopeTask) takesPanic() {}
func (*scopeTask) ours()       {}

// TaskEnded implements Ender.
func (t *scopeTask) TaskEnded(how End) {
	err := t.err
	if e := how.err(); e != nil {
		err = e
	}
	if err != nil {
		t.sc.fail(err, how.Panic != nil)
	}
	if hb.On {
		hb.Release(unsafe.Pointer(t.sc))
	}
	t.sc.release()
}
