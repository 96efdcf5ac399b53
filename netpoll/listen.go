//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Listeners. The same in Go: net/sock_posix.go, listenStream; net/tcpsock.go, TCPListener; net/unixsock_posix.go, close.

// backlog is the length asked for of the queue of connections not yet accepted. The kernel takes less
// when net.core.somaxconn says so; kernels before 4.1 wrap at 1<<16.
const backlog = 1<<16 - 1

// listener is a listening socket, of network tcp or unix.
type listener struct {
	fd      pollFD
	network string
	addr    net.Addr
	lull    lull
	path    string // a unix socket's name: Close removes it, if it is a file's
	keep    atomic.Bool
	unlink  sync.Once
}

func listen(network, address string) (net.Listener, error) {
	addr, err := resolveOne(network, address)
	if err != nil {
		return nil, err
	}
	var l *listener
	switch a := addr.(type) {
	case *net.TCPAddr:
		l, err = listenTCP(network, a)
	case *net.UnixAddr:
		if network == "unix" {
			l, err = listenUnix(network, a)
			break
		}
		err = &net.AddrError{Err: "unexpected address type", Addr: address}
	default:
		err = &net.AddrError{Err: "unexpected address type", Addr: address}
	}
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: addr, Err: err}
	}
	return l, nil
}

func listenPacket(network, address string) (net.PacketConn, error) {
	addr, err := resolveOne(network, address)
	if err != nil {
		return nil, err
	}
	var c net.PacketConn
	switch a := addr.(type) {
	case *net.UDPAddr:
		c, err = listenUDP(network, a)
	case *net.UnixAddr:
		if network == "unixgram" {
			c, err = listenUnixgram(network, a)
			break
		}
		err = &net.AddrError{Err: "unexpected address type", Addr: address}
	default:
		err = &net.AddrError{Err: "unexpected address type", Addr: address}
	}
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: addr, Err: err}
	}
	return c, nil
}

// resolveOne returns the one of address's addresses that is listened on.
func resolveOne(network, address string) (net.Addr, error) {
	addrs, err := resolve(context.Background(), "listen", network, address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	return addrs.first(), nil
}

func listenTCP(network string, addr *net.TCPAddr) (*listener, error) {
	family, v6only, err := listenFamily(network, addr)
	if err != nil {
		return nil, err
	}
	sa, err := sockaddr(family, addr)
	if err != nil {
		return nil, err
	}
	sysfd, err := socket(family, unix.SOCK_STREAM, v6only)
	if err != nil {
		return nil, err
	}
	if err := bindAndListen(sysfd, sa); err != nil {
		_ = unix.Close(sysfd)
		return nil, err
	}
	return newListener(network, sysfd)
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

// newListener takes sysfd, which listens, over.
func newListener(network string, sysfd int) (*listener, error) {
	l := &listener{network: network}
	if err := l.fd.init(sysfd); err != nil {
		return nil, err
	}
	if local, err := unix.Getsockname(sysfd); err == nil {
		l.addr = netAddr(network, local)
	}
	return l, nil
}

// Accept parks until a connection comes and returns it; see Listen.
func (l *listener) Accept() (net.Conn, error) {
	sysfd, peer, err := l.fd.accept(&l.lull)
	if err != nil {
		return nil, l.wrapped("accept", err)
	}
	nc, c := l.newConn()
	if err := c.fd.init(sysfd); err != nil {
		return nil, l.wrapped("accept", err)
	}
	if !optionsInherited && c.fd.tcp {
		_ = setStreamDefaults(sysfd) // the connection is good all the same
	}
	if l.fd.pd.special.Load()&handedOut != 0 { // what the user has set there is the connection's too
		c.fd.pd.special.Or(handedOut)
	}
	c.raddr = netAddr(l.network, peer)
	if local, err := unix.Getsockname(sysfd); err == nil {
		c.laddr = netAddr(l.network, local)
	}
	return nc, nil
}

// newConn makes a connection of the listener's kind; c is its inner part.
func (l *listener) newConn() (nc net.Conn, c *conn) {
	if l.network == "unix" {
		u := &unixConn{streamConn{conn{network: l.network}}}
		return u, &u.conn
	}
	t := &tcpConn{streamConn{conn{network: l.network}}}
	t.fd.tcp = true
	return t, &t.conn
}

// Close ends the listening and every Accept; connections not yet accepted are broken off. A unix socket's name is
// removed. A second Close returns an error that wraps net.ErrClosed.
func (l *listener) Close() error {
	if l.path != "" {
		l.unlink.Do(func() {
			if !l.keep.Load() {
				unlinkUnix(l.path)
			}
		})
	}
	return l.wrapped("close", l.fd.close())
}

// SetUnlinkOnClose says whether Close, of which the first counts, removes a unix socket's name. By default it does.
func (l *listener) SetUnlinkOnClose(unlink bool) { l.keep.Store(!unlink) }

// Addr returns the address listened on, which must not be changed.
func (l *listener) Addr() net.Addr { return l.addr }

// SetDeadline makes every Accept that waits at t, and every later one, fail with an error that wraps
// os.ErrDeadlineExceeded. The zero time is no deadline.
func (l *listener) SetDeadline(t time.Time) error { return l.fd.setDeadline(t, forReading) }

// SyscallConn gives access to the descriptor, for Control only.
func (l *listener) SyscallConn() (syscall.RawConn, error) { return &rawListener{l}, nil }

// File returns a copy of the descriptor as an *os.File, which is to be closed too.
func (l *listener) File() (*os.File, error) {
	f, err := l.fd.dup(fileName(l.network, l.addr, nil))
	return f, l.wrapped("file", err)
}

func (l *listener) wrapped(op string, err error) error {
	if err != nil {
		err = &net.OpError{Op: op, Net: l.network, Addr: l.addr, Err: err}
	}
	return err
}
