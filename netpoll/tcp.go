//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// tcpConn is a TCP connection. The same in Go: net/tcpsock.go, TCPConn.
type tcpConn struct{ streamConn }

// streamConn is what connections of bytes have: halves that can be closed, and writes of more than one piece.
type streamConn struct{ conn }

// CloseRead ends the half of the connection that reads: what comes later is thrown away.
func (c *streamConn) CloseRead() error { return c.wrapped("close", c.fd.shutdown(unix.SHUT_RD)) }

// CloseWrite ends the half that writes: the peer reads what is under way, then io.EOF.
func (c *streamConn) CloseWrite() error { return c.wrapped("close", c.fd.shutdown(unix.SHUT_WR)) }

// WriteBuffers writes all of v, many buffers by one system call, and takes out of v what was written. (The
// method by which net.Buffers would do so for net's connections cannot be provided from outside of package
// net, so (*net.Buffers).WriteTo writes to this connection buffer by buffer.)
func (c *streamConn) WriteBuffers(v *net.Buffers) (int64, error) {
	n, err := c.fd.writev(*v)
	consume(v, n)
	return n, c.wrapped("write", err)
}

// ReadFrom writes all that r has to the connection: of a regular *os.File, or an *io.LimitedReader of one, without
// copying it through this process, and of a *net.Buffers by WriteBuffers. io.Copy calls it unless r has a WriteTo: a
// file's comes here after all, that of a *net.Buffers writes buffer by buffer.
func (c *streamConn) ReadFrom(r io.Reader) (int64, error) {
	if v, ok := r.(*net.Buffers); ok {
		return c.WriteBuffers(v)
	}
	n, handled, err := c.sendFile(r)
	if handled {
		return n, c.wrapped("readfrom", err)
	}
	n, err = io.Copy(struct{ io.Writer }{c}, r)
	if err != nil && err != io.EOF {
		err = c.opError("readfrom", err)
	}
	return n, err
}

// SetNoDelay says whether small writes go out at once, which is the default, or wait for company (Nagle's algorithm).
func (c *tcpConn) SetNoDelay(noDelay bool) error {
	return c.wrapped("set", c.fd.setOption(unix.IPPROTO_TCP, unix.TCP_NODELAY, oneIf(noDelay)))
}

// SetKeepAlive says whether a silent peer is asked for a sign of life, which is the default.
func (c *tcpConn) SetKeepAlive(keepAlive bool) error {
	return c.wrapped("set", c.fd.setOption(unix.SOL_SOCKET, unix.SO_KEEPALIVE, oneIf(keepAlive)))
}

// SetKeepAlivePeriod sets after how long a silence the peer is asked, rounded up to seconds; 0 is the default, a
// negative d leaves it as it is.
func (c *tcpConn) SetKeepAlivePeriod(d time.Duration) error {
	if d < 0 {
		return nil
	}
	return c.wrapped("set", c.fd.setKeepAlive(optKeepIdle, seconds(d, keepAliveIdle)))
}

// SetKeepAliveConfig sets all of it; fields that are 0 mean the defaults, negative ones leave things as they are.
func (c *tcpConn) SetKeepAliveConfig(cfg net.KeepAliveConfig) error {
	if err := c.SetKeepAlive(cfg.Enable); err != nil {
		return err
	}
	if err := c.SetKeepAlivePeriod(cfg.Idle); err != nil {
		return err
	}
	if cfg.Interval >= 0 {
		err := c.fd.setKeepAlive(optKeepInterval, seconds(cfg.Interval, keepAliveInterval))
		if err != nil {
			return c.opError("set", err)
		}
	}
	if cfg.Count < 0 {
		return nil
	}
	count := cfg.Count
	if count == 0 {
		count = keepAliveCount
	}
	return c.wrapped("set", c.fd.setKeepAlive(optKeepCount, count))
}

// SetLinger says what Close does with what is not yet sent: sec < 0, the default, sends it in the background; 0
// throws it away and resets the connection; more than 0 throws it away after so many seconds.
func (c *tcpConn) SetLinger(sec int) error {
	return c.wrapped("set", c.fd.use(func(sysfd int) error {
		l := unix.Linger{Onoff: int32(oneIf(sec >= 0)), Linger: int32(max(sec, 0))}
		return os.NewSyscallError("setsockopt", unix.SetsockoptLinger(sysfd, unix.SOL_SOCKET, unix.SO_LINGER, &l))
	}))
}

func oneIf(on bool) int {
	if on {
		return 1
	}
	return 0
}

// seconds rounds d up; 0 means ifZero.
func seconds(d time.Duration, ifZero int) int {
	if d == 0 {
		return ifZero
	}
	return int((d + time.Second - 1) / time.Second)
}

// setOption sets a whole number; errors as use's.
func (f *pollFD) setOption(level, name, value int) error {
	return f.use(func(sysfd int) error {
		return os.NewSyscallError("setsockopt", unix.SetsockoptInt(sysfd, level, name, value))
	})
}

// setKeepAlive is setOption of one of keep-alive's times; option is 0 where there is none.
func (f *pollFD) setKeepAlive(option, value int) error {
	if option == 0 {
		return unix.ENOPROTOOPT
	}
	return f.setOption(unix.IPPROTO_TCP, option, value)
}

func (f *pollFD) shutdown(how int) error {
	return f.use(func(sysfd int) error { return os.NewSyscallError("shutdown", unix.Shutdown(sysfd, how)) })
}
