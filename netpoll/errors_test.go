//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// neverTime is a deadline that would never come.
var neverTime = time.Unix(1<<40, 0)

// sameError checks that ours is what net gives: text, types all the way down, and everything in them.
func sameError(t *testing.T, want, got error) {
	t.Helper()
	require.Error(t, want)
	require.Error(t, got)
	require.Equal(t, want.Error(), got.Error())
	for w, g := want, got; w != nil; w, g = errors.Unwrap(w), errors.Unwrap(g) {
		require.IsType(t, w, g)
		require.Equal(t, w, g)
	}
}

// closedPort returns an address that nobody listens on, port "0" meaning any, and keeps it from others until the test ends.
func closedPort(t *testing.T, host, port string) string {
	t.Helper()
	addrs, err := resolve(context.Background(), "listen", "tcp", net.JoinHostPort(host, port))
	require.NoError(t, err)
	family := familyOf(ipOf(addrs[0]))
	sa, err := sockaddr(family, addrs[0])
	require.NoError(t, err)
	sysfd, err := socket(family, unix.SOCK_STREAM, true)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unix.Close(sysfd)) })
	require.NoError(t, unix.Bind(sysfd, sa))
	local, err := unix.Getsockname(sysfd)
	require.NoError(t, err)
	return netAddr("tcp", local).String()
}

func TestDialErrorsAreNets(t *testing.T) {
	s := scheduler(t, 2)
	g := &group{s: s}
	v4 := closedPort(t, "127.0.0.1", "0")
	for _, c := range []struct{ network, address string }{
		{"", "127.0.0.1:80"},
		{"nonet", "127.0.0.1:80"},
		{"tcp5", "127.0.0.1:80"},
		{"tcp", ""},
		{"tcp4", ""},
		{"tcp", "127.0.0.1"},
		{"tcp", "::1"},
		{"tcp", "[::1"},
		{"tcp", "[::1]80"},
		{"tcp", "::1:80"},
		{"tcp", "127.0.0.1:65536"},
		{"tcp", "127.0.0.1:-1"},
		{"tcp", "127.0.0.1:no-such-service"},
		{"tcp4", "127.0.0.1:no-such-service"},
		{"tcp4", "[::1]:80"},
		{"tcp6", "127.0.0.1:80"},
		{"tcp6", "[::ffff:127.0.0.1]:80"},
		{"tcp", v4},
		{"tcp4", v4},
		{"tcp", "[::ffff:127.0.0.1]" + v4[strings.LastIndex(v4, ":"):]},
		{"tcp", "255.255.255.255:80"},
		{"tcp", "[fe80::1%no-such-zone]:80"},
		{"tcp4", "localhost" + v4[strings.LastIndex(v4, ":"):]},
	} {
		for _, p := range []party{task, goroutine} {
			t.Run(c.network+"/"+c.address+"/"+p.name, func(t *testing.T) {
				nc, want := net.Dial(c.network, c.address)
				require.Nil(t, nc)
				g.run(p, func() {
					nc, got := Dial(c.network, c.address)
					require.Nil(t, nc)
					sameError(t, want, got)
				})
			})
		}
	}
}

func TestRefusedIPv6(t *testing.T) {
	if !haveIPv6() {
		t.Skip("no IPv6 here")
	}
	s := scheduler(t, 2)
	addr := closedPort(t, "::1", "0")
	for _, network := range []string{"tcp", "tcp6"} {
		_, want := net.Dial(network, addr)
		(&group{s: s}).run(task, func() {
			_, got := Dial(network, addr)
			sameError(t, want, got)
			require.ErrorIs(t, got, unix.ECONNREFUSED)
		})
	}
}

func haveIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err == nil {
		_ = l.Close()
	}
	return err == nil
}

func TestListenErrorsAreNets(t *testing.T) {
	s := scheduler(t, 2)
	g := &group{s: s}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for _, c := range []struct{ network, address string }{
		{"", ":0"},
		{"nonet", ":0"},
		{"tcp", "127.0.0.1"},
		{"tcp", "127.0.0.1:65536"},
		{"tcp", ":no-such-service"},
		{"tcp4", "[::1]:0"},
		{"tcp6", "127.0.0.1:0"},
		{"tcp", taken.Addr().String()},
		{"tcp4", taken.Addr().String()},
		{"tcp", "192.0.2.1:0"},
		{"tcp", "[2001:db8::1]:0"},
	} {
		t.Run(c.network+"/"+c.address, func(t *testing.T) {
			l, want := net.Listen(c.network, c.address)
			require.Nil(t, l)
			g.run(task, func() {
				l, got := Listen(c.network, c.address)
				require.Nil(t, l)
				sameError(t, want, got)
			})
		})
	}
}

func TestNetworksNotSupported(t *testing.T) {
	watch(t)
	for _, network := range []string{"unixpacket", "ip:1", "ip4:icmp"} {
		_, err := Listen(network, "127.0.0.1:0")
		require.ErrorIs(t, err, net.UnknownNetworkError(network))
		_, err = Dial(network, "127.0.0.1:1")
		require.ErrorIs(t, err, net.UnknownNetworkError(network))
		_, err = ListenPacket(network, "127.0.0.1:0")
		require.ErrorIs(t, err, net.UnknownNetworkError(network))
	}
}
