package locks

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestLocksGiveWay: a task that does nothing but lock and unlock gives way when its time slice is over.
func TestLocksGiveWay(t *testing.T) {
	var m, taken Mutex
	taken.Lock()
	var rw, takenRW RWMutex
	takenRW.Lock()
	sem, none := NewSemaphore(1), NewSemaphore(0)
	released := NewSemaphore(1 << 60)
	released.cur.Store(1 << 60)
	cond := NewCond(&m)
	testsched.GivesWay(t, map[string]func(){
		"Mutex.Lock":              func() { m.Lock(); m.Unlock() }, //lint:ignore SA2001 it is what is tested
		"Mutex.TryLock":           func() { _ = m.TryLock(); m.Unlock() },
		"Mutex.TryLock, taken":    func() { _ = taken.TryLock() },
		"Mutex.LockContext":       func() { _ = m.LockContext(background); m.Unlock() },
		"RWMutex.Lock":            func() { rw.Lock(); rw.Unlock() },   //lint:ignore SA2001 it is what is tested
		"RWMutex.RLock":           func() { rw.RLock(); rw.RUnlock() }, //lint:ignore SA2001 it is what is tested
		"RWMutex.TryLock":         func() { _ = rw.TryLock(); rw.Unlock() },
		"RWMutex.TryLock, taken":  func() { _ = takenRW.TryLock() },
		"RWMutex.TryRLock":        func() { _ = rw.TryRLock(); rw.RUnlock() },
		"RWMutex.TryRLock, taken": func() { _ = takenRW.TryRLock() },
		"RWMutex.LockContext":     func() { _ = rw.LockContext(background); rw.Unlock() },
		"RWMutex.RLockContext":    func() { _ = rw.RLockContext(background); rw.RUnlock() },
		"Semaphore.Acquire":       func() { _ = sem.Acquire(background, 1); sem.Release(1) },
		"Semaphore.TryAcquire":    func() { _ = none.TryAcquire(1) },
		"Semaphore.Release":       func() { released.Release(1) },
		"Cond.Signal":             cond.Signal,
		"Cond.Broadcast":          cond.Broadcast,
	}, map[string]string{
		"they wait":                      "Cond.Wait Cond.WaitContext",
		"the lock's other half looks":    "Mutex.Unlock RWMutex.Unlock RWMutex.RUnlock",
		"once done they are a load":      "Once.Do OnceFunc OnceValue OnceValues",
		"they only make or hand out one": "NewCond NewSemaphore RWMutex.RLocker",
	})
}

// TestTryLockGivesWayBeforeItLocks: when the others have their turn the lock is free for them.
func TestTryLockGivesWayBeforeItLocks(t *testing.T) {
	var m Mutex
	var rw RWMutex
	sem := NewSemaphore(1)
	for name, l := range map[string]struct {
		try    func() bool
		unlock func()
		free   func() bool
	}{
		"Mutex":            {m.TryLock, m.Unlock, func() bool { return m.state.Load()&locked == 0 }},
		"RWMutex, writing": {rw.TryLock, rw.Unlock, func() bool { return rw.readers.Load() == 0 }},
		"RWMutex, reading": {rw.TryRLock, rw.RUnlock, func() bool { return rw.readers.Load() == 0 }},
		"Semaphore":        {func() bool { return sem.TryAcquire(1) }, func() { sem.Release(1) }, func() bool { return sem.cur.Load() == 0 }},
	} {
		s, err := sched.New(sched.Config{Procs: 1, Tunables: sched.Tunables{NoRelief: true, TimeSlice: time.Millisecond}})
		require.NoError(t, err)
		var ran, free atomic.Int32
		testsched.Within(t, func() {
			require.NoError(t, s.Run(func() {
				for turn := range int32(5) {
					sched.Go(func() {
						if l.free() {
							free.Add(1)
						}
						ran.Add(1)
					})
					for ran.Load() == turn {
						if l.try() {
							l.unlock()
						}
					}
				}
			}))
		})
		require.Equal(t, ran.Load(), free.Load(), name)
		testsched.Close(t, s)
	}
}
