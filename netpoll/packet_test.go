//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
)

var packetNetworks = []string{"udp", "udp4", "unixgram"}

// Datagrams keep their bounds and their senders; empty ones are datagrams too.
func TestPacketsBetweenTwo(t *testing.T) {
	for _, network := range packetNetworks {
		for _, p := range []party{task, goroutine} {
			t.Run(network+"/"+p.name, func(t *testing.T) {
				s := scheduler(t, 2)
				a, b := packetPair(t, network)
				g := &group{s: s}
				const rounds = 200
				g.start(p, func() {
					buf := make([]byte, 2000)
					for i := range rounds {
						n, from, err := b.ReadFrom(buf)
						require.NoError(t, err)
						require.Equal(t, a.LocalAddr(), normal(from))
						require.Equal(t, i%7*100, n)
						m, err := b.WriteTo(buf[:n], from)
						require.NoError(t, err)
						require.Equal(t, n, m)
					}
				})
				g.start(p, func() {
					buf := make([]byte, 2000)
					for i := range rounds {
						msg := bytes.Repeat([]byte{byte(i)}, i%7*100)
						_, err := a.WriteTo(msg, b.LocalAddr())
						require.NoError(t, err)
						n, from, err := a.ReadFrom(buf)
						require.NoError(t, err)
						require.Equal(t, b.LocalAddr(), normal(from))
						require.Equal(t, string(msg), string(buf[:n]))
					}
				})
				g.wg.Wait()
				require.NoError(t, a.Close())
				require.NoError(t, b.Close())
			})
		}
	}
}

// normal gives the address of a peer of one family the length that a LocalAddr has.
func normal(a net.Addr) net.Addr {
	if u, ok := a.(*net.UDPAddr); ok && u.IP.To4() != nil {
		return &net.UDPAddr{IP: u.IP.To4(), Port: u.Port, Zone: u.Zone}
	}
	return a
}

// With a peer: Read and Write, TryRead, WaitRead, and errors as net has them.
func TestConnectedPackets(t *testing.T) {
	for _, network := range packetNetworks {
		t.Run(network, func(t *testing.T) {
			s := scheduler(t, 2)
			server, other := packetPair(t, network)
			g := &group{s: s}
			g.run(task, func() {
				c, err := Dial(network, server.LocalAddr().String())
				require.NoError(t, err)
				require.Equal(t, server.LocalAddr().String(), c.RemoteAddr().String())
				buf := make([]byte, 10)
				_, err = c.(Conn).TryRead(buf)
				require.Equal(t, ErrWouldBlock, err)
				require.ErrorIs(t, err, unix.EAGAIN)
				_, err = c.Write([]byte("question"))
				require.NoError(t, err)
				n, from, err := server.ReadFrom(buf)
				require.NoError(t, err)
				require.Equal(t, "question", string(buf[:n]))
				if network != "unixgram" { // whose dialler has no name
					_, err = server.WriteTo([]byte("a long answer"), from)
					require.NoError(t, err)
					require.NoError(t, c.(Conn).WaitRead(t.Context()))
					n, err = c.(Conn).TryRead(buf) // the rest is lost
					require.NoError(t, err)
					require.Equal(t, "a long ans", string(buf[:n]))
					_, err = c.(Conn).TryRead(buf)
					require.Equal(t, ErrWouldBlock, err)
				} else {
					require.Nil(t, from)
				}
				_, err = c.(net.PacketConn).WriteTo(buf, other.LocalAddr())
				require.ErrorIs(t, err, net.ErrWriteToConnected)
				_, err = server.WriteTo(buf, &net.IPAddr{})
				require.ErrorIs(t, err, unix.EINVAL)
				require.NoError(t, c.SetReadDeadline(soon()))
				_, err = c.Read(buf)
				isTimeout(t, "read", err)
				require.NoError(t, c.Close())
				require.NoError(t, server.Close())
				require.NoError(t, other.Close())
				_, _, err = server.ReadFrom(buf)
				require.ErrorIs(t, err, net.ErrClosed)
				_, err = other.WriteTo(buf, server.LocalAddr())
				require.ErrorIs(t, err, net.ErrClosed)
			})
		})
	}
}

// A port where nobody listens answers, and the next call says so.
func TestPacketRefused(t *testing.T) {
	s := scheduler(t, 2)
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.LocalAddr().String()
	require.NoError(t, l.Close())
	errs := map[string]error{}
	for _, p := range []party{native, task} {
		(&group{s: s}).run(p, func() {
			c, err := p.dial("udp", address)
			require.NoError(t, err)
			_, err = c.Write([]byte("x"))
			require.NoError(t, err)
			_, err = c.Read(make([]byte, 1))
			var op *net.OpError
			require.ErrorAs(t, err, &op)
			op.Source = nil // another port
			errs[p.name] = err
			require.NoError(t, c.Close())
		})
	}
	sameError(t, errs["net"], errs["task"])
	require.ErrorIs(t, errs["task"], unix.ECONNREFUSED)
}

