//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"io"
	"net"
	"os"
	"time"
)

// conn is a TCP connection as a net.Conn: pollFD's operations with their errors wrapped.
// The same in Go: net/net.go, conn; net/fd_posix.go.
type conn struct {
	fd           pollFD
	network      string
	laddr, raddr net.Addr
}

// Read parks until there is at least a byte; see Dial.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.fd.read(b)
	if err != nil && err != io.EOF {
		err = c.opError("read", err)
	}
	return n, err
}

// Write parks until all of b is written or something has failed; see Dial.
func (c *conn) Write(b []byte) (int, error) {
	n, err := c.fd.write(b)
	if err != nil {
		err = c.opError("write", err)
	}
	return n, err
}

// Close ends the connection and every Read and Write; see Dial. A second Close returns an error that
// wraps net.ErrClosed.
func (c *conn) Close() error {
	if err := c.fd.close(); err != nil {
		return c.opError("close", err)
	}
	return nil
}

// LocalAddr returns this end's address, a *net.TCPAddr that must not be changed.
func (c *conn) LocalAddr() net.Addr { return c.laddr }

// RemoteAddr returns the other end's address, a *net.TCPAddr that must not be changed.
func (c *conn) RemoteAddr() net.Addr { return c.raddr }

// SetDeadline returns an error that wraps os.ErrNoDeadline, or net.ErrClosed after Close.
func (c *conn) SetDeadline(time.Time) error { return c.noDeadline() }

// SetReadDeadline is SetDeadline.
func (c *conn) SetReadDeadline(time.Time) error { return c.noDeadline() }

// SetWriteDeadline is SetDeadline.
func (c *conn) SetWriteDeadline(time.Time) error { return c.noDeadline() }

// noDeadline names this end as the one concerned, as net does.
func (c *conn) noDeadline() error {
	err := c.fd.alive()
	if err == nil {
		err = os.ErrNoDeadline
	}
	return &net.OpError{Op: "set", Net: c.network, Addr: c.laddr, Err: err}
}

func (c *conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: c.network, Source: c.laddr, Addr: c.raddr, Err: err}
}

// opAddr keeps a nil address from becoming an interface that is not nil.
func opAddr(a *net.TCPAddr) net.Addr {
	if a == nil {
		return nil
	}
	return a
}
