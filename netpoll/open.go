//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/hb"
)

// Descriptors that are no sockets of ours. They are read and written by ordinary system calls, not by raw ones: another
// process that shares one may make it blocking again.
// The same in Go: os/file_unix.go; internal/poll/fd_unix.go, Read, Write.

// FD is a descriptor that was given to Open. Its methods may be used by any number of tasks and goroutines at once:
// whole Reads follow each other, and so do whole Writes. Errors are *os.PathError; after Close they wrap
// one that is both net.ErrClosed and os.ErrClosed.
type FD struct {
	fd   pollFD
	name string
}

func open(sysfd int, name string) (*FD, error) {
	flags, err := unix.FcntlInt(uintptr(sysfd), unix.F_GETFL, 0)
	blocking := flags&unix.O_NONBLOCK == 0
	if err == nil && blocking {
		err = unix.SetNonblock(sysfd, true)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: os.NewSyscallError("fcntl", err)}
	}
	pd, err := register(sysfd)
	if err != nil {
		if blocking {
			_ = unix.SetNonblock(sysfd, false) // as its owner has it
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f := &FD{name: name}
	f.fd.sysfd, f.fd.pd = sysfd, pd
	return f, nil
}

// Name returns what Open was told.
func (f *FD) Name() string { return f.name }

// Read parks until there is at least a byte, and returns io.EOF at the end.
func (f *FD) Read(b []byte) (int, error) {
	n, err := f.fd.readFile(b)
	if err != nil && err != io.EOF {
		err = f.pathError("read", err)
	}
	return n, err
}

// Write parks until all of b is written or something has failed.
func (f *FD) Write(b []byte) (int, error) {
	n, err := f.fd.writeFile(b)
	return n, f.pathError("write", err)
}

// Close ends every call under way, waits until they have gone, and closes the descriptor.
func (f *FD) Close() error { return f.pathError("close", f.fd.close()) }

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (f *FD) SetDeadline(t time.Time) error {
	return f.pathError("set deadline", f.fd.setDeadline(t, forReading|forWriting))
}

// SetReadDeadline makes every Read and WaitRead that waits at t, and every later one, fail with an error that wraps
// os.ErrDeadlineExceeded. The zero time is no deadline.
func (f *FD) SetReadDeadline(t time.Time) error {
	return f.pathError("set deadline", f.fd.setDeadline(t, forReading))
}

// SetWriteDeadline is SetReadDeadline for Write and WaitWrite.
func (f *FD) SetWriteDeadline(t time.Time) error {
	return f.pathError("set deadline", f.fd.setDeadline(t, forWriting))
}

// WaitRead parks until a Read would not, or ctx ends, whose Err it then returns.
func (f *FD) WaitRead(ctx context.Context) error {
	return f.waited(ctx, "read", f.fd.await(ctx, reading))
}

// WaitWrite parks until a Write would make progress, or ctx ends, whose Err it then returns.
func (f *FD) WaitWrite(ctx context.Context) error {
	return f.waited(ctx, "write", f.fd.await(ctx, writing))
}

func (f *FD) waited(ctx context.Context, op string, err error) error {
	if err == ctx.Err() {
		return err
	}
	return f.pathError(op, err)
}

// SyscallConn gives access to the descriptor; its functions wait on the FD's poller.
func (f *FD) SyscallConn() (syscall.RawConn, error) { return &rawFD{f}, nil }

// rawFD is an FD's syscall.RawConn.
type rawFD struct{ f *FD }

// Control calls fn with the descriptor, which is not closed meanwhile.
func (r *rawFD) Control(fn func(fd uintptr)) error {
	return r.f.pathError("raw-control", r.f.fd.control(fn))
}

// Read calls fn until it returns true, and parks before each further call until the descriptor may be readable.
func (r *rawFD) Read(fn func(fd uintptr) bool) error {
	return r.f.pathError("raw-read", r.f.fd.rawLoop(reading, fn))
}

// Write is Read for writing.
func (r *rawFD) Write(fn func(fd uintptr) bool) error {
	return r.f.pathError("raw-write", r.f.fd.rawLoop(writing, fn))
}

func (f *FD) pathError(op string, err error) error {
	if err == nil {
		return nil
	}
	if err == net.ErrClosed {
		err = fileClosed{}
	}
	if e, ok := err.(*os.SyscallError); ok && (op == "read" || op == "write") {
		err = e.Err // as package os has it
	}
	return &fs.PathError{Op: op, Path: f.name, Err: err}
}

// fileClosed is the closed error of both worlds.
type fileClosed struct{}

// Error returns net.ErrClosed's text.
func (fileClosed) Error() string { return net.ErrClosed.Error() }

// Is makes it both net.ErrClosed and os.ErrClosed.
func (fileClosed) Is(target error) bool { return target == net.ErrClosed || target == os.ErrClosed }

// readFile is read by package syscall.
func (f *pollFD) readFile(b []byte) (int, error) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if err := f.lock(reading); err != nil {
		return 0, err
	}
	defer f.unlock(reading)
	if len(b) == 0 {
		return 0, nil
	}
	if err := f.pd.prepare(&f.pd.r); err != nil {
		return 0, err
	}
	for {
		n, errno := sysRead(f.sysfd, b[:min(len(b), rwMax)])
		switch {
		case errno == 0 && n == 0:
			return 0, io.EOF
		case errno == 0:
			giveWay()
			return n, nil
		}
		if err := f.retry("read", errno, &f.pd.r); err != nil {
			return 0, err
		}
	}
}

// writeFile is write by package syscall.
func (f *pollFD) writeFile(b []byte) (n int, err error) {
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
		m, errno := sysWrite(f.sysfd, b[n:n+min(len(b)-n, rwMax)])
		if errno != 0 {
			if err := f.retry("write", errno, &f.pd.w); err != nil {
				return n, err
			}
			continue
		}
		if n += m; n == len(b) {
			giveWay()
			return n, nil
		}
		if m == 0 {
			return n, io.ErrUnexpectedEOF
		}
	}
}

// rwMax is the most that one call copies, in bytes: darwin refuses more than an int32 can count. The same in Go: internal/poll/fd_unix.go, maxRW.
const rwMax = 1 << 30

// sysRead and sysWrite are package syscall's: to the race detector the memory is touched by the caller, and the edge from
// a write to a read is package os's too.

func sysRead(sysfd int, b []byte) (int, unix.Errno) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	n, err := syscall.Read(sysfd, b)
	errno, _ := err.(syscall.Errno)
	return n, errno
}

func sysWrite(sysfd int, b []byte) (int, unix.Errno) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	n, err := syscall.Write(sysfd, b)
	errno, _ := err.(syscall.Errno)
	return n, errno
}