// A full buffer on the other side parks the writer, with a peer and without; nothing is lost. A deadline ends it.
func TestPacketWriterParks(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a full buffer is an error here, ENOBUFS, as with package net")
	}
	for _, connected := range []bool{true, false} {
		s := scheduler(t, 2)
		a, b := packetPair(t, "unixgram")
		g := &group{s: s}
		const rounds = 1000
		var sent atomic.Int32
		g.start(task, func() {
			c := a.(net.Conn)
			if connected {
				var err error
				c, err = Dial("unixgram", b.LocalAddr().String())
				require.NoError(t, err)
			}
			write := func(i int) error {
				msg := fmt.Append(nil, i)
				if connected {
					_, err := c.Write(msg)
					return err
				}
				_, err := a.WriteTo(msg, b.LocalAddr())
				return err
			}
			for i := range rounds {
				require.NoError(t, c.SetWriteDeadline(time.Now().Add(10*time.Millisecond)))
				err := write(i)
				for err != nil {
					isTimeout(t, "write", err)
					sent.Store(int32(i))
					require.NoError(t, c.SetWriteDeadline(time.Time{}))
					err = write(i)
				}
			}
			require.NoError(t, c.Close())
		})
		testsched.Until(t, func() bool { return sent.Load() > 0 }, "the buffer is full")
		g.start(task, func() {
			buf := make([]byte, 10)
			for i := range rounds {
				n, _, err := b.ReadFrom(buf)
				require.NoError(t, err)
				require.Equal(t, fmt.Sprint(i), string(buf[:n]))
			}
		})
		g.wg.Wait()
		if connected {
			require.NoError(t, a.Close())
		}
		require.NoError(t, b.Close())
	}
}

func TestUDPForms(t *testing.T) {
	s := scheduler(t, 1)
	a0, b0 := packetPair(t, "udp4")
	a, b := a0.(*udpConn), b0.(*udpConn)
	(&group{s: s}).run(task, func() {
		buf, oob := make([]byte, 10), make([]byte, 100)
		to := b.LocalAddr().(*net.UDPAddr)
		me := a.LocalAddr().(*net.UDPAddr)
		_, err := a.WriteToUDPAddrPort([]byte("1"), to.AddrPort())
		require.NoError(t, err)
		n, from, err := b.ReadFromUDPAddrPort(buf)
		require.NoError(t, err)
		require.Equal(t, me.AddrPort(), from)
		require.Equal(t, 1, n)
		_, err = a.WriteToUDP([]byte("22"), to)
		require.NoError(t, err)
		n, fromU, err := b.ReadFromUDP(buf)
		require.NoError(t, err)
		require.Equal(t, me.String(), fromU.String())
		require.Equal(t, 2, n)
		n, oobn, err := a.WriteMsgUDP([]byte("0123456789abc"), nil, to)
		require.NoError(t, err)
		require.Equal(t, 13, n)
		require.Zero(t, oobn)
		n, oobn, flags, fromU, err := b.ReadMsgUDP(buf, oob)
		require.NoError(t, err)
		require.Equal(t, 10, n)
		require.Zero(t, oobn)
		require.NotZero(t, flags&unix.MSG_TRUNC)
		require.Equal(t, me.String(), fromU.String())
		_, err = a.WriteToUDP(buf, nil)
		require.ErrorContains(t, err, "missing address")
		_, err = a.WriteToUDPAddrPort(buf, netip.AddrPort{})
		require.ErrorContains(t, err, "missing address")
		_, err = a.WriteToUDP(buf, &net.UDPAddr{IP: net.IPv6loopback, Port: 1})
		require.ErrorContains(t, err, "non-IPv4 address")
		// Steady traffic allocates nothing, but where the poller is kqueue.
		least := testsched.LeastMallocs(func() {
			for range 100 {
				_, _ = a.WriteToUDPAddrPort(buf, to.AddrPort())
				_, _, _ = b.ReadFromUDPAddrPort(buf)
			}
		})
		if !hb.On { // which allocates
			require.Less(t, least, uint64(50+100*datagramMallocs))
		}
		require.NoError(t, a.SetReadBuffer(1<<16))
		require.NoError(t, a.SetWriteBuffer(1<<16))
		require.NoError(t, a.Close())
		require.NoError(t, b.Close())
	})
}

