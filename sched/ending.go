package sched

import (
	"runtime"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rawlock"
)

// Waiting for a task's end, and lists of those who wait. The runtime has no counterpart: there nobody
// can wait for a goroutine as such.

// event is where any number of Gs, tasks and goroutines, wait for one thing, which happens once.
type event struct {
	done    atom.Uint32   // 1: it has happened
	lock    rawlock.Mutex // guards what follows, and what tell sets
	waiters waitList
}

// tell makes all waits end, those of now and those to come, after set, which says what has happened. Only the
// first tell counts.
func (e *event) tell(set func()) {
	e.lock.Lock()
	if e.done.Load() != 0 {
		e.lock.Unlock()
		return
	}
	set()
	e.done.Store(1)
	woken := e.waiters.claimAll()
	e.lock.Unlock()
	woken.ready()
}

// await waits for tell. False means that the caller is being unwound, and has to call runtime.Goexit.
func (e *event) await() bool {
	if hb.On {
		defer func() { hb.Acquire(e.happened()) }()
	}
	if e.done.Load() != 0 {
		return true
	}
	e.lock.Lock()
	if e.done.Load() != 0 {
		e.lock.Unlock()
		return true
	}
	gp := Self()
	e.waiters.add(gp)
	return e.waiters.park(gp, WaitReasonTaskWait, &e.lock)
}

// ending is the event of a task's end.
type ending struct {
	event
	how End
}

// TaskEnded implements Ender.
func (e *ending) TaskEnded(how End) {
	if hb.On {
		hb.Release(e.happened())
	}
	e.tell(func() { e.how = how })
}

// wait blocks until the task has ended and returns how. If the caller is unwound meanwhile, its task ends.
func (e *ending) wait() End {
	if !e.await() {
		runtime.Goexit()
	}
	return e.how
}

// err returns what a caller is told who waited for the task: nil if its function has returned.
func (e End) err() error {
	switch {
	case e.Panic != nil:
		return e.Panic
	case e.Dropped:
		return ErrClosed
	case e.Exited:
		return ErrExited
	}
	return nil
}

// waitList is a queue of waiting Gs, first in first out. The lock of whatever they wait for guards it. Almost
// always there is at most one, which needs no slice.
type waitList struct {
	one  *G
	more []*G // empty if one is nil, but for those behind an unwound one
}

func (l *waitList) add(gp *G) {
	if l.one == nil && len(l.more) == 0 {
		l.one = gp
	} else {
		l.more = append(l.more, gp)
	}
}

// park waits on l, to which the caller has added gp, its own, under lock; lock is released. False means that
// gp has been unwound, and is no longer in l.
func (l *waitList) park(gp *G, reason WaitReason, lock *rawlock.Mutex) bool {
	leave := gp.BeginPark(reason, lock)
	leave()
	if gp.EndPark() {
		return true
	}
	lock.Lock()
	l.remove(gp)
	lock.Unlock()
	return false
}

// remove takes gp out if it is still there.
func (l *waitList) remove(gp *G) {
	if l.one == gp {
		l.one = nil
		return
	}
	for i, g := range l.more {
		if g == gp {
			l.more = append(l.more[:i], l.more[i+1:]...)
			return
		}
	}
}

// claim takes the first G out that is not being unwound, and claims it; nil if there is none.
func (l *waitList) claim() *G {
	if gp := l.one; gp != nil {
		l.one = nil
		if gp.Claim() {
			return gp
		}
	}
	for len(l.more) > 0 {
		gp := l.more[0]
		l.more[0] = nil
		l.more = l.more[1:]
		if gp.Claim() {
			return gp
		}
	}
	return nil
}

// claimAll takes all Gs out and returns those that it has claimed, for ready.
func (l *waitList) claimAll() (won waitList) {
	for gp := l.claim(); gp != nil; gp = l.claim() {
		won.add(gp)
	}
	return won
}

// ready makes all runnable, which have been claimed, first in first out. Needs no lock.
func (l *waitList) ready() {
	if l.one != nil {
		l.one.Ready()
	}
	for _, gp := range l.more {
		gp.Ready()
	}
}
