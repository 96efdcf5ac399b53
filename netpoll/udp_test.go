//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// udp is what ours and package net's have.
type udp interface {
	net.Conn
	net.PacketConn
	ReadFromUDP(b []byte) (int, *net.UDPAddr, error)
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *net.UDPAddr, err error)
	ReadMsgUDPAddrPort(b, oob []byte) (n, oobn, flags int, addr netip.AddrPort, err error)
	WriteToUDP(b []byte, addr *net.UDPAddr) (int, error)
	WriteToUDPAddrPort(b []byte, addr netip.AddrPort) (int, error)
	WriteMsgUDP(b, oob []byte, addr *net.UDPAddr) (n, oobn int, err error)
	WriteMsgUDPAddrPort(b, oob []byte, addr netip.AddrPort) (n, oobn int, err error)
}

// reads are the ways to read a datagram; they return the sender in the way's own form.
var reads = []func(c udp, b []byte) (from any, err error){
	func(c udp, b []byte) (any, error) { _, from, err := c.ReadFrom(b); return from, err },
	func(c udp, b []byte) (any, error) { _, from, err := c.ReadFromUDP(b); return from, err },
	func(c udp, b []byte) (any, error) { _, from, err := c.ReadFromUDPAddrPort(b); return from, err },
	func(c udp, b []byte) (any, error) { _, _, _, from, err := c.ReadMsgUDP(b, nil); return from, err },
	func(c udp, b []byte) (any, error) {
		_, _, _, from, err := c.ReadMsgUDPAddrPort(b, nil)
		return from, err
	},
}

// writes are the ways to send one; the zero to is none.
var writes = []func(c udp, b []byte, to netip.AddrPort) error{
	func(c udp, b []byte, to netip.AddrPort) error { _, err := c.WriteTo(b, udpAddr(to)); return err },
	func(c udp, b []byte, to netip.AddrPort) error { _, err := c.WriteToUDP(b, udpAddr(to)); return err },
	func(c udp, b []byte, to netip.AddrPort) error { _, err := c.WriteToUDPAddrPort(b, to); return err },
	func(c udp, b []byte, to netip.AddrPort) error {
		_, _, err := c.WriteMsgUDP(b, nil, udpAddr(to))
		return err
	},
	func(c udp, b []byte, to netip.AddrPort) error {
		_, _, err := c.WriteMsgUDPAddrPort(b, nil, to)
		return err
	},
}

func udpAddr(a netip.AddrPort) *net.UDPAddr {
	if !a.IsValid() {
		return nil
	}
	return net.UDPAddrFromAddrPort(a)
}

// udpLog keeps what comes of sending and reading, with names for the ports.
type udpLog struct {
	lines []string
	ports []string // pairs for a strings.Replacer
}

func (l *udpLog) note(what string, x any) {
	form := fmt.Sprintf("%T %v", x, x)
	if a, ok := x.(*net.UDPAddr); ok {
		form += fmt.Sprint(" of ", len(a.IP), " bytes")
	}
	l.lines = append(l.lines, what+": "+strings.NewReplacer(l.ports...).Replace(form))
}

// named gives c's port a name.
func (l *udpLog) named(c udp, name string) udp {
	_, port, _ := net.SplitHostPort(c.LocalAddr().String())
	l.ports = append(l.ports, port, name)
	l.note(name, c.LocalAddr())
	return c
}

// talk sends from a to b's port at the address at, in each way, and answers to the address that b sees.
func (l *udpLog) talk(t *testing.T, a, b udp, at netip.Addr) {
	to := netip.AddrPortFrom(at, b.LocalAddr().(*net.UDPAddr).AddrPort().Port())
	buf := make([]byte, 9)
	for i, write := range writes {
		if err := write(a, []byte("x"), to); err != nil {
			l.note("error", err)
			continue
		}
		from, err := reads[i](b, buf)
		require.NoError(t, err)
		l.note("from", from)
		var back netip.AddrPort
		switch from := from.(type) {
		case *net.UDPAddr:
			back = from.AddrPort()
		case netip.AddrPort:
			back = from
		}
		require.NoError(t, write(b, []byte("y"), back))
		from, err = reads[i](a, buf)
		require.NoError(t, err)
		l.note("back from", from)
	}
}

