// A request and its answer in two system calls: a client that is not what the rounds wait for.

package main

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A requester writes a request to a connection, waits until something has come, and reads the answer. Conn.Write and Conn.Read do the same, but
// Read first looks for an answer that can't be there yet: three system calls for a request in place of two, where a server makes two or three. Then
// the client takes as long as the server, rounds wait for it, and how fast the server is shows neither in them nor, as it finds few requests each time
// that it polls, in its processor time.
type requester struct {
	conn      syscall.RawConn
	sent, got []byte

	attempt func(fd uintptr) bool // r.try; made once
	written bool                  // sent has been written
	n       int                   // so many bytes of got have come
	err     error
}

func newRequester(c net.Conn, sent, got []byte) (*requester, error) {
	conn, err := c.(syscall.Conn).SyscallConn()
	r := &requester{conn: conn, sent: sent, got: got}
	r.attempt = r.try
	return r, err
}

// roundTrip writes all of r.sent and fills r.got.
func (r *requester) roundTrip() error {
	r.written, r.n, r.err = false, 0, nil
	if err := r.conn.Read(r.attempt); err != nil {
		return err
	}
	return r.err
}

// try does what can be done without waiting, and reports whether it was the last. No answer is missed between its write and the wait after it:
// RawConn.Read forgets what it knows to be readable before it calls try first, and not after that.
func (r *requester) try(fd uintptr) (done bool) {
	if !r.written {
		r.written = true
		n, err := rawCall(unix.SYS_WRITE, fd, r.sent)
		if err == nil && n < len(r.sent) {
			err = unix.EAGAIN // no answer is under way, so there is room for a request
		}
		r.err = os.NewSyscallError("write", err)
		return err != nil
	}
	for r.n < len(r.got) {
		n, err := rawCall(unix.SYS_READ, fd, r.got[r.n:])
		switch {
		case err == unix.EAGAIN:
			return false
		case err == nil && n == 0:
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			r.err = os.NewSyscallError("read", err)
			return true
		}
		r.n += n
	}
	return true
}

// rawCall reads or writes. The native scheduler is not told of the call, as it can't block.
func rawCall(call, fd uintptr, b []byte) (n int, err error) {
	r, _, errno := unix.RawSyscall(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(r), nil
}
