//go:build darwin || dragonfly || freebsd || netbsd || openbsd || (linux && userrt_kqueue)

package netpoll

import (
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Addresses of datagrams as x/sys has them, where it makes the system calls; rawaddr_linux.go has the same calls. x/sys
// allocates one for each datagram that is received.

// rawAddr is an address. Its zero value is none.
type rawAddr struct{ sa unix.Sockaddr }

// setInet makes a an internet address for a socket of the given family. Errors: *net.AddrError.
func (a *rawAddr) setInet(family int, ip net.IP, port int, zone string) (err error) {
	a.sa, err = inetSockaddr(family, ip, port, zone)
	return err
}

// setUnix makes a the name of a unix socket. One that is too long is an error only when it is used.
func (a *rawAddr) setUnix(name string) error {
	a.sa = &unix.SockaddrUnix{Name: name}
	return nil
}

// isUnix reports whether a is the name of a unix socket.
func (a *rawAddr) isUnix() bool {
	_, ok := a.sa.(*unix.SockaddrUnix)
	return ok
}

// inet returns the internet address that a is.
func (a *rawAddr) inet() (ip netip.Addr, port int, zone uint32) {
	switch sa := a.sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(sa.Addr), sa.Port, 0
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(sa.Addr), sa.Port, sa.ZoneId
	default:
		return netip.Addr{}, 0, 0
	}
}

// unixName returns the name that a is; "" for a socket without one.
func (a *rawAddr) unixName() string {
	if sa, ok := a.sa.(*unix.SockaddrUnix); ok {
		return sa.Name
	}
	return ""
}