// TestUDPAddressesAreNets: between sockets of one family, of the other, and of both, each in each way. Who serves both
// sees those of IPv4 as package net shows them.
func TestUDPAddressesAreNets(t *testing.T) {
	if !haveIPv6() {
		t.Skip("no ::1 here")
	}
	s := scheduler(t, 1)
	v4, v6 := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")
	var logs [2]udpLog
	for i, listen := range []func(network, address string) (net.PacketConn, error){net.ListenPacket, ListenPacket} {
		(&group{s: s}).run(task, func() {
			l := &logs[i]
			open := func(network, address string) udp {
				c, err := listen(network, address)
				require.NoError(t, err)
				u := l.named(c.(udp), fmt.Sprint("<", network, " ", address, ">"))
				require.NoError(t, u.SetDeadline(time.Now().Add(time.Minute)))
				return u
			}
			servers := []udp{open("udp", ":0"), open("udp", "[::]:0"), open("udp", "0.0.0.0:0"), open("udp4", ":0"), open("udp6", ":0")}
			clients := []udp{open("udp4", "127.0.0.1:0"), open("udp6", "[::1]:0"), open("udp", "[::1]:0"), open("udp", ":0")}
			for _, server := range servers {
				serves4 := server.LocalAddr().(*net.UDPAddr).IP.To4() != nil
				for _, client := range clients {
					if !serves4 {
						l.talk(t, client, server, v6)
					}
					if server != servers[4] { // which is for IPv6 only
						l.talk(t, client, server, v4)
					}
				}
			}
			for _, write := range writes {
				l.note("no address", write(clients[0], nil, netip.AddrPort{}))
			}
			for _, c := range append(servers, clients...) {
				require.NoError(t, c.Close())
			}
		})
	}
	require.NotEmpty(t, logs[0].lines)
	require.Equal(t, logs[0].lines, logs[1].lines)
	require.Contains(t, strings.Join(logs[1].lines, "\n"), "[::ffff:127.0.0.1]")
}

// TestUDPPeersAreNets: with a peer each way sends to it alone, of either family.
func TestUDPPeersAreNets(t *testing.T) {
	if !haveIPv6() {
		t.Skip("no ::1 here")
	}
	s := scheduler(t, 1)
	var logs [2]udpLog
	for i, p := range []struct {
		listen func(network, address string) (net.PacketConn, error)
		dial   func(ctx context.Context, network, address string) (net.Conn, error)
	}{{net.ListenPacket, new(net.Dialer).DialContext}, {ListenPacket, DialContext}} {
		(&group{s: s}).run(task, func() {
			l := &logs[i]
			pc, err := p.listen("udp", ":0")
			require.NoError(t, err)
			server := l.named(pc.(udp), "<server>")
			_, port, _ := net.SplitHostPort(server.LocalAddr().String())
			for _, to := range [][2]string{{"udp", "127.0.0.1"}, {"udp4", "127.0.0.1"}, {"udp", "::1"}, {"udp6", "::1"}, {"udp", "::ffff:127.0.0.1"}} {
				nc, err := p.dial(t.Context(), to[0], net.JoinHostPort(to[1], port))
				require.NoError(t, err)
				c := l.named(nc.(udp), "<client>")
				l.note("remote", c.RemoteAddr())
				require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
				require.NoError(t, server.SetDeadline(time.Now().Add(time.Minute)))
				buf := make([]byte, 9)
				for i, write := range writes {
					l.note("to another", write(c, buf, netip.MustParseAddrPort("127.0.0.1:9")))
					if err := write(c, []byte("x"), netip.AddrPort{}); err != nil {
						l.note("no address", err)
						continue
					}
					_, from, err := server.ReadFromUDPAddrPort(buf)
					require.NoError(t, err)
					l.note("from", from)
					_, err = server.WriteToUDPAddrPort([]byte("y"), from)
					require.NoError(t, err)
					back, err := reads[i](c, buf)
					require.NoError(t, err)
					l.note("back from", back)
				}
				require.NoError(t, c.Close())
			}
			require.NoError(t, server.Close())
		})
	}
	require.NotEmpty(t, logs[0].lines)
	require.Equal(t, logs[0].lines, logs[1].lines)
}
