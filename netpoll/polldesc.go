//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"net"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/sched"
)

// pollDesc is what the poller knows of one registered descriptor: who waits to read, who waits to
// write, and whether it is being closed.
//
// A pollDesc is never freed; it goes from descriptor to descriptor (poller.go). The kernel hands back
// the tag it was registered with, and an event whose seq is an earlier one is dropped. One that slips
// through, because the pollDesc changes hands between that look and the notify, costs the new owner a
// look in vain, or the shortcut of prepareRead, and nothing more.
//
// Order. evict sets closing, then notifies both words; a caller looks at closing after reset and after
// each wait. Either it sees the flag, or evict's notify comes after its reset and wait returns.
//
// The same in Go: runtime/netpoll.go, pollDesc.
type pollDesc struct {
	r, w    waitWord
	seq     atom.Uint32 // counts the descriptors this has served, up to maxSeq and again from 0
	closing atom.Uint32 // 1: whoever waits must give up
	special atom.Uint32 // 1: there has been an end, a fault or urgent data; set before the notify that tells so
	index   uint32      // its place in the poller's table, for ever
	link    *pollDesc   // next in the poller's free list; under poller.mu
}

// tag names a registration to the kernel, which returns it with each event.
type tag struct{ index, seq uint32 }

// prepare begins an attempt to read (word r) or write (word w): what happened before it does not
// count. The caller holds that direction's lock of the fdMutex.
func (pd *pollDesc) prepare(w *waitWord) error {
	w.reset()
	return pd.err()
}

// wait parks the caller until the descriptor may be ready in w's direction; it may also return for
// nothing. Error: net.ErrClosed. A task that is unwound does not come back: its deferred calls run.
func (pd *pollDesc) wait(w *waitWord) error {
	w.waitOrExit(sched.WaitReasonIOWait)
	return pd.err()
}

func (pd *pollDesc) err() error {
	if pd.closing.Load() != 0 {
		return net.ErrClosed
	}
	return nil
}

// evict makes both waiters, and all that come later, give up.
func (pd *pollDesc) evict() {
	pd.closing.Store(1)
	pd.r.wake()
	pd.w.wake()
}

// p returns the poller that pd belongs to.
func (pd *pollDesc) p() *poller { return pd.r.p }
