//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"net"
	"strconv"

	"golang.org/x/sys/unix"
)

// Addresses between net's form and x/sys's, for calls that are rare; rawaddr_linux.go is for each datagram.
// The same in Go: net/ipsock_posix.go, ipToSockaddr.

// kernelIP returns ip as a socket of the given family has it; nil and empty ones are its wildcard. Errors:
// *net.AddrError.
func kernelIP(family int, ip net.IP) ([]byte, error) {
	if family == unix.AF_INET {
		if len(ip) == 0 {
			return net.IPv4zero.To4(), nil
		}
		if ip4 := ip.To4(); ip4 != nil {
			return ip4, nil
		}
		return nil, &net.AddrError{Err: "non-IPv4 address", Addr: ip.String()}
	}
	// The wildcard of one family is that of the other: a dual-stack socket knows only ::.
	if len(ip) == 0 || ip.Equal(net.IPv4zero) {
		return net.IPv6zero, nil
	}
	if ip6 := ip.To16(); ip6 != nil {
		return ip6, nil
	}
	return nil, &net.AddrError{Err: "non-IPv6 address", Addr: ip.String()}
}

// inetSockaddr is an internet address for a socket of the given family. Errors: *net.AddrError.
func inetSockaddr(family int, ip net.IP, port int, zone string) (unix.Sockaddr, error) {
	b, err := kernelIP(family, ip)
	if err != nil {
		return nil, err
	}
	if family == unix.AF_INET {
		return &unix.SockaddrInet4{Port: port, Addr: [4]byte(b)}, nil
	}
	return &unix.SockaddrInet6{Port: port, Addr: [16]byte(b), ZoneId: zoneID(zone)}, nil
}

// sockaddr turns a, one of net's addresses, into the kernel's form. Errors: *net.AddrError.
func sockaddr(family int, a net.Addr) (unix.Sockaddr, error) {
	switch a := a.(type) {
	case *net.TCPAddr:
		return inetSockaddr(family, a.IP, a.Port, a.Zone)
	case *net.UDPAddr:
		return inetSockaddr(family, a.IP, a.Port, a.Zone)
	case *net.UnixAddr:
		return &unix.SockaddrUnix{Name: a.Name}, nil
	default:
		return nil, &net.AddrError{Err: "unexpected address type", Addr: a.String()}
	}
}

// netAddr turns the kernel's address of a socket on network into net's; nil when there is none.
func netAddr(network string, sa unix.Sockaddr) net.Addr {
	var ip net.IP
	var port int
	var zone string
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		ip, port = sa.Addr[:], sa.Port
	case *unix.SockaddrInet6:
		ip, port, zone = sa.Addr[:], sa.Port, zoneName(sa.ZoneId)
	case *unix.SockaddrUnix:
		return &net.UnixAddr{Name: sa.Name, Net: network}
	default:
		return nil
	}
	if isUDP(network) {
		return &net.UDPAddr{IP: ip, Port: port, Zone: zone}
	}
	return &net.TCPAddr{IP: ip, Port: port, Zone: zone}
}

// zoneID turns the zone of an IPv6 address, an interface's name or number, into its number; 0 when
// there is none.
func zoneID(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if ifi, err := net.InterfaceByName(zone); err == nil {
		return uint32(ifi.Index)
	}
	n, _ := strconv.ParseUint(zone, 10, 32)
	return uint32(n)
}

// zoneName undoes zoneID.
func zoneName(id uint32) string {
	if id == 0 {
		return ""
	}
	if ifi, err := net.InterfaceByIndex(int(id)); err == nil {
		return ifi.Name
	}
	return strconv.FormatUint(uint64(id), 10)
}
