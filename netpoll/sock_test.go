//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func option(t *testing.T, sysfd, level, name int) int {
	t.Helper()
	v, err := unix.GetsockoptInt(sysfd, level, name)
	require.NoError(t, err)
	return v
}

func TestSocketOptions(t *testing.T) {
	s := scheduler(t, 1)
	dialled, accepted := connected(t, s)
	for _, c := range []*tcpConn{dialled, accepted} {
		fd := c.fd.sysfd
		require.NotZero(t, option(t, fd, unix.IPPROTO_TCP, unix.TCP_NODELAY))
		require.NotZero(t, option(t, fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE))
		for _, o := range streamDefaults[2:] {
			if o.name == 0 {
				continue
			}
			require.Equal(t, o.value, option(t, fd, o.level, o.name), o.name)
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		require.NoError(t, err)
		require.NotZero(t, flags&unix.O_NONBLOCK)
		flags, err = unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		require.NoError(t, err)
		require.NotZero(t, flags&unix.FD_CLOEXEC)
		require.NoError(t, c.Close())
	}
	l := (&group{s: s}).listener(t, task)
	require.NotZero(t, option(t, l.(*listener).fd.sysfd, unix.SOL_SOCKET, unix.SO_REUSEADDR))
	require.NoError(t, l.Close())
}

// What an address becomes, seen from outside, is what it becomes with net; and all that can reach
// net's listener can reach ours.
func TestAddressesAreNets(t *testing.T) {
	s := scheduler(t, 2)
	g := &group{s: s}
	for _, c := range []struct{ network, address string }{
		{"tcp", ""},
		{"tcp", ":0"},
		{"tcp4", ":0"},
		{"tcp6", ":0"},
		{"tcp", "0.0.0.0:0"},
		{"tcp", "[::]:0"},
		{"tcp", "127.0.0.1:0"},
		{"tcp", "[::1]:0"},
		{"tcp6", "[::1]:0"},
		{"tcp", "[::ffff:127.0.0.1]:0"},
		{"tcp4", "localhost:0"},
		{"tcp", "127.0.0.1:"},
	} {
		t.Run(c.network+"/"+c.address, func(t *testing.T) {
			if (c.network == "tcp6" || c.address == "[::1]:0") && !haveIPv6() {
				t.Skip("no IPv6 here")
			}
			// On the same port one after the other, so that the rest of the machine looks the same to both.
			want := g.listenAndReach(t, native, c.network, c.address)
			host, _, _ := net.SplitHostPort(c.address)
			port := strconv.Itoa(want[0].(*net.TCPAddr).Port)
			got := g.listenAndReach(t, task, c.network, net.JoinHostPort(host, port))
			require.Equal(t, want, got)
		})
	}
}

// listenAndReach listens on address and dials it as three hosts. It returns the listener's address and
// for each host the two ends of the connection, nil if there was none; ports but the listener's are 0.
func (g *group) listenAndReach(t *testing.T, p party, network, address string) (seen []net.Addr) {
	t.Helper()
	g.run(p, func() {
		l, err := p.listen(network, address)
		require.NoError(t, err)
		defer l.Close()
		seen = append(seen, l.Addr())
		_, port, _ := net.SplitHostPort(l.Addr().String())
		require.NotEqual(t, "0", port)
		for _, host := range []string{"127.0.0.1", "[::1]", ""} {
			c, err := p.dial("tcp", host+":"+port)
			if err != nil {
				seen = append(seen, nil, nil)
				continue
			}
			local := *c.LocalAddr().(*net.TCPAddr)
			local.Port = 0
			seen = append(seen, &local, c.RemoteAddr())
			require.NoError(t, c.Close())
		}
	})
	require.NotEmpty(t, seen)
	return seen
}

func TestZones(t *testing.T) {
	require.Zero(t, zoneID(""))
	require.Empty(t, zoneName(0))
	require.EqualValues(t, 12345678, zoneID("12345678"))
	require.Equal(t, "12345678", zoneName(12345678))
	ifis, err := net.Interfaces()
	require.NoError(t, err)
	for _, ifi := range ifis {
		require.EqualValues(t, ifi.Index, zoneID(ifi.Name))
		require.Equal(t, ifi.Name, zoneName(uint32(ifi.Index)))
	}
}
