//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/userrt/userrt/sched"
)

// From what users write, "host:port" or a path, to addresses.
// The same in Go: net/dial.go, resolveAddrList; net/ipsock.go, internetAddrList.

var errMissingAddress = errors.New("missing address") // net's text; net does not export the error

// addrList is the addresses of a name, in the resolver's order.
type addrList []net.Addr

func isTCP(network string) bool { return network == "tcp" || network == "tcp4" || network == "tcp6" }

func isUDP(network string) bool  { return network == "udp" || network == "udp4" || network == "udp6" }
func isUnix(network string) bool { return network == "unix" || network == "unixgram" }

// resolve turns address into the addresses that it means on network, at least one. A literal address is only
// parsed; a name is looked up while the caller is parked. Errors are those of package net, not yet
// in a *net.OpError.
func resolve(ctx context.Context, op, network, address string) (addrList, error) {
	if !isTCP(network) && !isUDP(network) && !isUnix(network) {
		return nil, net.UnknownNetworkError(network)
	}
	if address == "" && op == "dial" {
		return nil, errMissingAddress
	}
	if isUnix(network) {
		return addrList{&net.UnixAddr{Name: address, Net: network}}, nil
	}
	if address == "" {
		return addrList{inetAddr(network, netip.Addr{}, 0)}, nil
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := lookupPort(ctx, network, service)
	if err != nil {
		return nil, err
	}
	if host == "" {
		return addrList{inetAddr(network, netip.Addr{}, port)}, nil
	}
	ips, err := lookupHost(ctx, network, host)
	if err != nil {
		return nil, err
	}
	addrs := make(addrList, 0, len(ips))
	for _, ip := range ips {
		if suits(network, ip) {
			addrs = append(addrs, inetAddr(network, ip, port))
		}
	}
	if len(addrs) == 0 {
		return nil, &net.AddrError{Err: "no suitable address found", Addr: host}
	}
	return addrs, nil
}

// inetAddr is net's form of an address; the zero ip is the wildcard.
func inetAddr(network string, ip netip.Addr, port int) net.Addr {
	var b net.IP
	if ip.IsValid() {
		b = net.IP(ip.AsSlice()).To16()
	}
	if isUDP(network) {
		return &net.UDPAddr{IP: b, Port: port, Zone: ip.Zone()}
	}
	return &net.TCPAddr{IP: b, Port: port, Zone: ip.Zone()}
}

// ipOf returns the IP of an internet address, nil of another.
func ipOf(a net.Addr) net.IP {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.IP
	case *net.UDPAddr:
		return a.IP
	default:
		return nil
	}
}

// suits reports whether ip can be used on network.
func suits(network string, ip netip.Addr) bool {
	ipv4 := ip.Unmap().Is4()
	switch {
	case strings.HasSuffix(network, "4"):
		return ipv4
	case strings.HasSuffix(network, "6"):
		return !ipv4
	default:
		return true
	}
}

// first returns the address that one who needs but one takes: the first that is IPv4, if any is.
func (l addrList) first() net.Addr {
	for _, a := range l {
		if ipOf(a).To4() != nil {
			return a
		}
	}
	return l[0]
}

// split parts the addresses by family: those of the first one's, and the others.
func (l addrList) split() (primaries, fallbacks addrList) {
	first := ipOf(l[0]).To4() != nil
	for _, a := range l {
		if ipOf(a).To4() != nil == first {
			primaries = append(primaries, a)
		} else {
			fallbacks = append(fallbacks, a)
		}
	}
	return primaries, fallbacks
}

// lookupPort turns a port number or a service name into a number.
func lookupPort(ctx context.Context, network, service string) (int, error) {
	if port, err := strconv.ParseUint(service, 10, 16); err == nil {
		return int(port), nil
	}
	// The empty port, signs and bad numbers are left to package net too: it decides what they mean.
	return lookup(ctx, func(ctx context.Context) (int, error) {
		return net.DefaultResolver.LookupPort(ctx, network, service)
	})
}

// lookupHost turns a literal address or a name into addresses.
func lookupHost(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		// A machine may be able to listen on :: and yet not to connect to it.
		if ip == netip.IPv6Unspecified() {
			return []netip.Addr{ip, netip.IPv4Unspecified()}, nil
		}
		return []netip.Addr{ip}, nil
	}
	family := "ip" + network[len("tcp"):]
	return lookup(ctx, func(ctx context.Context) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, family, host)
	})
}

// lookup runs fn, which may block its thread, on a goroutine of its own while the caller is parked: sched.Block
// would do as well, but would keep a thread for each look-up and could not be unwound. When the caller is
// unwound, fn's context ends.
func lookup[T any](ctx context.Context, fn func(ctx context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var result struct {
		v    T
		err  error
		done waitWord
	}
	r := &result
	expected := sched.Current().Expect() // no deadlock: the goroutine will wake the caller
	go func() {
		defer expected()
		r.v, r.err = fn(ctx)
		r.done.wake()
	}()
	r.done.waitOrExit(sched.WaitReasonIOWait)
	return r.v, r.err
}
