//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// Accepting. The same in Go: internal/poll/fd_unix.go, Accept; net/http/server.go, Serve, which sleeps after an error.

// acceptFunc is acceptSocket, but in tests of what the kernel cannot be made to answer.
// The same in Go: internal/poll/hook_unix.go, AcceptFunc.
var acceptFunc = acceptSocket

// accept returns the next connection, a non-blocking socket, and its peer. A connection that its peer
// has broken off while it was queued is passed over. Errors: net.ErrClosed, os.ErrDeadlineExceeded,
// *os.SyscallError, callersPoller's. After one that says that something has run out the next call waits a while.
func (f *pollFD) accept(l *lull) (sysfd int, peer unix.Sockaddr, err error) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if err := f.lock(reading); err != nil {
		return 0, nil, err
	}
	defer f.unlock(reading)
	if l.pause > 0 {
		if err := l.wait(f); err != nil {
			return 0, nil, err
		}
	}
	if err := f.pd.prepare(&f.pd.r); err != nil {
		return 0, nil, err
	}
	// A connection belongs to its accepter's poller. Without that one it had to be closed again.
	if _, err := callersPoller(); err != nil {
		if hasRunOut(errors.Unwrap(err)) {
			l.begin()
		}
		if hb.On {
			hb.Tell() // what is in the error
		}
		return 0, nil, err
	}
	for {
		sysfd, peer, err := acceptFunc(f.sysfd)
		if err == nil {
			l.pause = 0
			giveWay()
			return sysfd, peer, nil
		}
		if err == unix.ECONNABORTED {
			continue
		}
		if hasRunOut(err) {
			l.begin()
		}
		errno, _ := err.(unix.Errno)
		if err := f.retry(acceptCall, errno, &f.pd.r); err != nil {
			return 0, nil, err
		}
	}
}

// lull is what an Accept waits for after the one before it has found no descriptor or memory left: the connection is
// still queued, so that trying again would fail again at once. The pause is counted from the failure, so who has
// slept by himself, as net/http does, waits no longer. Guarded by the listener's turn to read, but for over.
type lull struct {
	alarm *sched.Alarm  // made by the first pause
	pause time.Duration // 0: the last attempt did not fail
	until int64         // when the pause is over, on package clock's
	over  atomic.Bool
}

// The pauses, which double: net/http's.
const (
	lullMin = 5 * time.Millisecond
	lullMax = time.Second
)

// end is what the alarm calls.
func (l *lull) end(pd *pollDesc) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	l.over.Store(true)
	pd.r.wake()
}

// begin notes a failure.
func (l *lull) begin() {
	l.pause = min(max(2*l.pause, lullMin), lullMax)
	l.until = clock.Nanotime() + int64(l.pause)
}

// wait parks until the pause is over. Errors as pollDesc.wait's.
func (l *lull) wait(f *pollFD) error {
	left := l.until - clock.Nanotime()
	if left <= 0 {
		return nil
	}
	if l.alarm == nil {
		l.alarm = new(sched.Alarm)
		l.alarm.Init(f.pd.p().s, func(uint64, int64) { l.end(f.pd) })
	}
	l.over.Store(false)
	l.alarm.Set(time.Duration(left), 0)
	defer l.alarm.Stop()
	for {
		if err := f.pd.prepare(&f.pd.r); err != nil {
			return err
		}
		if l.over.Load() {
			return nil
		}
		f.pd.r.waitOrExit(sched.WaitReasonIOWait)
	}
}
