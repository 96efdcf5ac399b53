//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/userrt/userrt/sched"
)

// waitWord is a place where one G at a time waits for one thing: readiness of a descriptor in one
// direction, its turn at an fdMutex, the end of a look-up.
//
//	        notify                     commit of wait
//	nil ------------> ready     nil ------------------> G
//	 ^                 | ^                              | |
//	 +---- wait -------+ +----------- notify -----------+ |
//	 +------------------- wait, unwound ------------------+
//
// Invariants:
//
//	W1  only the one waiter moves the word away from ready, and only it puts a G in.
//	W2  a G in the word is parked with this word as its reason. Whoever replaces it by ready must
//	    Claim it and, having won, make it Ready.
//	W3  ready is not lost: a notify before the wait, or while the waiter leaves its stack, makes the
//	    wait return at once.
//
// A notify says "look again", not "you have it". Whoever wants a waiter to give up sets a flag, then
// notifies; the waiter looks at the flag after each wait. So a fourth value for a waiter that is about
// to park, as Go has it in pdWait, is not needed: Go must keep a cancelled wait from leaving ready
// behind, we let it, and it costs one look too many.
//
// The word is an ordinary atomic pointer, because it may be the only reference to the G of a parked
// plain goroutine.
//
// The same in Go: runtime/netpoll.go, pollDesc.rg and wg, netpollblock, netpollblockcommit,
// netpollunblock.
type waitWord struct {
	g atomic.Pointer[sched.G]
	p *poller // counts the waiter as its own; nil when the waiter waits for something else
}

// ready is the word's value that is no waiter: somebody has called notify.
var ready = new(sched.G)

// reset drops an earlier notify. Only the one waiter may call it, before it looks for itself at what
// it would wait for.
func (w *waitWord) reset() {
	if w.g.Load() == ready { // saves a locked instruction most of the time
		w.g.Store(nil)
	}
}

// wait parks the caller until notify is called, or not at all if it has been since the last wait or
// reset. It returns false when the caller is being unwound: put things in order, then call
// runtime.Goexit.
func (w *waitWord) wait(reason sched.WaitReason) bool {
	if w.g.Load() == ready {
		w.g.Store(nil)
		return true
	}
	if !sched.Self().Park(reason, waitCommit, unsafe.Pointer(w)) {
		w.unwound()
		return false
	}
	w.g.Store(nil) // W1: it is ready, and a notify that comes now says what we are about to see
	return true
}

// unwound takes the caller out, which is being unwound.
func (w *waitWord) unwound() {
	if w.g.CompareAndSwap(sched.Self(), nil) && w.p != nil {
		w.p.waiting.Add(-1)
	}
}

// waitOrExit is wait for a caller that leaves everything that must be put in order to its deferred
// calls.
func (w *waitWord) waitOrExit(reason sched.WaitReason) {
	if !w.wait(reason) {
		runtime.Goexit()
	}
}

// waitCommit runs when g has left its stack. It reads w.p first: once g is in the word it may be
// woken and w used for something else.
//
// Order. The waiter counts itself after the word holds it, so a quick waker may take the count below
// zero for a moment. Steps up are steps by one: whoever makes the count 1 sees it, and says that
// from now on somebody must poll.
//
// It is nosplit for the sake of small stacks, like sched.(*M).next.
//
//go:nosplit
func waitCommit(g *sched.G, arg unsafe.Pointer) bool {
	w := (*waitWord)(arg)
	p := w.p
	if !w.g.CompareAndSwap(nil, g) {
		return false // W3: it is ready
	}
	if p != nil && p.waiting.Add(1) == 1 {
		p.s.NeedPoll()
	}
	return true
}

// notify makes the word ready. If that took a waiter out and won it, the caller must make g Ready;
// lost means that it took out one that is being unwound and will not act on the notification.
func (w *waitWord) notify() (g *sched.G, lost bool) {
	for {
		old := w.g.Load()
		if old == ready {
			return nil, false
		}
		if !w.g.CompareAndSwap(old, ready) {
			continue
		}
		if old == nil {
			return nil, false
		}
		if w.p != nil {
			w.p.waiting.Add(-1)
		}
		if !old.Claim() {
			return nil, true
		}
		return old, false
	}
}

// wake is notify and Ready.
func (w *waitWord) wake() {
	if g, _ := w.notify(); g != nil {
		g.Ready()
	}
}
