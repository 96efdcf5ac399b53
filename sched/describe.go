package sched

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
)

// What a task waits for, in words: a registry from wait reasons to functions that can read what lies at the
// address which the waiter has left. So a dump names a channel or a lock although sched knows no primitive.
// The runtime, which knows all of its own, has no counterpart.

// Describer tells what a G waits for. on is what it gave to Park as arg, or the address of the lock
// that it gave to BeginPark; it is not nil, and what it points to is alive. what is a short text such as
// "chan 0xc000012080 cap 4 len 4"; owner is the task that must act first, the
// holder of a lock: what Holder.Owner returns, or the id of one of the same Scheduler, 0 for none or not known.
//
// A Describer runs on the goroutine that dumps while the waiter may go on at any moment: it must not block
// and take no lock, so it reads words that are atomic or never change.
type Describer func(on unsafe.Pointer) (what string, owner uint64)

const maxReasons = 256

var reasons struct {
	mu       sync.Mutex // guards n
	n        int        // reasons with a number, those of waitReasonText included
	text     [maxReasons]atomic.Pointer[string]
	describe [maxReasons]atomic.Pointer[Describer]
}

// NewWaitReason returns a WaitReason for a primitive of one's own, to be kept in a variable: dumps show
// text, and what d, if not nil, tells. It panics with "sched: too many wait reasons" at the 257th.
func NewWaitReason(text string, d Describer) WaitReason {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	reasons.mu.Lock()
	defer reasons.mu.Unlock()
	n := max(reasons.n, len(waitReasonText))
	if n == maxReasons {
		panic("sched: too many wait reasons")
	}
	reasons.n = n + 1
	reasons.text[n].Store(&text)
	DescribeWaits(d, WaitReason(n))
	return WaitReason(n)
}

// DescribeWaits makes d the Describer of the given reasons; nil takes it away. A package calls it from its
// init function, for the reasons with which only it calls Park or BeginPark: whoever else waits with one of them
// gives d an address that it does not understand.
func DescribeWaits(d Describer, rs ...WaitReason) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	for _, r := range rs {
		if d == nil {
			reasons.describe[r].Store(nil)
		} else {
			reasons.describe[r].Store(&d)
		}
	}
}

// describeWait asks the Describer of reason, if there is one, for a task of s; nil for a plain goroutine.
func describeWait(s *Scheduler, reason WaitReason, on unsafe.Pointer) (what string, owner uint64) {
	d := reasons.describe[reason].Load()
	if d == nil || on == nil {
		return "", 0
	}
	defer func() {
		if v := recover(); v != nil {
			what, owner = "describer panicked: "+panicText(v), 0
		}
	}()
	what, owner = (*d)(on)
	if s == nil {
		return what, owner & tagMask
	}
	return what, s.ownerIn(owner)
}
