//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"io"
	"net"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// Readiness without a buffer, and reading without waiting. A server that waits for its idle connections by
// WaitRead holds no buffer for them. Package net has neither; internal/poll/fd_unix.go, RawRead, comes near.

// await parks until an operation in direction d would not wait, or ctx ends. Errors: ctx's, net.ErrClosed,
// os.ErrDeadlineExceeded, *os.SyscallError.
func (f *pollFD) await(ctx context.Context, d direction) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	by, stop := f.watch(ctx, d)
	defer stop()
	err := f.awaitUnless(d, by)
	if err == errCancelled {
		return ctx.Err()
	}
	return err
}

func (f *pollFD) awaitUnless(d direction, by *canceller) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if err := f.lockUnless(d, by); err != nil {
		return err
	}
	defer f.unlock(d)
	if d == reading {
		f.drained = false // the event that a read would wait for is taken here
	}
	w := f.pd.word(d)
	for {
		if err := f.pd.prepare(w); err != nil {
			return err
		}
		if by.cancelled() {
			return errCancelled
		}
		if ready, err := isReady(f.sysfd, d); ready || err != nil {
			giveWay()
			return err
		}
		w.waitOrExit(sched.WaitReasonIOWait)
	}
}

// isReady asks the kernel whether an operation in direction d would not wait: it may also fail at once.
func isReady(sysfd int, d direction) (bool, error) {
	fds := []unix.PollFd{{Fd: int32(sysfd), Events: unix.POLLIN}}
	if d == writing {
		fds[0].Events = unix.POLLOUT
	}
	for {
		n, err := unix.Poll(fds, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return false, sysError("poll", err)
		}
		return n > 0, nil
	}
}

// tryRead is read that does not wait: ErrWouldBlock when nothing is there, or another caller reads.
func (f *pollFD) tryRead(b []byte) (int, error) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	held, busy := f.mu.tryLock(reading)
	if busy {
		giveWay()
		return 0, ErrWouldBlock
	}
	if !held {
		return 0, net.ErrClosed
	}
	defer f.unlock(reading)
	if len(b) == 0 {
		return 0, nil
	}
	if err := f.pd.err(&f.pd.r); err != nil {
		return 0, err
	}
	for {
		n, errno := f.recv(b)
		switch {
		case errno == unix.EINTR:
			continue
		case errno == unix.EAGAIN:
			giveWay()
			return 0, ErrWouldBlock
		case errno != 0:
			return 0, sysError("read", errno)
		case n == 0:
			return 0, io.EOF
		}
		giveWay()
		return n, nil
	}
}
