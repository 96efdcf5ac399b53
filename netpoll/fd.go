//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"net"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// pollFD is a descriptor with its registration: it lives from init to the destroy that the last user
// after close calls. The same in Go: internal/poll/fd_unix.go, FD.
type pollFD struct {
	mu       fdMutex
	sysfd    int
	pd       *pollDesc
	tcp      bool     // reads can tell whether they have emptied the socket; see prepareRead
	drained  bool     // the last read has emptied the socket; under mu's lock for reading
	inq      inq      // how full reads learn that
	gone     waitWord // ready when sysfd has been closed; who closes waits here
	closeErr error    // what closing it said; written before gone is ready
}

// init takes sysfd, a non-blocking descriptor, over and registers it with the caller's scheduler's poller.
// On error sysfd is closed.
func (f *pollFD) init(sysfd int) error {
	pd, err := register(sysfd)
	if err != nil {
		_ = unix.Close(sysfd)
		return err
	}
	f.sysfd, f.pd = sysfd, pd
	return nil
}

func register(sysfd int) (*pollDesc, error) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	p, err := callersPoller()
	var pd *pollDesc
	if err == nil {
		pd, err = p.register(sysfd)
	}
	if err != nil && hb.On {
		hb.Tell() // what is in the error
	}
	return pd, err
}

// callersPoller is the poller of what the caller opens.
func callersPoller() (*poller, error) {
	p, err := pollerOf(sched.Current())
	if err == sched.ErrClosed {
		err = schedulerClosed{}
	}
	return p, err
}

// schedulerClosed is the closed error of who opens something on a closed Scheduler: to the scheduler's users and to
// package net's.
type schedulerClosed struct{}

// Error returns sched.ErrClosed's text.
func (schedulerClosed) Error() string { return sched.ErrClosed.Error() }

// Is makes it both sched.ErrClosed and net.ErrClosed.
func (schedulerClosed) Is(target error) bool {
	return target == sched.ErrClosed || target == net.ErrClosed
}

// lock begins an operation in one direction and parks until those before it are over. Error:
// net.ErrClosed. On success call unlock, deferred or wherever the call may end, because a task that is unwound runs nothing else.
func (f *pollFD) lock(d direction) error { return f.lockUnless(d, nil) }

// lockUnless is lock for a wait that by, which may be nil, may end. Further error: errCancelled.
func (f *pollFD) lockUnless(d direction, by *canceller) error {
	held, unwound := f.mu.lockUnless(d, by)
	if unwound {
		if held {
			f.unlock(d)
		}
		runtime.Goexit()
	}
	switch {
	case held:
		return nil
	case by.cancelled():
		return errCancelled
	default:
		return net.ErrClosed
	}
}

func (f *pollFD) unlock(d direction) {
	if f.mu.unlock(d) {
		f.destroy()
	}
}

// use calls fn with the descriptor, which is not closed meanwhile. fn is called as the caller's own. Errors: fn's,
// net.ErrClosed.
func (f *pollFD) use(fn func(sysfd int) error) error {
	if !f.incref() {
		return net.ErrClosed
	}
	defer f.decref()
	return fn(f.sysfd)
}

func (f *pollFD) incref() bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return f.mu.incref()
}

func (f *pollFD) decref() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if f.mu.decref() {
		f.destroy()
	}
}

// close makes every call under way and every later one return net.ErrClosed, parks until they have
// gone, and returns what closing the descriptor said. A second close returns net.ErrClosed.
func (f *pollFD) close() error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if !f.mu.close() {
		return net.ErrClosed
	}
	f.pd.evict()
	f.decref()
	f.gone.waitOrExit(sched.WaitReasonSemacquire)
	giveWay()
	return f.closeErr
}

// destroy closes the descriptor. Nobody refers to f any more but the one who waits in close. The number
// may be somebody else's as soon as it is closed, so the registration goes first.
func (f *pollFD) destroy() {
	f.pd.p().unregister(f.pd, f.sysfd)
	if err := unix.Close(f.sysfd); err != nil {
		f.closeErr = sysError("close", err)
	}
	f.gone.wake()
}
