//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/sched"
)

// A name with several addresses: one after the other, and the two families side by side when the first is slow
// (RFC 6555, "Happy Eyeballs"). The same in Go: net/dial.go, dialParallel, dialSerial, partialDeadline.

// fallbackDelay is how long the first family has for itself.
const fallbackDelay = 300 * time.Millisecond

// saneMinimum is the least that an address gets of a deadline while there is that much left.
const saneMinimum = 2 * time.Second

// dialSerial tries addrs in turn; each has its share of the time that is left. The error is the first one's.
func dialSerial(ctx context.Context, network string, addrs addrList) (net.Conn, error) {
	var first error
	for i, addr := range addrs {
		c, err := dialShare(ctx, network, addr, len(addrs)-i)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = &net.OpError{Op: "dial", Net: network, Addr: addr, Err: err}
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// dialShare is dialOne within an equal share, for so many addresses, of ctx's time.
func dialShare(ctx context.Context, network string, addr net.Addr, shares int) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, asNet(err)
	}
	if deadline, ok := ctx.Deadline(); ok {
		left := clock.Until(deadline)
		if left <= 0 {
			return nil, asNet(context.DeadlineExceeded)
		}
		if share := max(left/time.Duration(shares), min(left, saneMinimum)); share < left {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, share)
			defer cancel()
		}
	}
	return dialOne(ctx, network, addr)
}

// fallback is the second family's attempt, in a task of its own, while the caller makes the first.
//
//	idle ---- the delay is over ----> running ----> done
//	 +------- stop ----> gone           +--- stop: what it gets then is closed
type fallback struct {
	lock    rawlock.Mutex
	started bool
	gone    bool // nobody wants it any more
	c       net.Conn
	err     error

	done waitWord // ready when c or err is there; who has made the first attempt waits here
}

// dialParallel tries primaries, and beside them fallbacks when that has failed or takes longer than fallbackDelay. The
// first connection wins. The error is the primaries'.
func dialParallel(ctx context.Context, network string, primaries, fallbacks addrList) (net.Conn, error) {
	ctxP, cancelP := context.WithCancel(ctx)
	defer cancelP()
	ctxF, cancelF := context.WithCancel(ctx)
	defer cancelF()
	f := &fallback{}
	timer := sched.AfterFunc(fallbackDelay, func() {
		f.run(func() (net.Conn, error) { return dialSerial(ctxF, network, fallbacks) }, cancelP)
	})
	defer f.drop() // also when the task is unwound
	defer timer.Stop()
	c, err := dialSerial(ctxP, network, primaries)
	if err == nil {
		return c, nil
	}
	if f.skip() {
		if c, errF := dialSerial(ctxF, network, fallbacks); errF == nil {
			return c, nil
		}
		return nil, err
	}
	f.done.waitOrExit(sched.WaitReasonIOWait)
	if c := f.take(); c != nil {
		return c, nil
	}
	return nil, err
}

// run makes the attempt; won is called when it succeeds.
func (f *fallback) run(dial func() (net.Conn, error), won func()) {
	f.lock.Lock()
	gone := f.gone
	f.started = !gone
	f.lock.Unlock()
	if gone {
		return
	}
	finished := false
	defer func() {
		if !finished { // unwound
			f.done.wake()
		}
	}()
	c, err := dial()
	f.lock.Lock()
	gone = f.gone
	if !gone {
		f.c, f.err = c, err
	}
	f.lock.Unlock()
	finished = true
	f.done.wake()
	switch {
	case err != nil:
	case gone:
		_ = c.Close()
	default:
		won()
	}
}

// skip makes an attempt that has not begun never begin, and reports whether it did.
func (f *fallback) skip() bool {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.gone = !f.started
	return f.gone
}

// take returns what the attempt got and leaves nothing behind.
func (f *fallback) take() net.Conn {
	f.lock.Lock()
	defer f.lock.Unlock()
	c := f.c
	f.c = nil
	return c
}

// drop closes what the attempt got, or will get.
func (f *fallback) drop() {
	f.lock.Lock()
	f.gone = true
	f.lock.Unlock()
	if c := f.take(); c != nil {
		_ = c.Close()
	}
}

// netErrors are package net's own errors for a context that has ended, which it does not export: two dials that fail
// before they make a system call return them.
var netErrors = sync.OnceValue(func() (e struct{ cancelled, timeout error }) {
	var d net.Dialer
	for _, o := range []struct {
		ctx func() (context.Context, context.CancelFunc)
		err *error
	}{
		{func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) }, &e.cancelled},
		{func() (context.Context, context.CancelFunc) { return context.WithTimeout(context.Background(), -1) }, &e.timeout},
	} {
		ctx, cancel := o.ctx()
		cancel()
		_, err := d.DialContext(ctx, "tcp", "127.0.0.1:1")
		*o.err = ctx.Err()
		if op, ok := err.(*net.OpError); ok {
			*o.err = op.Err
		}
	}
	return e
})

// asNet turns a context's error into the one that package net returns from a dial.
func asNet(err error) error {
	switch err {
	case context.Canceled:
		return netErrors().cancelled
	case context.DeadlineExceeded:
		return netErrors().timeout
	default:
		return err
	}
}
