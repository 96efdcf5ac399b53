package locks

import (
	"fmt"
	"unsafe"

	"github.com/userrt/userrt/sched"
)

// What dumps and deadlock errors tell of a lock on which a task waits, and who holds it. Words are read while they change.

func init() {
	sched.DescribeWaits(describeMutex, sched.WaitReasonMutexLock)
	sched.DescribeWaits(describeRead, sched.WaitReasonRWMutexRLock)
	sched.DescribeWaits(describeWrite, sched.WaitReasonRWMutexLock)
	sched.DescribeWaits(describeCond, sched.WaitReasonCondWait)
}

// semaphoreWait is a reason of our own, since others wait with WaitReasonSemacquire too.
var semaphoreWait = sched.NewWaitReason("semacquire", describeSemaphore)

func describeMutex(lock unsafe.Pointer) (what string, owner uint64) {
	m := (*Mutex)(unsafe.Add(lock, -int(unsafe.Offsetof(Mutex{}.lock))))
	state := m.state.Load()
	return fmt.Sprintf("Mutex %p%s", m, stateText(state)), m.owner(state)
}

// owner is who holds m, where that is noted.
func (m *Mutex) owner(state int32) uint64 {
	if state&(locked|noted) == locked|noted {
		return m.holder.Owner()
	}
	return 0
}

func stateText(state int32) string {
	switch {
	case state&starving != 0:
		return " locked, starving"
	case state&locked != 0:
		return " locked"
	}
	return ""
}

func rwmutexOf(lock unsafe.Pointer) *RWMutex {
	return (*RWMutex)(unsafe.Add(lock, -int(unsafe.Offsetof(RWMutex{}.w)+unsafe.Offsetof(Mutex{}.lock))))
}

// describeRead tells a reader's wait, for the writer.
func describeRead(lock unsafe.Pointer) (what string, owner uint64) {
	rw := rwmutexOf(lock)
	return rw.describe(), rw.w.owner(rw.w.state.Load())
}

// describeWrite tells a writer's wait. While readers have the lock it is they that all writers wait for in the end, the announced
// one and those behind; one of them is known, if it has not left.
func describeWrite(lock unsafe.Pointer) (what string, owner uint64) {
	rw := rwmutexOf(lock)
	if rw.stalled.Load() {
		return rw.describe(), rw.reader.Owner()
	}
	return rw.describe(), rw.w.owner(rw.w.state.Load())
}

func (rw *RWMutex) describe() string {
	n := rw.readers.Load()
	if n < 0 {
		return fmt.Sprintf("RWMutex %p with a writer, %d readers inside or waiting", rw, n+maxReaders)
	}
	return fmt.Sprintf("RWMutex %p with %d readers", rw, n)
}

func describeCond(lock unsafe.Pointer) (what string, owner uint64) {
	return fmt.Sprintf("Cond %p", unsafe.Add(lock, -int(unsafe.Offsetof(Cond{}.lock)))), 0
}

func describeSemaphore(lock unsafe.Pointer) (what string, owner uint64) {
	s := (*Semaphore)(unsafe.Add(lock, -int(unsafe.Offsetof(Semaphore{}.lock))))
	return fmt.Sprintf("Semaphore %p size %d taken %d", s, s.size, s.cur.Load()), 0
}
