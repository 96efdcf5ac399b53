//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Sockets with names in the file system. The same in Go: net/unixsock_posix.go, unixSocket.

// unixConn is a connection over a unix socket. Its end without a name has the address that package net gives it: "@" on
// linux, "" elsewhere.
type unixConn struct{ streamConn }

func dialUnix(ctx context.Context, network string, addr *net.UnixAddr) (net.Conn, error) {
	sotype := unix.SOCK_STREAM
	if network == "unixgram" {
		sotype = unix.SOCK_DGRAM
	}
	sysfd, err := socket(unix.AF_UNIX, sotype, false)
	if err != nil {
		return nil, err
	}
	started := syscall.Connect(sysfd, unixSockaddr(addr.Name))
	if network == "unixgram" {
		c := &unixgramConn{packetConn{conn: conn{network: network}, family: unix.AF_UNIX, connected: true}}
		return orNil(c, c.connect(ctx, sysfd, started, addr))
	}
	c := &unixConn{streamConn{conn{network: network}}}
	return orNil(c, c.connect(ctx, sysfd, started, addr))
}

// unixSockaddr is the name of a unix socket. It is package syscall's form because x/sys's has room for one byte less of a
// name that is not in the file system.
func unixSockaddr(name string) *syscall.SockaddrUnix { return &syscall.SockaddrUnix{Name: name} }

// orNil keeps a connection that has failed from its caller.
func orNil(c net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}

// bindUnix makes a socket and gives it addr's name.
func bindUnix(sotype int, addr *net.UnixAddr) (sysfd int, err error) {
	sysfd, err = socket(unix.AF_UNIX, sotype, false)
	if err != nil {
		return 0, err
	}
	if err := syscall.Bind(sysfd, unixSockaddr(addr.Name)); err != nil {
		_ = unix.Close(sysfd)
		return 0, os.NewSyscallError("bind", err)
	}
	return sysfd, nil
}

func listenUnix(network string, addr *net.UnixAddr) (*listener, error) {
	sysfd, err := bindUnix(unix.SOCK_STREAM, addr)
	if err != nil {
		return nil, err
	}
	if err := unix.Listen(sysfd, backlog); err != nil {
		_ = unix.Close(sysfd)
		unlinkUnix(addr.Name)
		return nil, os.NewSyscallError("listen", err)
	}
	l, err := newListener(network, sysfd)
	if err != nil {
		unlinkUnix(addr.Name)
		return nil, err
	}
	l.path = l.addr.String()
	return l, nil
}

// unlinkUnix removes the file that bindUnix has made, if name is one's: with the listener, or when nothing comes of the
// socket.
func unlinkUnix(name string) {
	if name != "" && name[0] != '@' {
		_ = unix.Unlink(name) // which knows no name with a zero byte in it
	}
}
