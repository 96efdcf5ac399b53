//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/sched"
)

// From "host:port" to addresses, and between net's addresses and the kernel's.
// The same in Go: net/ipsock.go, internetAddrList; net/tcpsock_posix.go.

var errMissingAddress = errors.New("missing address") // net's text; net does not export the error

// resolve turns address into the TCP addresses it means, at least one. A literal address is only
// parsed; a name is looked up while the caller is parked. Errors are those of package net, not yet
// in a *net.OpError.
func resolve(op, network, address string) ([]*net.TCPAddr, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, net.UnknownNetworkError(network)
	}
	if address == "" {
		if op == "dial" {
			return nil, errMissingAddress
		}
		return []*net.TCPAddr{{}}, nil
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := lookupPort(network, service)
	if err != nil {
		return nil, err
	}
	if host == "" {
		return []*net.TCPAddr{{Port: port}}, nil
	}
	ips, err := lookupHost(network, host)
	if err != nil {
		return nil, err
	}
	addrs := make([]*net.TCPAddr, 0, len(ips))
	for _, ip := range ips {
		if suits(network, ip) {
			addrs = append(addrs, &net.TCPAddr{IP: net.IP(ip.AsSlice()).To16(), Port: port, Zone: ip.Zone()})
		}
	}
	if len(addrs) == 0 {
		return nil, &net.AddrError{Err: "no suitable address found", Addr: host}
	}
	return addrs, nil
}

// suits reports whether ip can be used on network.
func suits(network string, ip netip.Addr) bool {
	switch ipv4 := ip.Unmap().Is4(); network {
	case "tcp4":
		return ipv4
	case "tcp6":
		return !ipv4
	default:
		return true
	}
}

// lookupPort turns a port number or a service name into a number.
func lookupPort(network, service string) (int, error) {
	if port, err := strconv.ParseUint(service, 10, 16); err == nil {
		return int(port), nil
	}
	// The empty port, signs and bad numbers are left to package net too: it decides what they mean.
	return lookup(func(ctx context.Context) (int, error) {
		return net.DefaultResolver.LookupPort(ctx, network, service)
	})
}

// lookupHost turns a literal address or a name into addresses.
func lookupHost(network, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		// A machine may be able to listen on :: and yet not to connect to it.
		if ip == netip.IPv6Unspecified() {
			return []netip.Addr{ip, netip.IPv4Unspecified()}, nil
		}
		return []netip.Addr{ip}, nil
	}
	family := "ip" + network[len("tcp"):]
	return lookup(func(ctx context.Context) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, family, host)
	})
}

// lookup runs fn, which may block its thread, on a goroutine of its own while the caller is parked.
// When the caller is unwound, ctx ends.
func lookup[T any](fn func(ctx context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var result struct {
		v    T
		err  error
		done waitWord
	}
	r := &result
	go func() {
		r.v, r.err = fn(ctx)
		r.done.wake()
	}()
	r.done.waitOrExit(sched.WaitReasonIOWait)
	return r.v, r.err
}

// sockaddr turns a into the kernel's form for a socket of the given family; nil and empty IPs are its
// wildcard. Errors: *net.AddrError.
func sockaddr(family int, a *net.TCPAddr) (unix.Sockaddr, error) {
	if family == unix.AF_INET {
		sa := &unix.SockaddrInet4{Port: a.Port}
		if len(a.IP) == 0 {
			return sa, nil
		}
		ip := a.IP.To4()
		if ip == nil {
			return nil, &net.AddrError{Err: "non-IPv4 address", Addr: a.IP.String()}
		}
		copy(sa.Addr[:], ip)
		return sa, nil
	}
	sa := &unix.SockaddrInet6{Port: a.Port, ZoneId: zoneID(a.Zone)}
	// The wildcard of one family is that of the other: a dual-stack socket knows only ::.
	if len(a.IP) == 0 || a.IP.Equal(net.IPv4zero) {
		return sa, nil
	}
	ip := a.IP.To16()
	if ip == nil {
		return nil, &net.AddrError{Err: "non-IPv6 address", Addr: a.IP.String()}
	}
	copy(sa.Addr[:], ip)
	return sa, nil
}

// tcpAddr turns the kernel's address into net's; nil when it is not an internet address.
func tcpAddr(sa unix.Sockaddr) *net.TCPAddr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return &net.TCPAddr{IP: sa.Addr[:], Port: sa.Port}
	case *unix.SockaddrInet6:
		return &net.TCPAddr{IP: sa.Addr[:], Port: sa.Port, Zone: zoneName(sa.ZoneId)}
	default:
		return nil
	}
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
