//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// conn is what all connections have: pollFD's operations with their errors wrapped as package net wraps them.
// tcpConn, unixConn, udpConn and unixgramConn add what is theirs.
// The same in Go: net/net.go, conn; net/fd_posix.go.
type conn struct {
	fd           pollFD
	network      string
	laddr, raddr net.Addr
}

// setAddrs notes the two ends of sysfd; peer counts if the kernel does not say better.
func (c *conn) setAddrs(sysfd int, peer net.Addr) {
	if local, err := unix.Getsockname(sysfd); err == nil {
		c.laddr = netAddr(c.network, local)
	}
	c.raddr = peer
	if sa, err := unix.Getpeername(sysfd); err == nil {
		c.raddr = netAddr(c.network, sa)
	}
}

// Read parks until there is at least a byte; see Dial.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.fd.read(b)
	if err != nil {
		return n, c.readError(err)
	}
	return n, nil
}

//go:noinline
func (c *conn) readError(err error) error {
	if err != io.EOF {
		err = c.opError("read", err)
	}
	return err
}

// Write parks until all of b is written or something has failed; see Dial.
func (c *conn) Write(b []byte) (int, error) {
	n, err := c.fd.write(b)
	if err != nil {
		err = c.opError("write", err)
	}
	return n, err
}

// TryRead is Read that does not park; see Conn.
func (c *conn) TryRead(b []byte) (int, error) { return c.triedRead(c.fd.tryRead(b)) }

func (c *conn) triedRead(n int, err error) (int, error) {
	if err != nil && err != io.EOF && err != ErrWouldBlock {
		err = c.opError("read", err)
	}
	return n, err
}

// WaitRead parks until a Read would not; see Conn.
func (c *conn) WaitRead(ctx context.Context) error {
	return c.waited(ctx, "read", c.fd.await(ctx, reading))
}

// WaitWrite parks until a Write would make progress; see Conn.
func (c *conn) WaitWrite(ctx context.Context) error {
	return c.waited(ctx, "write", c.fd.await(ctx, writing))
}

// waited wraps what is not ctx's error.
func (c *conn) waited(ctx context.Context, op string, err error) error {
	if err == nil || err == ctx.Err() {
		return err
	}
	return c.opError(op, err)
}

// Close ends the connection and every call on it; see Dial. A second Close returns an error that
// wraps net.ErrClosed.
func (c *conn) Close() error { return c.wrapped("close", c.fd.close()) }

// LocalAddr returns this end's address, which must not be changed.
func (c *conn) LocalAddr() net.Addr { return c.laddr }

// RemoteAddr returns the other end's address, which must not be changed.
func (c *conn) RemoteAddr() net.Addr { return c.raddr }

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *conn) SetDeadline(t time.Time) error {
	return c.setError(c.fd.setDeadline(t, forReading|forWriting))
}

// SetReadDeadline makes every Read that waits at t, and every later one, fail with an error that wraps
// os.ErrDeadlineExceeded. It counts for those that wait already. The zero time is no deadline.
func (c *conn) SetReadDeadline(t time.Time) error { return c.setError(c.fd.setDeadline(t, forReading)) }

// SetWriteDeadline is SetReadDeadline for Write, which may have written a part.
func (c *conn) SetWriteDeadline(t time.Time) error {
	return c.setError(c.fd.setDeadline(t, forWriting))
}

// SetReadBuffer sets the size of the kernel's buffer for what has come, in bytes.
func (c *conn) SetReadBuffer(bytes int) error {
	return c.setError(c.fd.setOption(unix.SOL_SOCKET, unix.SO_RCVBUF, bytes))
}

// SetWriteBuffer sets the size of the kernel's buffer for what is to go, in bytes.
func (c *conn) SetWriteBuffer(bytes int) error {
	return c.setError(c.fd.setOption(unix.SOL_SOCKET, unix.SO_SNDBUF, bytes))
}

// SyscallConn gives access to the descriptor; its functions wait on the connection's poller.
func (c *conn) SyscallConn() (syscall.RawConn, error) { return &rawConn{c}, nil }

// File returns a copy of the descriptor as an *os.File, which is to be closed too. The two share what the kernel
// has of the socket, non-blocking mode among it.
func (c *conn) File() (*os.File, error) {
	f, err := c.fd.dup(fileName(c.network, c.laddr, c.raddr))
	return f, c.wrapped("file", err)
}

func (c *conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: c.network, Source: c.laddr, Addr: c.raddr, Err: err}
}

// wrapped is opError of what may be nil.
func (c *conn) wrapped(op string, err error) error {
	if err != nil {
		err = c.opError(op, err)
	}
	return err
}

// setError names this end as the one concerned, as net does.
func (c *conn) setError(err error) error {
	if err != nil {
		err = &net.OpError{Op: "set", Net: c.network, Addr: c.laddr, Err: err}
	}
	return err
}
