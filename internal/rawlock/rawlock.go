// Package rawlock is the lock inside the scheduler and the channels: four bytes, short critical
// sections, and no tie to the stack that took it. A channel's lock is taken by a task and released,
// after the task has left its stack, by whichever stack goes on.
//
// The word has three states: free, held, and held while others may sleep. Only the last one costs its
// holder a system call at Unlock (Ulrich Drepper, "Futexes are tricky", mutex 2). Who comes out of a
// sleep cannot know whether it was the last sleeper, so it takes the lock as contended: one
// wake-up too many at times, none too few.
//
// Who finds the lock held spins a little, then sleeps. It does not call runtime.Gosched in between as
// the runtime's lock yields its thread: callers are wired to their threads, and there such a
// call costs 33 µs.
//
// The same in Go: runtime/lock_spinbit.go, lock2, unlock2; they also keep the sleepers in a list.
package rawlock

import (
	"runtime"
	"sync/atomic"

	"github.com/userrt/userrt/internal/futex"
	"github.com/userrt/userrt/internal/procyield"
)

const (
	free      = 0 // nobody holds it
	held      = 1 // held, and nobody sleeps
	contended = 2 // held, and somebody may sleep
)

// How long to spin before the sleep: rounds of pauses, with a look at the word after each. A pause is
// 5 to 45 ns, so it is a few microseconds in all, about what a sleep and a wake-up cost.
const (
	spinRounds = 4
	spinPauses = 30
)

// rounds is spinRounds, or 0 where nobody could release the lock meanwhile.
var rounds = func() int {
	if runtime.NumCPU() == 1 {
		return 0
	}
	return spinRounds
}()

// Mutex is a mutual exclusion lock. The zero value is free. It is not recursive and not fair, and must
// not be copied after its first use. Unlock happens before the next Lock that succeeds.
type Mutex struct {
	state uint32 // free, held or contended
}

// Lock takes m; it blocks the calling thread, not its task, while another holds it.
func (m *Mutex) Lock() {
	if !atomic.CompareAndSwapUint32(&m.state, free, held) {
		m.lockSlow()
	}
}

// TryLock takes m if it is free and reports whether it did. It does not block.
func (m *Mutex) TryLock() bool {
	return atomic.CompareAndSwapUint32(&m.state, free, held)
}

// Unlock releases m, which any goroutine on any thread may do. It panics when m is free. It does not
// block.
func (m *Mutex) Unlock() {
	if old := atomic.SwapUint32(&m.state, free); old != held {
		m.unlockSlow(old)
	}
}

// The slow halves stay out of line, so that the fast ones are small enough to be inlined.
//
//go:noinline
func (m *Mutex) lockSlow() {
	for range rounds {
		procyield.Pause(spinPauses)
		if atomic.LoadUint32(&m.state) == free && m.TryLock() {
			return
		}
	}
	// From here on contended is the only state we write: it makes the holder wake us, whoever that is
	// by then.
	for atomic.SwapUint32(&m.state, contended) != free {
		futex.Wait(&m.state, contended, -1)
	}
}

//go:noinline
func (m *Mutex) unlockSlow(old uint32) {
	if old == free {
		panic("rawlock: unlock of unlocked Mutex")
	}
	futex.Wake(&m.state, 1)
}
