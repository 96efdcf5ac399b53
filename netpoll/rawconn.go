//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/hb"
)

// The descriptor in the user's hands: as a syscall.RawConn, which waits by our poller, and as a copy.
// The same in Go: net/rawconn.go, rawConn; internal/poll/fd_unix.go, RawRead, Dup.

// rawConn is a connection's syscall.RawConn.
type rawConn struct{ c *conn }

// Control calls f with the descriptor, which is not closed meanwhile.
func (r *rawConn) Control(f func(fd uintptr)) error {
	if err := r.c.fd.control(f); err != nil {
		return &net.OpError{Op: "raw-control", Net: r.c.network, Addr: r.c.laddr, Err: err}
	}
	return nil
}

// Read calls f again and again until it returns true, and parks before each further call until the descriptor may be
// readable. Meanwhile it has the connection's turn to read.
func (r *rawConn) Read(f func(fd uintptr) bool) error {
	return r.c.wrapped("raw-read", r.c.fd.rawLoop(reading, f))
}

// Write is Read for writing.
func (r *rawConn) Write(f func(fd uintptr) bool) error {
	return r.c.wrapped("raw-write", r.c.fd.rawLoop(writing, f))
}

// rawListener is a listener's: as net's it has Control only.
type rawListener struct{ l *listener }

// Control calls f with the descriptor, which is not closed meanwhile.
func (r *rawListener) Control(f func(fd uintptr)) error {
	return r.l.wrapped("raw-control", r.l.fd.control(f))
}

// Read returns EINVAL.
func (r *rawListener) Read(func(fd uintptr) bool) error { return syscall.EINVAL }

// Write returns EINVAL.
func (r *rawListener) Write(func(fd uintptr) bool) error { return syscall.EINVAL }

func (f *pollFD) control(fn func(fd uintptr)) error {
	return f.use(func(sysfd int) error {
		f.handOut()
		fn(uintptr(sysfd))
		return nil
	})
}

// handOut notes that the user gets the descriptor. An option that he sets may part what a read gets from what the kernel
// tells of (SO_RCVLOWAT, TCP_ULP), so from now on each read tries first. And TCP_INQ is switched off, or his recvmsg would get
// a message that he has not asked for.
func (f *pollFD) handOut() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if f.pd.special.Or(handedOut)&handedOut == 0 { // only then: the user may set that option himself
		f.unask()
	}
}

// rawLoop calls fn until it says that it is done, and parks in between. Errors: net.ErrClosed,
// os.ErrDeadlineExceeded.
func (f *pollFD) rawLoop(d direction, fn func(fd uintptr) bool) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if err := f.lock(d); err != nil {
		return err
	}
	defer f.unlock(d)
	f.handOut()
	w := f.pd.word(d)
	if err := f.pd.prepare(w); err != nil {
		return err
	}
	for !userSaysDone(fn, f.sysfd) {
		if err := f.pd.wait(w); err != nil {
			return err
		}
	}
	return nil
}

func userSaysDone(fn func(fd uintptr) bool, sysfd int) bool {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	return fn(uintptr(sysfd))
}

// fileName is what package net calls the copy of a socket's descriptor. An address may be nil: the kernel need not know it
// any more.
func fileName(network string, local, remote net.Addr) string {
	name := network + ":"
	if local != nil {
		name += local.String()
	}
	name += "->"
	if remote != nil {
		name += remote.String()
	}
	return name
}

// dup returns a copy of the descriptor. It goes to the native poller if anybody waits for it. Errors:
// net.ErrClosed, *os.SyscallError.
func (f *pollFD) dup(name string) (file *os.File, err error) {
	err = f.use(func(sysfd int) error {
		f.handOut()
		n, err := unix.FcntlInt(uintptr(sysfd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return os.NewSyscallError("fcntl", err)
		}
		file = os.NewFile(uintptr(n), name)
		return nil
	})
	return file, err
}
