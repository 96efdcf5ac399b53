// Package rawlock is the lock inside the scheduler and the channels: eight bytes, short critical
// sections, and no tie to the stack that took it. A channel's lock is taken by a task and released,
// after the task has left its stack, by whichever stack goes on.
//
// Lock is one compare-and-swap, Unlock a plain store and a load: free the lock, then look whether
// somebody sleeps. Who is about to sleep says so, then looks at the lock. That these two cannot miss
// each other takes a fence between store and load on both sides; it is all on the sleeper's (package
// fence), which makes an uncontended Unlock 6 ns cheaper than one by an atomic swap.
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

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/fence"
	"github.com/userrt/userrt/internal/futex"
	"github.com/userrt/userrt/internal/procyield"
)

const (
	free = 0
	held = 1
)

// How long to spin before the sleep: rounds of pauses, twice as many each time but at most maxPauses, with a look at the word after
// each. A sleep with its fence and its wake-up costs the two threads 10 µs and more, so spinning costs little against it. And it
// is how often one looks that counts: of a lock that is held for half of the time four looks find nothing but the
// held one every 16th time.
const (
	spinNS    = 12_000
	maxPauses = 16
)

// unfencedNS is how long a sleep lasts at most before package fence is ready: an Unlock may then, if the
// processor puts off its store until after its load, miss somebody who is about to sleep.
const unfencedNS = 1_000_000

// rounds is how many rounds take spinNS, or 0 where nobody could release the lock meanwhile. A pause takes 1 to 45 ns, depending on the
// processor.
var rounds = func() int {
	if runtime.NumCPU() == 1 {
		return 0
	}
	took := int64(spinNS)
	for range 3 { // the shortest is the one that nobody has interrupted
		start := clock.Nanotime()
		procyield.Pause(maxPauses)
		took = min(took, clock.Nanotime()-start)
	}
	return int(spinNS / max(took, minRoundNS))
}()

// minRoundNS keeps rounds within bounds where the clock is too coarse to see one.
const minRoundNS = 12

// Mutex is a mutual exclusion lock. The zero value is free. It is not recursive and not fair, and must
// not be copied after its first use. Unlock happens before the next Lock that succeeds.
//
// Invariant: whoever sleeps saw asleep at 1, and since then nobody has cleared it without waking one. Who
// comes out of a sleep cannot know whether it was the last sleeper, so it sets asleep again before it
// tries the lock: one wake-up too many at times, none too few (Ulrich Drepper, "Futexes are tricky",
// mutex 2, whose third state this word is). Until then no Unlock makes a system call, however long
// the woken thread waits for a processor.
type Mutex struct {
	state  atom.Uint32 // free or held
	asleep uint32      // 1: somebody may sleep on this word. Atomic; with an atom.Uint32 Unlock would not be inlined
}

// sleeping counts the threads that sleep in a Lock, or have just been woken there.
var sleeping atomic.Int32

// Sleeping reports whether any thread sleeps in Lock. To the native scheduler such a goroutine is in a system
// call, like one that waits for the network for hours.
func Sleeping() bool { return sleeping.Load() > 0 }

// Lock takes m; it blocks the calling thread, not its task, while another holds it.
func (m *Mutex) Lock() {
	if !m.state.CompareAndSwap(free, held) {
		m.lockSlow()
	}
}

// TryLock takes m if it is free and reports whether it did. It does not block.
func (m *Mutex) TryLock() bool { return m.state.CompareAndSwap(free, held) }

// Unlock releases m, which must be held, by whomever. It does not block.
func (m *Mutex) Unlock() {
	if fence.Exists {
		m.state.StoreRel(free)
	} else {
		m.state.Store(free)
	}
	if atomic.LoadUint32(&m.asleep) != 0 {
		m.wake()
	}
}

// The slow parts stay out of line, so that the fast ones are small enough to be inlined.

//go:noinline
func (m *Mutex) lockSlow() {
	if m.spin() {
		return
	}
	sleeping.Add(1)
	defer sleeping.Add(-1)
	for {
		atomic.StoreUint32(&m.asleep, 1)
		timeout := int64(-1)
		if fence.Exists && !fence.Heavy() {
			timeout = unfencedNS
		}
		if m.TryLock() {
			return
		}
		futex.Wait(&m.asleep, 1, timeout)
	}
}

// spin tries to take m for spinNS.
func (m *Mutex) spin() bool {
	pauses := uint32(1)
	for range rounds {
		procyield.Pause(pauses)
		pauses = min(2*pauses, maxPauses)
		if m.state.Load() == free && m.TryLock() {
			return true
		}
	}
	return false
}

// wake wakes one sleeper, who competes for the lock with everybody else.
//
//go:noinline
func (m *Mutex) wake() {
	if atomic.SwapUint32(&m.asleep, 0) != 0 {
		futex.Wake(&m.asleep, 1)
	}
}
