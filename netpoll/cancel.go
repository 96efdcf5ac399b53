//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"errors"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/hb"
)

// A wait that a context may end. Package net has it for connecting only (net/fd_unix.go, connect).

// canceller is one wait's; it lives on the heap, since the context's goroutine writes to it, maybe when the wait is
// long over.
//
// Order. cancel sets over, then looks for the waiter in the queue of the fdMutex, then notifies the word of the
// pollDesc. The waiter queues under the fdMutex's lock only while it sees over unset, and looks at over
// between reset and wait. So a cancel that the waiter does not see finds it, or ends its wait at once. The word may
// serve another caller by then, whom it costs a look in vain.
type canceller struct {
	f    *pollFD
	d    direction
	over atom.Uint32
}

// errCancelled stands for the context's error, which only the context's owner should ask for.
var errCancelled = errors.New("netpoll: the context is done")

// watch makes ctx end a wait of the caller's that is about to begin; nil when ctx never ends. stop is to be called
// after the wait. It runs in the user's context, as a Context may be the user's own.
func (f *pollFD) watch(ctx context.Context, d direction) (c *canceller, stop func() bool) {
	if ctx.Done() == nil {
		return nil, func() bool { return true }
	}
	c = &canceller{f: f, d: d}
	return c, context.AfterFunc(ctx, c.cancel)
}

func (c *canceller) cancel() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	c.over.Store(1)
	c.f.mu.dismiss(c)
	c.f.pd.word(c.d).wake()
}

// cancelled reports whether c, which may be nil, has been cancelled.
func (c *canceller) cancelled() bool { return c != nil && c.over.Load() != 0 }
