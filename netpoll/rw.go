//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"io"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// Reading and writing a stream: try, and park on EAGAIN only, but for the reads that prepareRead tells of. Each call holds its direction's
// lock from the first attempt to the last, so that there is one waiter a direction and a Write that
// takes several attempts is not cut in two by another.
// The same in Go: internal/poll/fd_unix.go, Read, Write.

// read reads what there is into b, at least a byte. Errors: io.EOF, net.ErrClosed,
// os.ErrDeadlineExceeded, *os.SyscallError.
//
// It waits itself, and unlocks without defer, because of a stack's first 2 KiB: of what an idle connection's task has on it when it
// switches, the frames of retry, (*pollDesc).wait and a deferred call were what io.ReadFull and a simple handler lacked.
func (f *pollFD) read(b []byte) (int, error) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if err := f.lock(reading); err != nil {
		return 0, err
	}
	if len(b) == 0 { // a recv of no bytes could not tell an end from success
		f.unlock(reading)
		return 0, nil
	}
	n := 0
	wait, err := f.prepareRead()
	for err == nil {
		if wait {
			if !f.pd.r.wait(sched.WaitReasonIOWait) {
				f.unlock(reading)
				runtime.Goexit()
			}
			if err = f.pd.err(&f.pd.r); err != nil {
				break
			}
		}
		var errno unix.Errno
		n, errno = f.recv(b)
		if errno == 0 {
			if n == 0 {
				err = io.EOF
			}
			break
		}
		if wait = errno == unix.EAGAIN; !wait && errno != unix.EINTR {
			err = sysError("read", errno)
		}
	}
	f.unlock(reading)
	if err != nil {
		return 0, err
	}
	giveWay()
	return n, nil
}

// prepareRead begins a read, and reports whether it is to wait before its first attempt. If the last one has emptied the socket (pollFD.recv),
// then instead of a system call that will most likely say EAGAIN we wait for the event that new data causes,
// or take the one that has come meanwhile. For TCP on epoll that is sound (epoll(7), question 9)
// but for two cases: an end or a fault is told once, maybe together with the data that was read, and
// a read stops short at the mark of urgent data. So after either every read tries first, and so it does once the user has had
// the descriptor (handOut); and the one read does that follows another call that may have taken the event, which must clear drained. (A read from a unix socket stops short where a
// descriptor was sent along. The runtime always tries; tokio, tokio/src/io/poll_evented.rs, has the same shortcut for reads that get less than they have room for.)
func (f *pollFD) prepareRead() (wait bool, err error) {
	if !f.drained || f.pd.special.Load() != 0 {
		return false, f.pd.prepare(&f.pd.r)
	}
	if err := f.pd.err(&f.pd.r); err != nil {
		return false, err
	}
	f.drained = false
	return true, nil
}

// giveWay ends a call that need not have parked; others may wait for their turn.
func giveWay() {
	if sched.Preempting() {
		sched.GiveWay()
	}
}

// write writes all of b. n counts what was written before an error: net.ErrClosed, os.ErrDeadlineExceeded,
// *os.SyscallError.
func (f *pollFD) write(b []byte) (n int, err error) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if err := f.lock(writing); err != nil {
		return 0, err
	}
	defer f.unlock(writing)
	if err := f.pd.prepare(&f.pd.w); err != nil {
		return 0, err
	}
	for {
		m, errno := send(f.sysfd, b[n:])
		if errno != 0 {
			if err := f.retry("write", errno, &f.pd.w); err != nil {
				return n, err
			}
			continue
		}
		n += m
		if n == len(b) {
			giveWay()
			return n, nil
		}
	}
}

// waitWrite parks until f may be writable, or returns at once if it has become so since the last wait.
// Errors: net.ErrClosed, os.ErrDeadlineExceeded, errCancelled.
func (f *pollFD) waitWrite(by *canceller) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if err := f.lockUnless(writing, by); err != nil {
		return err
	}
	defer f.unlock(writing)
	if err := f.pd.err(&f.pd.w); err != nil {
		return err
	}
	if by.cancelled() {
		return errCancelled
	}
	if err := f.pd.wait(&f.pd.w); err != nil {
		return err
	}
	if by.cancelled() {
		return errCancelled
	}
	return nil
}

// retry returns nil when call, which has failed with errno, is to be made again, on EAGAIN after
// parking in w; otherwise it returns the error that ends the operation.
func (f *pollFD) retry(call string, errno unix.Errno, w *waitWord) error {
	switch errno {
	case unix.EAGAIN:
		return f.pd.wait(w)
	case unix.EINTR:
		return nil
	default:
		return sysError(call, errno)
	}
}

// sysError is os.NewSyscallError of an error that is there.
func sysError(call string, errno error) error {
	e := &os.SyscallError{Syscall: call, Err: errno}
	if hb.On {
		hb.Fresh(unsafe.Pointer(e), unsafe.Sizeof(*e))
	}
	return e
}
