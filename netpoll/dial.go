//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"errors"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/hb"
)

// Connecting. The same in Go: net/dial.go, dialSerial; net/fd_unix.go, connect; net/tcpsock_posix.go,
// doDialTCPProto.

func dial(network, address string) (net.Conn, error) {
	addrs, err := resolve("dial", network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	var first error
	for _, addr := range addrs {
		c, err := dialTCP(network, addr)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = &net.OpError{Op: "dial", Net: network, Addr: addr, Err: err}
		}
	}
	return nil, first
}

// dialTCP connects to one address. Twice it tries again when the kernel's choice of a local port was
// bad: when it is the very port that is dialled, which connects the socket to itself, and when it turns
// out to be taken.
func dialTCP(network string, addr *net.TCPAddr) (*conn, error) {
	c, err := connect(network, addr)
	for range 2 {
		switch {
		case err == nil && c.selfConnected():
			_ = c.fd.close()
		case errors.Is(err, unix.EADDRNOTAVAIL):
		default:
			return c, err
		}
		c, err = connect(network, addr)
	}
	return c, err
}

// connect makes one attempt.
func connect(network string, addr *net.TCPAddr) (*conn, error) {
	family, v6only := dialFamily(network, addr)
	sa, err := sockaddr(family, addr)
	if err != nil {
		return nil, err
	}
	sysfd, err := socket(family, v6only)
	if err != nil {
		return nil, err
	}
	started := unix.Connect(sysfd, sa)
	switch started {
	case nil, unix.EINPROGRESS, unix.EALREADY, unix.EINTR, unix.EISCONN:
	default:
		_ = unix.Close(sysfd)
		return nil, os.NewSyscallError("connect", started)
	}
	// Registered only now: an unconnected socket counts as hung up.
	c := &conn{network: network}
	if err := c.fd.init(sysfd); err != nil {
		return nil, err
	}
	connected := false
	defer func() { // also when the task is unwound while it waits
		if !connected {
			_ = c.fd.close()
		}
	}()
	if started != nil && started != unix.EISCONN {
		if err := c.fd.finishConnect(); err != nil {
			return nil, err
		}
	}
	if err := setStreamDefaults(sysfd); err != nil {
		return nil, err
	}
	connected = true
	local, _ := unix.Getsockname(sysfd)
	c.laddr, c.raddr = opAddr(tcpAddr(local)), addr
	if peer, err := unix.Getpeername(sysfd); err == nil {
		c.raddr = opAddr(tcpAddr(peer))
	}
	return c, nil
}

// finishConnect parks until a connect under way has succeeded or failed.
func (f *pollFD) finishConnect() error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	for {
		if err := f.waitWrite(); err != nil {
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
