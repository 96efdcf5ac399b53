//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"io"
	"net"

	"golang.org/x/sys/unix"
)

// Datagrams over unix sockets. The same in Go: net/unixsock_posix.go, readFrom, writeTo, readMsg, writeMsg.

// unixgramConn is a unix socket of datagrams, with a peer (Dial) or without (ListenPacket).
type unixgramConn struct{ packetConn }

var _ net.PacketConn = (*unixgramConn)(nil)

func listenUnixgram(network string, addr *net.UnixAddr) (*unixgramConn, error) {
	sysfd, err := bindUnix(unix.SOCK_DGRAM, addr)
	if err != nil {
		return nil, err
	}
	c := &unixgramConn{packetConn{conn: conn{network: network}, family: unix.AF_UNIX}}
	if err := c.fd.init(sysfd); err != nil {
		unlinkUnix(addr.Name)
		return nil, err
	}
	c.setAddrs(sysfd, nil)
	return c, nil
}

// ReadFrom parks until a datagram comes and returns its size and its sender, a *net.UnixAddr, or nil if that has no
// name. What b has no room for is lost.
func (c *unixgramConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, addr, err := c.ReadFromUnix(b)
	if addr == nil {
		return n, nil, err
	}
	return n, addr, err
}

// ReadFromUnix is ReadFrom with the address's own type.
func (c *unixgramConn) ReadFromUnix(b []byte) (int, *net.UnixAddr, error) {
	var from rawAddr
	n, err := c.fd.readFrom("recvfrom", b, &from)
	if err != nil {
		return n, nil, c.opError("read", err)
	}
	if name := from.unixName(); name != "" {
		return n, &net.UnixAddr{Name: name, Net: c.network}, nil
	}
	return n, nil, nil
}

// WriteTo sends b as one datagram to addr, a *net.UnixAddr. With a peer it fails with net.ErrWriteToConnected.
func (c *unixgramConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	a, ok := addr.(*net.UnixAddr)
	if !ok {
		return 0, c.opErrorTo(addr, unix.EINVAL)
	}
	return c.WriteToUnix(b, a)
}

// WriteToUnix is WriteTo with the address's own type.
func (c *unixgramConn) WriteToUnix(b []byte, addr *net.UnixAddr) (int, error) {
	if addr == nil {
		return 0, c.opErrorTo(nil, c.refuse(errMissingAddress))
	}
	var to rawAddr
	err := c.refuse(nil)
	if err == nil && addr.Net != c.network {
		err = unix.EAFNOSUPPORT
	}
	if err == nil {
		err = to.setUnix(addr.Name)
	}
	if err != nil {
		return 0, c.opErrorTo(addr, err)
	}
	n, err := c.fd.writeTo("sendto", b, &to)
	return n, c.opErrorTo(addr, err)
}

// CloseRead ends the half that reads: who sends here fails with EPIPE.
func (c *unixgramConn) CloseRead() error { return c.wrapped("close", c.fd.shutdown(unix.SHUT_RD)) }

// CloseWrite ends the half that writes, with EPIPE.
func (c *unixgramConn) CloseWrite() error { return c.wrapped("close", c.fd.shutdown(unix.SHUT_WR)) }

// ReadMsgUnix reads a datagram into b and what goes with it (rights, credentials) into oob. Descriptors that come are
// closed on exec.
func (c *unixgramConn) ReadMsgUnix(b, oob []byte) (n, oobn, flags int, addr *net.UnixAddr, err error) {
	return c.readMsgUnix(b, oob)
}

// WriteMsgUnix sends b with oob to addr, which must be nil if there is a peer.
func (c *unixgramConn) WriteMsgUnix(b, oob []byte, addr *net.UnixAddr) (n, oobn int, err error) {
	if c.connected {
		return 0, 0, c.opErrorTo(unixOpAddr(addr), net.ErrWriteToConnected)
	}
	return c.writeMsgUnix(b, oob, addr)
}

// ReadMsgUnix reads at least a byte into b and what goes with it (rights, credentials) into oob. Descriptors that
// come are closed on exec. Its addr is nil.
func (c *unixConn) ReadMsgUnix(b, oob []byte) (n, oobn, flags int, addr *net.UnixAddr, err error) {
	n, oobn, flags, addr, err = c.readMsgUnix(b, oob)
	if err == nil && n == 0 && oobn == 0 && len(b) > 0 {
		err = c.opError("read", io.EOF)
	}
	return n, oobn, flags, addr, err
}

// WriteMsgUnix sends b with oob; addr must be nil.
func (c *unixConn) WriteMsgUnix(b, oob []byte, addr *net.UnixAddr) (n, oobn int, err error) {
	return c.writeMsgUnix(b, oob, addr)
}

func (c *conn) readMsgUnix(b, oob []byte) (n, oobn, flags int, addr *net.UnixAddr, err error) {
	m := &message{b: b, oob: oob}
	if err := c.fd.readMsg(m, readMsgFlags); err != nil {
		return 0, 0, 0, nil, c.opError("read", err)
	}
	closeRightsOnExec(oob[:m.oobn])
	if addr, _ = netAddr(c.network, m.addr).(*net.UnixAddr); addr != nil && addr.Name == "" {
		addr = nil
	}
	return m.n, m.oobn, m.flags, addr, nil
}

func (c *conn) writeMsgUnix(b, oob []byte, addr *net.UnixAddr) (n, oobn int, err error) {
	m := &message{b: b, oob: oob}
	if addr != nil {
		m.addr = &unix.SockaddrUnix{Name: addr.Name}
	}
	if addr != nil && addr.Net != c.network {
		err = unix.EAFNOSUPPORT
	} else {
		err = c.fd.writeMsg(m)
	}
	if err != nil {
		return 0, 0, &net.OpError{Op: "write", Net: c.network, Source: c.laddr, Addr: unixOpAddr(addr), Err: err}
	}
	return m.n, m.oobn, nil
}

// unixOpAddr keeps a nil address from becoming an interface that is not nil.
func unixOpAddr(a *net.UnixAddr) net.Addr {
	if a == nil {
		return nil
	}
	return a
}
