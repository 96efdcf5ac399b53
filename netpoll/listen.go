//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Listening and accepting. The same in Go: net/sock_posix.go, listenStream; net/tcpsock.go, TCPListener.

// backlog is the length asked for of the queue of connections not yet accepted. The kernel takes less
// when net.core.somaxconn says so; kernels before 4.1 wrap at 1<<16.
const backlog = 1<<16 - 1

// listener is a listening socket.
type listener struct {
	fd      pollFD
	network string
	addr    net.Addr
}

func listen(network, address string) (net.Listener, error) {
	addrs, err := resolve("listen", network, address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	// One listener has one address: of a name's the first that is IPv4, if any is.
	addr := addrs[0]
	for _, a := range addrs {
		if a.IP.To4() != nil {
			addr = a
			break
		}
	}
	l, err := listenTCP(network, addr)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: addr, Err: err}
	}
	return l, nil
}

func listenTCP(network string, addr *net.TCPAddr) (*listener, error) {
	family, v6only := listenFamily(network, addr)
	sa, err := sockaddr(family, addr)
	if err != nil {
		return nil, err
	}
	sysfd, err := socket(family, v6only)
	if err != nil {
		return nil, err
	}
	if err := bindAndListen(sysfd, sa); err != nil {
		_ = unix.Close(sysfd)
		return nil, err
	}
	l := &listener{network: network}
	if err := l.fd.init(sysfd); err != nil {
		return nil, err
	}
	local, _ := unix.Getsockname(sysfd)
	l.addr = opAddr(tcpAddr(local))
	return l, nil
}

func bindAndListen(sysfd int, sa unix.Sockaddr) error {
	if err := unix.SetsockoptInt(sysfd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if err := setStreamDefaults(sysfd); err != nil {
		return err
	}
	if err := unix.Bind(sysfd, sa); err != nil {
		return os.NewSyscallError("bind", err)
	}
	return os.NewSyscallError("listen", unix.Listen(sysfd, backlog))
}

// Accept parks until a connection comes and returns it; see Listen.
func (l *listener) Accept() (net.Conn, error) {
	sysfd, peer, err := l.fd.accept()
	if err != nil {
		return nil, l.opError("accept", err)
	}
	c := &conn{network: l.network}
	if err := c.fd.init(sysfd); err != nil {
		return nil, l.opError("accept", err)
	}
	if !optionsInherited {
		_ = setStreamDefaults(sysfd) // the connection is good all the same
	}
	local, _ := unix.Getsockname(sysfd)
	c.laddr, c.raddr = opAddr(tcpAddr(local)), opAddr(tcpAddr(peer))
	return c, nil
}

// Close ends the listening and every Accept; connections not yet accepted are broken off. A second
// Close returns an error that wraps net.ErrClosed.
func (l *listener) Close() error {
	if err := l.fd.close(); err != nil {
		return l.opError("close", err)
	}
	return nil
}

// Addr returns the address listened on, a *net.TCPAddr that must not be changed.
func (l *listener) Addr() net.Addr { return l.addr }

func (l *listener) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: l.network, Addr: l.addr, Err: err}
}
