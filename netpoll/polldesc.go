//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"net"
	"os"
	"sync/atomic"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/sched"
)

// pollDesc is what the poller knows of one registered descriptor: who waits to read, who waits to
// write, and why they must not: it is being closed, or a deadline is over.
//
// A pollDesc is never freed; it goes from descriptor to descriptor (poller.go). The kernel hands back
// the tag it was registered with, and an event whose seq is an earlier one is dropped. One that slips
// through, because the pollDesc changes hands between that look and the notify, costs the new owner a
// look in vain, or the shortcut of prepareRead, and nothing more. So does the late wake-up of a
// deadline or of a context.
//
// Order. Who wants waiters to give up sets a bit of stop, then notifies their word; a caller looks at
// stop after reset and after each wait. Either it sees the bit, or the notify comes after its reset and
// wait returns.
//
// The same in Go: runtime/netpoll.go, pollDesc.
type pollDesc struct {
	r, w      waitWord
	seq       atom.Uint32               // counts the descriptors this has served, up to maxSeq and again from 0
	stop      atom.Uint32               // stopClosed, stopExpired; 0 nearly always, so that deadlines cost no look of their own
	special   atom.Uint32               // seenSpecial, handedOut; with either, each read tries first
	index     uint32                    // its place in the poller's table, for ever
	link      *pollDesc                 // next in the poller's free list; under poller.mu
	deadlines atomic.Pointer[deadlines] // nil before the first one
}

// Bits of pollDesc.stop.
const (
	stopClosed  = 1 << 0 // whoever waits must give up, in both directions
	stopExpired = 1 << 1 // << direction: the deadline is over
)

// Bits of pollDesc.special.
const (
	seenSpecial = 1 << 0 // there has been an end, a fault or urgent data; set before the notify that tells so
	handedOut   = 1 << 1 // the user has had the descriptor; see handOut
)

// tag names a registration to the kernel, which returns it with each event.
type tag struct{ index, seq uint32 }

// word returns the place where a direction's caller waits.
func (pd *pollDesc) word(d direction) *waitWord {
	if d == reading {
		return &pd.r
	}
	return &pd.w
}

// prepare begins an attempt to read (word r) or write (word w): what happened before it does not
// count. The caller holds that direction's lock of the fdMutex. Errors as wait's.
func (pd *pollDesc) prepare(w *waitWord) error {
	w.reset()
	return pd.err(w)
}

// wait parks the caller until the descriptor may be ready in w's direction; it may also return for
// nothing. Errors: net.ErrClosed, os.ErrDeadlineExceeded. A task that is unwound does not come back:
// its deferred calls run.
func (pd *pollDesc) wait(w *waitWord) error {
	w.waitOrExit(sched.WaitReasonIOWait)
	return pd.err(w)
}

// err says why nobody may wait in w any more; nil: one may.
func (pd *pollDesc) err(w *waitWord) error {
	if pd.stop.Load() == 0 {
		return nil
	}
	return pd.whyStop(w)
}

func (pd *pollDesc) whyStop(w *waitWord) error {
	d := reading
	if w == &pd.w {
		d = writing
	}
	switch stop := pd.stop.Load(); {
	case stop&stopClosed != 0:
		return net.ErrClosed
	case stop&(stopExpired<<d) != 0:
		return os.ErrDeadlineExceeded
	default:
		return nil
	}
}

// closed reports whether pd's descriptor, or its poller, is closed.
func (pd *pollDesc) closed() bool { return pd.stop.Load()&stopClosed != 0 }

// evict makes both waiters, and all that come later, give up.
func (pd *pollDesc) evict() {
	pd.stop.Or(stopClosed)
	pd.r.wake()
	pd.w.wake()
}

// p returns the poller that pd belongs to.
func (pd *pollDesc) p() *poller { return pd.r.p }
