//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/hb"
)

// Connecting. The same in Go: net/dial.go, DialContext, dialSingle; net/fd_unix.go, connect; net/tcpsock_posix.go,
// doDialTCPProto.

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	addrs, err := resolve(ctx, "dial", network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	if network == "tcp" {
		if primaries, fallbacks := addrs.split(); len(fallbacks) > 0 {
			return dialParallel(ctx, network, primaries, fallbacks)
		}
	}
	return dialSerial(ctx, network, addrs)
}

// dialOne connects to one address. Errors are not yet in a *net.OpError.
func dialOne(ctx context.Context, network string, addr net.Addr) (net.Conn, error) {
	switch addr := addr.(type) {
	case *net.UDPAddr:
		return dialUDP(ctx, network, addr)
	case *net.UnixAddr:
		return dialUnix(ctx, network, addr)
	default:
		c, err := dialTCP(ctx, network, addr.(*net.TCPAddr))
		if err != nil {
			return nil, err
		}
		return c, nil
	}
}

// dialTCP connects to one address. Twice it tries again when the kernel's choice of a local port was
// bad: when it is the very port that is dialled, which connects the socket to itself, and when it turns
// out to be taken.
func dialTCP(ctx context.Context, network string, addr *net.TCPAddr) (*tcpConn, error) {
	c, err := connectTCP(ctx, network, addr)
	for range 2 {
		switch {
		case err == nil && c.selfConnected():
			_ = c.fd.close()
		case errors.Is(err, unix.EADDRNOTAVAIL):
		default:
			return c, err
		}
		c, err = connectTCP(ctx, network, addr)
	}
	return c, err
}

// connectTCP makes one attempt.
func connectTCP(ctx context.Context, network string, addr *net.TCPAddr) (*tcpConn, error) {
	family, v6only := dialFamily(network, addr)
	sa, err := sockaddr(family, addr)
	if err != nil {
		return nil, err
	}
	sysfd, err := socket(family, unix.SOCK_STREAM, v6only)
	if err != nil {
		return nil, err
	}
	// Early, since it needs no peer and a failure later would have to close the connection.
	if err := setStreamDefaults(sysfd); err != nil {
		_ = unix.Close(sysfd)
		return nil, err
	}
	c := &tcpConn{streamConn{conn{network: network}}}
	c.fd.tcp = true
	if err := c.connect(ctx, sysfd, unix.Connect(sysfd, sa), addr); err != nil {
		return nil, err
	}
	return c, nil
}

// connect takes sysfd over, for which the system call connect has returned started, and closes it on error. It parks
// until the peer, at addr, has answered, or ctx ends.
func (c *conn) connect(ctx context.Context, sysfd int, started error, addr net.Addr) error {
	switch started {
	case nil, unix.EINPROGRESS, unix.EALREADY, unix.EINTR, unix.EISCONN:
	default:
		_ = unix.Close(sysfd)
		return os.NewSyscallError("connect", started)
	}
	// Registered only now: an unconnected stream socket counts as hung up.
	if err := c.fd.init(sysfd); err != nil {
		return err
	}
	connected := false
	defer func() { // also when the task is unwound while it waits
		if !connected {
			_ = c.fd.close()
		}
	}()
	if started != nil && started != unix.EISCONN {
		if err := c.awaitConnected(ctx); err != nil {
			return err
		}
	} else if err := ctx.Err(); err != nil {
		return asNet(err)
	}
	connected = true
	c.setAddrs(sysfd, addr)
	return nil
}

// awaitConnected parks until a connect under way has succeeded or failed, or ctx ends. Its deadline is the scheduler's
// timer's business, which is more exact than the context's own when all processors are busy.
func (c *conn) awaitConnected(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok {
		_ = c.fd.setDeadline(deadline, forWriting)
		defer c.fd.setDeadline(time.Time{}, forWriting)
	}
	by, stop := c.fd.watch(ctx, writing)
	defer stop()
	err := c.fd.finishConnect(by)
	switch err {
	case errCancelled:
		return asNet(ctx.Err())
	case os.ErrDeadlineExceeded:
		return asNet(context.DeadlineExceeded)
	default:
		return err
	}
}

// finishConnect parks until a connect under way has succeeded or failed. Errors: those of waitWrite,
// *os.SyscallError.
func (f *pollFD) finishConnect(by *canceller) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	for {
		if err := f.waitWrite(by); err != nil {
			return err
		}
		code, err := unix.GetsockoptInt(f.sysfd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err != nil {
			return sysError("getsockopt", err)
		}
		switch errno := unix.Errno(code); errno {
		case unix.EINPROGRESS, unix.EALREADY, unix.EINTR:
		case unix.EISCONN:
			return nil
		case 0:
			// A wait may end for nothing: only a socket with a peer is connected.
			if _, err := unix.Getpeername(f.sysfd); err == nil {
				return nil
			}
		default:
			return sysError("connect", errno)
		}
	}
}

// selfConnected reports whether c's two ends are one socket.
func (c *conn) selfConnected() bool {
	l, lok := c.laddr.(*net.TCPAddr)
	r, rok := c.raddr.(*net.TCPAddr)
	return lok && rok && l.Port == r.Port && l.IP.Equal(r.IP)
}
