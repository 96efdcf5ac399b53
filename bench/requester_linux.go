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

// A requester writes a request to a connection and reads the answer, by two system calls. Conn.Read would make a third, before the answer
// can be there, and rounds would wait for the client: docs/method.md, The network.
type requester struct {
	conn      syscall.RawConn
	sent, got []byte

	tryFunc func(fd uintptr) bool // r.try, made once, as it is allocated
	written bool                  // sent has been written
	n       int                   // so many bytes of got have come
	err     error
}

// newRequester returns a requester that sends what is in sent and puts answers into got.
func newRequester(c net.Conn, sent, got []byte) (*requester, error) {
	conn, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil, err
	}
	r := &requester{conn: conn, sent: sent, got: got}
	r.tryFunc = r.try
	return r, nil
}

// roundTrip writes all of r.sent and fills r.got.
func (r *requester) roundTrip() error {
	r.written, r.n, r.err = false, 0, nil
	if err := r.conn.Read(r.tryFunc); err != nil {
		return err
	}
	return r.err
}

// try does what can be done without waiting, and reports whether it was the last. No answer is missed between its write and the wait after it:
// RawConn.Read resets the poller's readiness before the first try only. What comes before the request, an end included, is not seen before more does.
func (r *requester) try(fd uintptr) (done bool) {
	if !r.written {
		r.written = true
		n, err := rawCall(unix.SYS_WRITE, fd, r.sent)
		if err == nil && n < len(r.sent) {
			err = io.ErrShortWrite // no answer is under way, so there is room for a request
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
