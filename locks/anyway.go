package locks

import (
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// How a task that is unwound in Cond.Wait gets the lock that its deferred calls will unlock. It is unwound again when nothing else can
// wake it; but whoever has the lock may be unwound at the same moment and unlock it then, or be a goroutine that takes its time. After
// anywayTries and anywayNS the lock is taken for lost. The runtime has no counterpart.

// How long such a task tries: so often, since much time may pass while nothing runs, and so long, since as many tries may be over in a
// moment. Less in a test.
var anywayTries, anywayNS atomic.Int64

func init() {
	anywayTries.Store(100)
	anywayNS.Store(int64(time.Second))
}

// tries counts what a task has tried in vain.
type tries struct {
	n     int64
	since int64
}

// again counts one more, and reports whether there is to be another.
func (t *tries) again() bool {
	now := sched.Self().Nanotime()
	if t.n == 0 {
		t.since = now
	}
	t.n++
	return t.n < anywayTries.Load() || now-t.since <= anywayNS.Load()
}

// lockAnyway locks m for a task that is being unwound and whose deferred calls will unlock it.
func (m *Mutex) lockAnyway() {
	var t tries
	for m.await(nil, sched.WaitReasonMutexLock) != got && t.again() {
	}
	if hb.On {
		hb.Acquire(m.word.Addr())
	}
}

// lockAnyway locks rw for who has waited in a Cond; false if it has been unwound since.
func (rw *RWMutex) lockAnyway() bool {
	var t tries
	for !rw.lockOnce() && t.again() {
	}
	if hb.On {
		rw.acquireBoth()
	}
	return t.n == 0
}

// lockOnce locks rw; false if the caller has been unwound meanwhile.
func (rw *RWMutex) lockOnce() bool {
	if !rw.w.tryTake() && rw.w.await(nil, sched.WaitReasonRWMutexLock) != got {
		return false
	}
	return !rw.announce() || rw.awaitWrite(sched.Self().Waiter()) == got
}

// rlockAnyway is lockAnyway for reading.
func (rw *RWMutex) rlockAnyway() bool {
	var t tries
	for !rw.rlockOnce() && t.again() {
	}
	if hb.On {
		hb.Acquire(rw.written.Addr())
	}
	return t.n == 0
}

func (rw *RWMutex) rlockOnce() bool {
	if rw.readers.Add(1) < 0 && rw.awaitRead(sched.Self().Waiter()) != got {
		return false
	}
	if sched.NotingHolders() {
		rw.reader.Set(sched.Self())
	}
	return true
}

// mostDeep bounds tries that lie on the stack one above the other. A task that waits in each of them is through with a second long before.
const mostDeep = 5_000

// lockForeign locks l, which may be anything. A task that is unwound in there does not come back: it goes on trying in a deferred call.
func lockForeign(l Locker, t *tries) {
	locked := false
	defer func() {
		if locked || !sched.Self().Unwound() {
			return
		}
		if v := recover(); v != nil { // no unwinding
			panic(v)
		}
		if t.again() && t.n < mostDeep {
			lockForeign(l, t)
		}
	}()
	outside(l.Lock)
	locked = true
}
