//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// UDP. The same in Go: net/udpsock_posix.go, readFrom, writeTo, readMsg, writeMsg.

// udpConn is a UDP socket, with a peer (Dial) or without (ListenPacket).
type udpConn struct{ packetConn }

var _ net.PacketConn = (*udpConn)(nil)

func dialUDP(ctx context.Context, network string, addr *net.UDPAddr) (net.Conn, error) {
	family, v6only := dialFamily(network, addr)
	sa, err := sockaddr(family, addr)
	if err != nil {
		return nil, err
	}
	sysfd, err := udpSocket(family, v6only)
	if err != nil {
		return nil, err
	}
	c := &udpConn{packetConn{conn: conn{network: network}, family: family, connected: true}}
	return orNil(c, c.connect(ctx, sysfd, unix.Connect(sysfd, sa), addr))
}

func listenUDP(network string, addr *net.UDPAddr) (*udpConn, error) {
	family, v6only, err := listenFamily(network, addr)
	if err != nil {
		return nil, err
	}
	sa, err := sockaddr(family, addr)
	if err != nil {
		return nil, err
	}
	sysfd, err := udpSocket(family, v6only)
	if err != nil {
		return nil, err
	}
	if err := unix.Bind(sysfd, sa); err != nil {
		_ = unix.Close(sysfd)
		return nil, os.NewSyscallError("bind", err)
	}
	c := &udpConn{packetConn{conn: conn{network: network}, family: family}}
	if err := c.fd.init(sysfd); err != nil {
		return nil, err
	}
	c.setAddrs(sysfd, nil)
	return c, nil
}

// udpSocket makes a socket that may broadcast, as package net's may.
func udpSocket(family int, v6only bool) (sysfd int, err error) {
	sysfd, err = socket(family, unix.SOCK_DGRAM, v6only)
	if err != nil {
		return 0, err
	}
	if err := unix.SetsockoptInt(sysfd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1); err != nil {
		_ = unix.Close(sysfd)
		return 0, os.NewSyscallError("setsockopt", err)
	}
	return sysfd, nil
}

// ReadFrom parks until a datagram comes and returns its size and its sender, a *net.UDPAddr. What b has no room for
// is lost.
func (c *udpConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, addr, err := c.ReadFromUDP(b)
	if err != nil {
		return n, nil, err
	}
	return n, addr, nil
}

// ReadFromUDP is ReadFrom with the address's own type.
func (c *udpConn) ReadFromUDP(b []byte) (int, *net.UDPAddr, error) {
	var from rawAddr
	n, err := c.fd.readFrom("recvfrom", b, &from)
	if err != nil {
		return n, nil, c.opError("read", err)
	}
	ip, port, zone := from.inet()
	return n, &net.UDPAddr{IP: ip.AsSlice(), Port: port, Zone: zoneName(zone)}, nil
}

// ReadFromUDPAddrPort is ReadFrom that allocates nothing.
func (c *udpConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	var from rawAddr
	n, err := c.fd.readFrom("recvfrom", b, &from)
	if err != nil {
		return n, netip.AddrPort{}, c.opError("read", err)
	}
	ip, port, zone := from.inet()
	return n, netip.AddrPortFrom(ip.WithZone(zoneName(zone)), uint16(port)), nil
}

// WriteTo sends b as one datagram to addr, a *net.UDPAddr. With a peer it fails with net.ErrWriteToConnected.
func (c *udpConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	a, ok := addr.(*net.UDPAddr)
	if !ok {
		return 0, c.opErrorTo(addr, unix.EINVAL)
	}
	return c.WriteToUDP(b, a)
}

// WriteToUDP is WriteTo with the address's own type.
func (c *udpConn) WriteToUDP(b []byte, addr *net.UDPAddr) (int, error) {
	if addr == nil {
		return 0, c.opErrorTo(nil, c.refuse(errMissingAddress))
	}
	n, err := c.writeToIP(b, addr.IP, addr.Port, addr.Zone)
	if err != nil {
		return n, c.opErrorTo(addr, err)
	}
	return n, nil
}

