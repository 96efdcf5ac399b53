//go:build !linux || userrt_nofutex

// Wait and Wake for systems without a futex that we use: sleepers stand in queues, found by a hash of
// the address.
//
// No lost wake-up: Wait looks at the word and joins its queue in one critical section, and Wake takes
// the same lock after its caller has changed the word. Either Wake's section comes first, then Wait
// sees the changed word and does not sleep; or Wait's does, then Wake finds it in the queue.
//
// A sleeper blocks on a sync.Mutex of its own that is locked already; who takes it out of the queue
// unlocks it, once. A mutex and not a channel, because sleepers are pooled: a channel made inside a
// testing/synctest bubble ends the process when it is used outside of that bubble.
//
// The same in Go: runtime/sema.go, semTable, for the queues; runtime/os_darwin.go, semasleep, for the
// sleep.

package futex

import (
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/userrt/userrt/internal/syswait"
)

// Kernel tells that sleeps are the kernel's; elsewhere one with a limit allocates a timer.
const Kernel = false

// numBuckets is a prime, like the size of the runtime's own table, so that addresses which lie a power
// of two apart spread.
const numBuckets = 251

// bucket is a FIFO queue of sleepers for all addresses with one hash.
type bucket struct {
	mu         sync.Mutex
	head, tail *sleeper // guarded by mu
	_          [64]byte // no two locks on one cache line
}

// sleeper is one thread in Wait. All fields but sem are guarded by the bucket's mu.
type sleeper struct {
	sem        sync.Mutex // locked while the sleeper has no reason to go on
	addr       *uint32
	prev, next *sleeper
	queued     bool
	timedOut   bool
}

var (
	buckets  [numBuckets]bucket
	sleepers = sync.Pool{New: func() any {
		s := new(sleeper)
		s.sem.Lock()
		return s
	}}
)

// Wait sleeps while *addr is val, until a Wake for addr or for timeoutNS nanoseconds; a negative
// time-out means for ever. It returns false when the time is up, true otherwise: after a Wake, when
// *addr was not val, or for no reason. It blocks the calling thread.
func Wait(addr *uint32, val uint32, timeoutNS int64) (woken bool) {
	b := bucketOf(addr)
	s := sleepers.Get().(*sleeper)
	b.mu.Lock()
	if atomic.LoadUint32(addr) != val {
		b.mu.Unlock()
		sleepers.Put(s)
		return true
	}
	b.push(s, addr)
	b.mu.Unlock()
	if timeoutNS < 0 {
		s.sem.Lock()
		sleepers.Put(s)
		return true
	}
	// A timer may still be about to run expire when s is awake; so such an s is not used again.
	t := time.AfterFunc(time.Duration(timeoutNS), func() { b.expire(s) })
	s.sem.Lock()
	t.Stop()
	return !s.timedOut
}

// WaitAs is Wait. A thread asleep here has no native P to keep.
func WaitAs(_ *syswait.Habit, addr *uint32, val uint32, timeoutNS int64) (woken bool) {
	return Wait(addr, val, timeoutNS)
}

// Wake wakes up to n threads that sleep in Wait for addr, those first that came first, and returns
// how many there were. It does not allocate, and blocks for the bucket's lock only.
func Wake(addr *uint32, n int) (woken int) {
	b := bucketOf(addr)
	b.mu.Lock()
	for s := b.head; s != nil && woken < n; {
		next := s.next
		if s.addr == addr {
			b.remove(s)
			s.sem.Unlock()
			woken++
		}
		s = next
	}
	b.mu.Unlock()
	return woken
}

// expire ends the sleep of s, unless a Wake came first.
func (b *bucket) expire(s *sleeper) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.queued {
		b.remove(s)
		s.timedOut = true
		s.sem.Unlock()
	}
}

func bucketOf(addr *uint32) *bucket {
	return &buckets[(uintptr(unsafe.Pointer(addr))>>2)%numBuckets]
}

// push appends s; b.mu must be held.
func (b *bucket) push(s *sleeper, addr *uint32) {
	s.addr, s.queued = addr, true
	s.prev, s.next = b.tail, nil
	if b.tail == nil {
		b.head = s
	} else {
		b.tail.next = s
	}
	b.tail = s
}

// remove takes s out of the queue; b.mu must be held.
func (b *bucket) remove(s *sleeper) {
	if s.prev == nil {
		b.head = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		b.tail = s.prev
	} else {
		s.next.prev = s.prev
	}
	s.addr, s.prev, s.next, s.queued = nil, nil, nil, false
}
