package locks

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/marks"
	"github.com/userrt/userrt/internal/nocopy"
	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/sched"
)

// Locker is sync.Locker.
type Locker = sync.Locker

// Mutex is a mutual exclusion lock whose waiters are parked tasks. The zero value is unlocked; it must not be copied
// after its first use, which go vet sees. The same in Go: internal/sync/mutex.go.
//
// It belongs to no task: one may lock it and another one unlock it. The n-th Unlock happens before the m-th Lock returns,
// for n < m, and a TryLock that succeeds counts as a Lock.
//
// # Two modes
//
// Usually a lock that is free goes to whoever comes first, and a waiter that has been woken competes with those who are
// running already, and mostly loses, so that the lock is rarely idle while it is on its way to a processor. Now and then a task that finds
// the lock free, with such a waiter awake, lets others on its P run first (sync.Mutex does not). A waiter that
// has lost, and has waited for more than 1 ms in all, makes the lock a starving one: now each Unlock hands it to
// the one who has waited longest, and newcomers queue up behind. The mode ends with a waiter that has waited for less
// than 1 ms, or that is the last one, or that began to wait when the mode had begun, and so has lost against nobody.
// (sync.Mutex lacks the last rule. With a thousand tasks, which take longer than 1 ms to pass the lock once round, it would never end.)
type Mutex struct {
	_ nocopy.NoCopy

	word hb.Word // for the race detector: where the edges are stated, and what an overwriting would race with

	state  atom.Int32   // see below
	calm   bool         // Unlock may do without a locked instruction; see calm.go
	held   bool         // calm, as the holder found it
	quiet  uint16       // Unlocks since somebody had to wait
	holder sched.Holder // who has taken it, if state says noted

	lock    rawlock.Mutex // guards what follows, and the bits waiting and starving
	queue   sched.WaitQueue
	starved int64 // when the mode starving began last, on the scheduler's clock
}

// The bits of Mutex.state.
//
//	locked    somebody has it
//	woken     somebody is awake who wants it, a waiter on its way or a spinning newcomer: Unlock need not wake another
//	starving  with locked: the next Unlock hands it over. Without: an Unlock is about to, nobody else may take it
//	noted     holder tells who took it last. Left standing by Unlock; the next one to take it finds that out
//	waiting   the queue is not empty, or was not a moment ago
//
// A waiter queues up under lock and only while the word says locked or starving, so there is an Unlock yet to come, and
// that one takes lock before it gives up on finding somebody. waiting and starving are set under lock, and cleared there
// by whoever empties the queue; locked and woken come and go by compare-and-swap, but that Unlock subtracts locked, or
// stores 0 if the lock is calm (calm.go). locked is the highest bit that is used, so an Unlock too many makes the word negative, which it never is otherwise.
const (
	woken = 1 << iota
	starving
	noted
	waiting
	locked = 1 << 30
)

// Lock locks m. It blocks while another holds it.
//
//go:norace
func (m *Mutex) Lock() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Read(m.word.Addr())
	}
	if !atomic.CompareAndSwapInt32((*int32)(&m.state), int32(marks.Free), locked) {
		m.lockSlow()
		return
	}
	if calms {
		m.held = atomic.LoadUint32((*uint32)(unsafe.Pointer(&m.calm)))&1 != 0 // hold, whose name is beyond the budget
	}
	if hb.On {
		hb.Acquire(m.word.Addr())
	}
}

// TryLock locks m if it is free, and reports whether it did.
func (m *Mutex) TryLock() bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Read(m.word.Addr())
	}
	giveWay()
	if !m.tryTake() {
		return false
	}
	if hb.On {
		hb.Acquire(m.word.Addr())
	}
	return true
}

// takeFree is the first line of Lock: it takes m if that takes no more than the instruction.
//
//go:norace
func (m *Mutex) takeFree() bool {
	if !m.state.CompareAndSwap(marks.Free.Load(), locked) {
		return false
	}
	m.hold()
	return true
}

// tryTake is TryLock, but for the race detector.
func (m *Mutex) tryTake() bool {
	for {
		old := m.state.Load()
		if old&(locked|starving) == 0 && m.take(old, 0) {
			return true
		}
		if !m.stirToSee() {
			return false
		}
	}
}

// LockContext is Lock that gives up when ctx ends, and then returns ctx.Err(). If it need not wait it does not look at ctx;
// if it returns nil the caller has the lock, also when ctx has ended meanwhile.
func (m *Mutex) LockContext(ctx context.Context) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Read(m.word.Addr())
	}
	giveWay()
	if !m.tryTake() {
		if err := m.lockContext(ctx, sched.WaitReasonMutexLock); err != nil {
			return err
		}
	}
	if hb.On {
		hb.Acquire(m.word.Addr())
	}
	return nil
}

// Unlock unlocks m, which any task or goroutine may have locked. If it is not locked that is a fatal error, as with
// sync.Mutex: the process ends. Of two calls at the same moment that may go unnoticed.
//
//go:norace
func (m *Mutex) Unlock() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Read(m.word.Addr())
		hb.ReleaseStore(m.word.Addr())
	}
	if calms {
		held := m.held
		if held {
			m.held = false
			m.state = 0
			if m.calm {
				return
			}
		}
		m.unlockSlow(held)
	} else if m.state.Add(-locked) != 0 {
		m.unlockWaited()
	}
}

// unlock is Unlock, but for the race detector.
func (m *Mutex) unlock() {
	if held, done := m.unlockCalm(); !done {
		m.unlockSlow(held)
	}
}

//go:noinline
func (m *Mutex) lockSlow() {
	m.lockFor(sched.WaitReasonMutexLock)
	if hb.On {
		hb.Acquire(m.word.Addr())
	}
}

// lockFor is lockSlow where a dump is to call the wait why.
func (m *Mutex) lockFor(why sched.WaitReason) {
	giveWay()
	if m.await(nil, why) == unwound {
		runtime.Goexit()
	}
}

// giveWay lets others go first if the task is asked to. What takes a lock calls it before: with the lock, all others that want it would
// wait for the task's next turn. What takes none ends with it. Unlock is spared a look.
func giveWay() {
	if sched.Preempting() {
		sched.GiveWay()
	}
}