// WriteToUDPAddrPort is WriteTo that allocates nothing.
func (c *udpConn) WriteToUDPAddrPort(b []byte, addr netip.AddrPort) (int, error) {
	if !addr.IsValid() {
		return 0, c.opErrorTo(udpAddrPort{addr}, c.refuse(errMissingAddress))
	}
	ip := addr.Addr()
	if c.family == unix.AF_INET {
		ip = ip.Unmap()
	}
	b16 := ip.As16()
	n, err := c.writeToIP(b, b16[:], int(addr.Port()), ip.Zone())
	if err != nil {
		return n, c.opErrorTo(udpAddrPort{addr}, err)
	}
	return n, nil
}

// refuse returns err, or what is wrong before that.
func (c *packetConn) refuse(err error) error {
	if c.connected {
		return net.ErrWriteToConnected
	}
	return err
}

func (c *udpConn) writeToIP(b []byte, ip net.IP, port int, zone string) (int, error) {
	if err := c.refuse(nil); err != nil {
		return 0, err
	}
	var to rawAddr
	if err := to.setInet(c.family, ip, port, zone); err != nil {
		return 0, err
	}
	return c.fd.writeTo("sendto", b, &to)
}

// ReadMsgUDP reads a datagram into b and what goes with it (ipv4 and ipv6 control messages) into oob. flags are the
// kernel's, MSG_TRUNC among them.
func (c *udpConn) ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *net.UDPAddr, err error) {
	m := &message{b: b, oob: oob}
	if err := c.fd.readMsg(m, 0); err != nil {
		return 0, 0, 0, nil, c.opError("read", err)
	}
	addr, _ = netAddr(c.network, m.addr).(*net.UDPAddr)
	return m.n, m.oobn, m.flags, addr, nil
}

// ReadMsgUDPAddrPort is ReadMsgUDP with the other form of the address.
func (c *udpConn) ReadMsgUDPAddrPort(b, oob []byte) (n, oobn, flags int, addr netip.AddrPort, err error) {
	n, oobn, flags, from, err := c.ReadMsgUDP(b, oob)
	if from != nil {
		addr = from.AddrPort()
	}
	return n, oobn, flags, addr, err
}

// WriteMsgUDP sends b with oob to addr; with a peer addr must be nil, without one it must not.
func (c *udpConn) WriteMsgUDP(b, oob []byte, addr *net.UDPAddr) (n, oobn int, err error) {
	if addr == nil {
		return c.writeMsgUDP(b, oob, nil, nil)
	}
	return c.writeMsgUDP(b, oob, addr, addr)
}

// WriteMsgUDPAddrPort is WriteMsgUDP with the other form of the address, whose zero value is none.
func (c *udpConn) WriteMsgUDPAddrPort(b, oob []byte, addr netip.AddrPort) (n, oobn int, err error) {
	if !addr.IsValid() {
		return c.writeMsgUDP(b, oob, nil, udpAddrPort{addr})
	}
	return c.writeMsgUDP(b, oob, net.UDPAddrFromAddrPort(addr), udpAddrPort{addr})
}

// writeMsgUDP sends b with oob to addr, which errors call name.
func (c *udpConn) writeMsgUDP(b, oob []byte, addr *net.UDPAddr, name net.Addr) (n, oobn int, err error) {
	m := &message{b: b, oob: oob}
	switch {
	case addr == nil && !c.connected:
		return 0, 0, c.opErrorTo(name, errMissingAddress)
	case addr != nil && c.connected:
		return 0, 0, c.opErrorTo(name, net.ErrWriteToConnected)
	case addr != nil:
		if m.addr, err = sockaddr(c.family, addr); err != nil {
			return 0, 0, c.opErrorTo(name, err)
		}
	}
	if err := c.fd.writeMsg(m); err != nil {
		return 0, 0, c.opErrorTo(name, err)
	}
	return m.n, m.oobn, nil
}

// udpAddrPort is the address in the errors of calls that are given it in this form. The same in Go: net/udpsock.go,
// addrPortUDPAddr.
type udpAddrPort struct{ netip.AddrPort }

// Network returns "udp".
func (udpAddrPort) Network() string { return "udp" }
