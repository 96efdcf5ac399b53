package hchan

import (
	"context"
	"slices"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/sched"
)

// Contexts in a select that waits. The runtime has none: there ctx.Done() is a channel like the others.
//
// What tells us that a context is done runs in a goroutine of its own (context.AfterFunc), later. Natively the call that ends a context takes each
// select that waits for it out of all queues (runtime/chan.go, closechan, and waitq.dequeue), so that once it has returned nobody can serve that
// select. To have the same, whoever takes a waiter out of a queue asks its selection first, see over.

// bridge is a channel that is closed when a context is done. Of those that a selection has made it keeps the ones that have not been closed, and that
// nobody is going to close, for its next contexts.
type bridge struct {
	c     *Chan[struct{}]
	close func()      // c.Close
	stop  func() bool // keeps close from being called, if it is not too late
}

// bridge returns a channel that is closed, a moment later, when the context of cs is done; done is its Done channel.
func (sel *selection) bridge(cs *Case, done <-chan struct{}) *hchan {
	n := len(sel.bridges)
	sel.bridges = slices.Grow(sel.bridges, 1)[:n+1]
	b := &sel.bridges[n]
	if b.c == nil {
		b.c = Make[struct{}](0)
		b.close = b.c.Close
	}
	b.stop = sched.WhenDone(*(*context.Context)(cs.elem), b.close)
	if watchable() {
		sel.dones = append(sel.dones, done)
	}
	return &b.c.hchan
}

// unbridge forgets the contexts.
func (sel *selection) unbridge() {
	for i := range sel.bridges {
		if b := &sel.bridges[i]; b.stop() {
			b.stop = nil
		} else {
			*b = bridge{}
		}
	}
	sel.bridges = sel.bridges[:0]
	clear(sel.dones)
	sel.dones = sel.dones[:0]
}

// watchable reports whether others may look at the Done channels of the caller's contexts. A channel that was made in a synctest bubble ends the
// process when somebody outside looks at it, and a caller in a bubble may have such ones. Tasks are in none.
func watchable() bool {
	_, task := sched.ID()
	return task || !clock.Bubbled()
}

// over reports whether one of sel's contexts is done: then nobody but the goroutine that tells sel of it wakes it. It needs the lock of a channel
// in whose queue sel was when it was taken; only with that can sel leave.
func (sel *selection) over() bool { return slices.ContainsFunc(sel.dones, isClosed) }
