package locks

import (
	"context"
	"runtime"
	"sync"

	"github.com/userrt/userrt/sched"
)

// RWMutex when somebody has to wait. The same in Go: sync/rwmutex.go, rUnlockSlow and the slow halves of the others. There
// the readers that a writer waits for are counted down; here they are what readers counts and does not wait, which stays true
// when a writer gives up:
//
//	readers + maxReaders - waiting    readers that hold the lock, or have not found out yet that they must wait
//
// The writer goes on when that is 0, and whoever makes it so looks for the writer: who unlocks, and who finds out.

// active is that number, while a writer has announced itself. Needs w.lock.
func (rw *RWMutex) active() int32 { return rw.readers.Load() + maxReaders - rw.waiting }

// claimWriter takes the writer out that waits for readers, if there are none any more, and gives it the lock; nil if it
// has to wait still, or nobody waits. Needs w.lock.
func (rw *RWMutex) claimWriter() *sched.Waiter {
	if rw.writer.Empty() || rw.active() != 0 {
		return nil
	}
	w := rw.writer.Claim()
	if w != nil {
		w.Given = true
	}
	return w
}

// ready makes w runnable, if there is one.
func ready(w *sched.Waiter) {
	if w != nil {
		w.G.Ready()
	}
}

// rlockSlow is RLock when a writer is there or something else is out of the ordinary. It begins anew, since whether the
// caller was counted before or after a writer's announcement can't be seen any more.
func (rw *RWMutex) rlockSlow() {
	rw.leave()
	giveWay()
	if rw.readers.Add(1) < 0 && rw.awaitRead(sched.Self().Waiter()) == unwound {
		runtime.Goexit()
	}
	if sched.NotingHolders() {
		rw.reader.Set(sched.Self())
	}
}

func (rw *RWMutex) rlockContext(ctx context.Context) error {
	w, stop := waiterOrEnded(ctx, &rw.w.lock)
	r := rw.awaitRead(w)
	stop()
	return r.err(ctx)
}

// awaitRead waits for a writer's Unlock; the caller, a reader, has been counted. If it comes to nothing it is no longer.
func (rw *RWMutex) awaitRead(w *sched.Waiter) result {
	rw.w.lock.Lock()
	if rw.readers.Load() >= 0 { // the writer has left, or given up, since
		rw.w.lock.Unlock()
		return got
	}
	rw.waiting++
	writer := rw.claimWriter()
	if w.Cancelled {
		rw.noReader()
		rw.w.lock.Unlock()
		ready(writer)
		return gaveUp
	}
	w.Given = false
	rw.queue.PushBack(w)
	ready(writer) // it may want the lock that we hold, for as long as it takes us to leave
	leave := w.G.BeginPark(sched.WaitReasonRWMutexRLock, &rw.w.lock)
	leave()
	alive := w.G.EndPark()
	switch {
	case !alive:
		rw.w.lock.Lock()
		if w.Remove() { // else admit has found it in vain
			rw.noReader()
		}
		rw.w.lock.Unlock()
		return unwound
	case w.Given:
		return got
	}
	rw.w.lock.Lock()
	rw.noReader()
	rw.w.lock.Unlock()
	return gaveUp
}

// noReader takes one off that waits. Needs w.lock.
func (rw *RWMutex) noReader() {
	rw.waiting--
	rw.readers.Add(-1)
}

// leave takes off a reader that has been counted.
func (rw *RWMutex) leave() {
	if rw.readers.Add(-1) < 0 {
		rw.wakeWriter()
	}
}

// wakeWriter lets the announced writer go on, if it waits and need not any more.
func (rw *RWMutex) wakeWriter() {
	rw.w.lock.Lock()
	writer := rw.claimWriter()
	rw.w.lock.Unlock()
	ready(writer)
}

// runlockSlow is the rest of RUnlock, which has taken the reader off; n are left. Not those of this moment: who comes in between
// would hide an RUnlock too many.
func (rw *RWMutex) runlockSlow(n int32) {
	if n == -1 || n == -maxReaders-1 {
		if !sched.Self().Unwound() { // see (*Mutex).notLocked
			new(sync.RWMutex).RUnlock()
		}
		rw.readers.Add(1)
		return
	}
	if rw.reader.Owner() != 0 {
		rw.reader.ClearIf(sched.Self())
	}
	if n < 0 { // a writer that announces itself later counts right by itself
		rw.wakeWriter()
	}
	giveWay()
}

// lockSlow waits for readers, after announce.
func (rw *RWMutex) lockSlow() {
	if rw.awaitWrite(sched.Self().Waiter()) == unwound {
		runtime.Goexit()
	}
}

func (rw *RWMutex) lockContext(ctx context.Context) error {
	w, stop := waiterOrEnded(ctx, &rw.w.lock)
	r := rw.awaitWrite(w)
	stop()
	return r.err(ctx)
}

// awaitWrite waits for the readers that hold the lock. If it comes to nothing the announcement is taken back.
func (rw *RWMutex) awaitWrite(w *sched.Waiter) result {
	rw.w.lock.Lock()
	if rw.active() == 0 {
		rw.w.lock.Unlock()
		return got
	}
	if w.Cancelled {
		rw.w.lock.Unlock()
		rw.unlock()
		return gaveUp
	}
	w.Given = false
	rw.writer.PushBack(w)
	rw.stalled.Store(true)
	leave := w.G.BeginPark(sched.WaitReasonRWMutexLock, &rw.w.lock)
	leave()
	alive := w.G.EndPark()
	rw.stalled.Store(false) // nobody else has announced himself: w is ours
	switch {
	case !alive:
		rw.w.lock.Lock()
		w.Remove()
		rw.w.lock.Unlock()
		rw.unlock()
		return unwound
	case w.Given:
		return got
	}
	rw.unlock()
	return gaveUp
}

// admit lets all readers in that wait, after a writer has left. Those that have not said yet that they wait find out.
func (rw *RWMutex) admit() {
	rw.w.lock.Lock()
	won, lost := rw.queue.ClaimAll()
	n := int32(lost)
	for w := won.First(); w != nil; w = w.Next() {
		w.Given = true
		n++
	}
	rw.waiting -= n
	if lost > 0 {
		rw.readers.Add(-int32(lost)) // being unwound
	}
	rw.w.lock.Unlock()
	won.ReadyAll()
}

// notLocked raises sync's own error for an Unlock without a Lock; see (*Mutex).notLocked.
func (rw *RWMutex) notLocked() {
	if !sched.Self().Unwound() {
		new(sync.RWMutex).Unlock()
	}
	rw.readers.Add(-maxReaders)
	rw.wakeWriter() // one that came in between may have counted wrong
}