// A message may carry a descriptor, over both kinds of unix socket.
func TestUnixRights(t *testing.T) {
	s := scheduler(t, 1)
	(&group{s: s}).run(task, func() {
		dir := t.TempDir()
		a, b, err := pipeOf("unix", filepath.Join(dir, "s"))
		require.NoError(t, err)
		server, err := ListenPacket("unixgram", filepath.Join(dir, "d"))
		require.NoError(t, err)
		c, err := ListenPacket("unixgram", filepath.Join(dir, "c"))
		require.NoError(t, err)
		for i, pair := range [][2]unixMsg{{a.(unixMsg), b.(unixMsg)}, {c.(unixMsg), server.(unixMsg)}} {
			var to, from *net.UnixAddr
			if i == 1 {
				to, from = server.LocalAddr().(*net.UnixAddr), c.LocalAddr().(*net.UnixAddr)
			}
			r, w, err := os.Pipe()
			require.NoError(t, err)
			rights := unix.UnixRights(int(w.Fd()))
			n, oobn, err := pair[0].WriteMsgUnix([]byte("take"), rights, to)
			require.NoError(t, err)
			require.Equal(t, 4, n)
			require.Equal(t, len(rights), oobn)
			require.NoError(t, w.Close())
			buf, oob := make([]byte, 10), make([]byte, 100)
			n, oobn, _, addr, err := pair[1].ReadMsgUnix(buf, oob)
			require.NoError(t, err)
			require.Equal(t, "take", string(buf[:n]))
			require.Equal(t, from, addr)
			msgs, err := unix.ParseSocketControlMessage(oob[:oobn])
			require.NoError(t, err)
			fds, err := unix.ParseUnixRights(&msgs[0])
			require.NoError(t, err)
			flags, err := unix.FcntlInt(uintptr(fds[0]), unix.F_GETFD, 0)
			require.NoError(t, err)
			require.NotZero(t, flags&unix.FD_CLOEXEC)
			_, err = unix.Write(fds[0], []byte("!"))
			require.NoError(t, err)
			require.NoError(t, unix.Close(fds[0]))
			_, err = r.Read(buf)
			require.NoError(t, err)
			require.NoError(t, r.Close())
		}
		for _, x := range []io.Closer{a, b, c, server} {
			require.NoError(t, x.Close())
		}
	})
}

func TestUnixListener(t *testing.T) {
	s := scheduler(t, 2)
	g := &group{s: s}
	path := filepath.Join(t.TempDir(), "s")
	g.run(task, func() {
		l, err := Listen("unix", path)
		require.NoError(t, err)
		require.Equal(t, &net.UnixAddr{Name: path, Net: "unix"}, l.Addr())
		_, want := net.Listen("unix", path)
		_, err = Listen("unix", path)
		sameError(t, want, err)
		for _, dial := range []func(network, address string) (net.Conn, error){Dial, net.Dial} {
			c, err := dial("unix", path)
			require.NoError(t, err)
			d, err := l.Accept()
			require.NoError(t, err)
			require.Equal(t, path, d.LocalAddr().String())
			require.Equal(t, path, c.RemoteAddr().String())
			require.Equal(t, c.LocalAddr().String(), d.RemoteAddr().String())
			require.NoError(t, c.Close())
			require.NoError(t, d.Close())
		}
		require.NoError(t, l.(*listener).SetDeadline(time.Unix(1, 0)))
		_, err = l.Accept()
		isTimeout(t, "accept", err)
		require.NoError(t, l.Close())
		_, err = os.Stat(path)
		require.ErrorIs(t, err, os.ErrNotExist)
		_, want = net.Dial("unix", path)
		_, err = Dial("unix", path)
		sameError(t, want, err)
		if runtime.GOOS != "linux" {
			return
		}
		l, err = Listen("unix", "@userrt-test-abstract-"+t.Name())
		require.NoError(t, err)
		c, err := Dial("unix", l.Addr().String())
		require.NoError(t, err)
		require.NoError(t, c.Close())
		require.NoError(t, l.Close())
	})
}

// TestFullUnixBacklog: who dials a listener with a full queue is told at once, on systems where the kernel does not let him wait.
func TestFullUnixBacklog(t *testing.T) {
	s := scheduler(t, 1)
	address := filepath.Join(t.TempDir(), "s")
	sysfd, err := bindUnix(unix.SOCK_STREAM, &net.UnixAddr{Name: address, Net: "unix"})
	require.NoError(t, err)
	require.NoError(t, unix.Listen(sysfd, 0))
	errs := map[string]error{}
	for _, p := range []party{native, task} {
		(&group{s: s}).run(p, func() {
			for errs[p.name] == nil {
				c, err := p.dial("unix", address)
				if err == nil {
					defer c.Close()
				}
				errs[p.name] = err
			}
		})
	}
	sameError(t, errs["net"], errs["task"])
	require.NoError(t, unix.Close(sysfd))
}

func TestListenPacketErrorsAreNets(t *testing.T) {
	s := scheduler(t, 2)
	g := &group{s: s}
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for _, c := range []struct{ network, address string }{
		{"nonet", ":0"},
		{"tcp", "127.0.0.1:0"},
		{"udp", "127.0.0.1"},
		{"udp", taken.LocalAddr().String()},
		{"udp4", "[::1]:0"},
		{"udp", "192.0.2.1:0"},
		{"unixgram", "/no/such/folder/s"},
	} {
		t.Run(c.network+"/"+c.address, func(t *testing.T) {
			_, want := net.ListenPacket(c.network, c.address)
			g.run(task, func() {
				l, got := ListenPacket(c.network, c.address)
				require.Nil(t, l)
				sameError(t, want, got)
			})
		})
	}
	_, want := net.Listen("udp", "127.0.0.1:0")
	_, got := Listen("udp", "127.0.0.1:0")
	sameError(t, want, got)
}
