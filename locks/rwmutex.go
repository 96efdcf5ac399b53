package locks

import (
	"context"
	"sync/atomic"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/marks"
	"github.com/userrt/userrt/internal/nocopy"
	"github.com/userrt/userrt/sched"
)

// RWMutex is a lock that any number of readers may hold, or one writer. The zero value is unlocked; it must not be copied
// after its first use, which go vet sees. The same in Go: sync/rwmutex.go.
//
// Writers come first: once one waits in Lock, readers that come later wait until it has had the lock. So a task that holds
// the lock for reading must not call RLock again: a writer that has come in between waits for the first RUnlock, and the
// second RLock for the writer, for ever. Nor can a reader become a writer by Lock, or a writer a reader by RLock. After
// an Unlock the readers that wait have the lock before the next writer.
//
// The n-th Unlock happens before the return of the RLock that it lets in, and before the m-th Lock returns, n < m; an RUnlock
// happens before the next Lock returns.
type RWMutex struct {
	_ nocopy.NoCopy

	written, read hb.Word // for the race detector: where writers and readers state their edges

	// readers is the number of readers that hold the lock or wait for it, less maxReaders while a writer has announced
	// itself or holds it. From an announcement on those who come know that they have to wait.
	readers number
	reader  sched.Holder // one of those that hold it, where that is noted

	// w is held by the writer that waits for readers or has the lock; the others wait for it in turn.
	// Its lock guards what follows; so the address of a wait for the RWMutex is always that of this lock.
	w       Mutex
	queue   sched.WaitQueue // readers that wait
	waiting int32           // how many of those that readers counts have said that they wait; their places in queue may be gone already
	writer  sched.WaitQueue // the announced writer, while it waits for readers
	stalled atomic.Bool     // for a dump: it does
}

const maxReaders = 1 << 30

// number is atomic.Int32, but that it can be had without a method: RUnlock is inlined only so.
type number int32

// Load is an acquire load.
func (x *number) Load() int32 { return atomic.LoadInt32((*int32)(x)) }

// Add returns the new value and is a full barrier.
func (x *number) Add(d int32) int32 { return atomic.AddInt32((*int32)(x), d) }

// CompareAndSwap is a full barrier when it succeeds.
func (x *number) CompareAndSwap(old, new int32) bool {
	return atomic.CompareAndSwapInt32((*int32)(x), old, new)
}

// RLock locks rw for reading. It blocks while a writer holds it or waits for it.
func (rw *RWMutex) RLock() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Read(rw.read.Addr())
	}
	if rw.readers.Add(1)|marks.Free.Load() < 0 {
		rw.rlockSlow()
	}
	if hb.On {
		hb.Acquire(rw.written.Addr())
	}
}

// TryRLock locks rw for reading if no writer holds it or waits for it, and reports whether it did.
func (rw *RWMutex) TryRLock() bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Read(rw.read.Addr())
	}
	giveWay()
	for {
		n := rw.readers.Load()
		if n < 0 {
			return false
		}
		if rw.readers.CompareAndSwap(n, n+1) {
			break
		}
	}
	if sched.NotingHolders() {
		rw.reader.Set(sched.Self())
	}
	if hb.On {
		hb.Acquire(rw.written.Addr())
	}
	return true
}

// RLockContext is RLock that gives up when ctx ends, and then returns ctx.Err(). If it need not wait it does not look at
// ctx; if it returns nil the caller has the lock, also when ctx has ended meanwhile.
func (rw *RWMutex) RLockContext(ctx context.Context) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Read(rw.read.Addr())
	}
	giveWay()
	if rw.readers.Add(1) < 0 {
		if err := rw.rlockContext(ctx); err != nil {
			return err
		}
	}
	if sched.NotingHolders() {
		rw.reader.Set(sched.Self())
	}
	if hb.On {
		hb.Acquire(rw.written.Addr())
	}
	return nil
}

// RUnlock undoes one RLock, of whomever. If rw is not locked for reading that is a fatal error, as with sync.RWMutex: the
// process ends.
func (rw *RWMutex) RUnlock() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Read(rw.read.Addr())
		hb.Release(rw.read.Addr())
	}
	if n := atomic.AddInt32((*int32)(&rw.readers), -1); n|marks.Free.Load() < 0 {
		rw.runlockSlow(n)
	}
}

// Lock locks rw for writing. It blocks while anybody else holds it.
func (rw *RWMutex) Lock() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Read(rw.read.Addr())
	}
	if !rw.w.takeFree() {
		rw.w.lockFor(sched.WaitReasonRWMutexLock)
	}
	if rw.announce() {
		rw.lockSlow()
	}
	if hb.On {
		rw.acquireBoth()
	}
}

// TryLock locks rw for writing if nobody holds it or waits for it, and reports whether it did.
func (rw *RWMutex) TryLock() bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Read(rw.read.Addr())
	}
	giveWay()
	if !rw.w.tryTake() {
		return false
	}
	if !rw.readers.CompareAndSwap(0, -maxReaders) {
		rw.w.unlock()
		return false
	}
	if hb.On {
		rw.acquireBoth()
	}
	return true
}

// LockContext is Lock that gives up when ctx ends, and then returns ctx.Err(); readers that waited for this writer go
// on. If it need not wait it does not look at ctx; if it returns nil the caller has the lock, also when ctx has ended
// meanwhile.
func (rw *RWMutex) LockContext(ctx context.Context) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Read(rw.read.Addr())
	}
	giveWay()
	if !rw.w.tryTake() {
		if err := rw.w.lockContext(ctx, sched.WaitReasonRWMutexLock); err != nil {
			return err
		}
	}
	if rw.announce() {
		if err := rw.lockContext(ctx); err != nil {
			return err
		}
	}
	if hb.On {
		rw.acquireBoth()
	}
	return nil
}

// Unlock undoes Lock. If rw is not locked for writing that is a fatal error, as with sync.RWMutex: the process ends.
func (rw *RWMutex) Unlock() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Read(rw.read.Addr())
		hb.ReleaseStore(rw.written.Addr())
	}
	rw.unlock()
}

// unlock is Unlock, but for the race detector.
func (rw *RWMutex) unlock() {
	n := rw.readers.Add(maxReaders)
	if n >= maxReaders {
		rw.notLocked()
		return
	}
	if n != 0 {
		rw.admit()
	}
	rw.w.unlock()
}

// announce tells readers that the caller, who holds w, wants to write, and reports whether some still hold the lock, or
// may do so.
func (rw *RWMutex) announce() bool { return rw.readers.Add(-maxReaders) != -maxReaders }

func (rw *RWMutex) acquireBoth() {
	hb.Acquire(rw.written.Addr())
	hb.Acquire(rw.read.Addr())
}

// RLocker returns a Locker whose Lock and Unlock are RLock and RUnlock of rw.
func (rw *RWMutex) RLocker() Locker { return (*rlocker)(rw) }

type rlocker RWMutex

// Lock implements Locker.
func (r *rlocker) Lock() { (*RWMutex)(r).RLock() }

// Unlock implements Locker.
func (r *rlocker) Unlock() { (*RWMutex)(r).RUnlock() }
