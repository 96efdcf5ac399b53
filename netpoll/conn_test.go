//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"errors"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/sched"
)

// onBoth runs fn on a connection of net's and on one of ours and compares the errors. Each must name
// its own connection's addresses where net's does; they are then blanked out, being different.
func onBoth(t *testing.T, fn func(t *testing.T, c, peer net.Conn) error) {
	t.Helper()
	s := scheduler(t, 2)
	sameError(t, connError(t, s, native, fn), connError(t, s, task, fn))
}

func connError(t *testing.T, s *sched.Scheduler, p party, fn func(t *testing.T, c, peer net.Conn) error) (err error) {
	(&group{s: s}).run(p, func() {
		l, lerr := p.listen("tcp", "127.0.0.1:0")
		require.NoError(t, lerr)
		defer l.Close()
		peer, derr := p.dial("tcp", l.Addr().String())
		require.NoError(t, derr)
		defer peer.Close()
		c, aerr := l.Accept()
		require.NoError(t, aerr)
		defer c.Close()
		err = fn(t, c, peer)
		var op *net.OpError
		if !errors.As(err, &op) {
			return
		}
		blank := map[net.Addr]net.Addr{nil: nil, c.LocalAddr(): &net.TCPAddr{Port: 1}, c.RemoteAddr(): &net.TCPAddr{Port: 2}}
		require.Contains(t, blank, op.Source)
		require.Contains(t, blank, op.Addr)
		op.Source, op.Addr = blank[op.Source], blank[op.Addr]
	})
	return err
}

// reset makes c end by a reset instead of the usual way.
func reset(t *testing.T, c net.Conn) {
	linger := &unix.Linger{Onoff: 1}
	switch c := c.(type) {
	case *tcpConn:
		require.NoError(t, unix.SetsockoptLinger(c.fd.sysfd, unix.SOL_SOCKET, unix.SO_LINGER, linger))
	case *net.TCPConn:
		require.NoError(t, c.SetLinger(0))
	}
	require.NoError(t, c.Close())
}

func TestConnErrorsAreNets(t *testing.T) {
	buf := make([]byte, 1)
	for name, fn := range map[string]func(t *testing.T, c, peer net.Conn) error{
		"read after close": func(t *testing.T, c, _ net.Conn) error {
			require.NoError(t, c.Close())
			_, err := c.Read(buf)
			return err
		},
		"write after close": func(t *testing.T, c, _ net.Conn) error {
			require.NoError(t, c.Close())
			_, err := c.Write(buf)
			return err
		},
		"close after close": func(t *testing.T, c, _ net.Conn) error {
			require.NoError(t, c.Close())
			return c.Close()
		},
		"deadline after close": func(t *testing.T, c, _ net.Conn) error {
			require.NoError(t, c.Close())
			return c.SetReadDeadline(neverTime)
		},
		"read at the end": func(t *testing.T, c, peer net.Conn) error {
			require.NoError(t, peer.Close())
			_, err := c.Read(buf)
			return err
		},
		"read after reset": func(t *testing.T, c, peer net.Conn) error {
			reset(t, peer)
			_, err := c.Read(buf)
			return err
		},
		"write after reset": func(t *testing.T, c, peer net.Conn) error {
			reset(t, peer)
			_, err := c.Read(buf)
			require.ErrorIs(t, err, unix.ECONNRESET)
			_, err = c.Write(buf)
			require.ErrorIs(t, err, unix.EPIPE)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) { onBoth(t, fn) })
	}
}

func TestListenerErrorsAreNets(t *testing.T) {
	s := scheduler(t, 2)
	for name, fn := range map[string]func(l net.Listener) error{
		"accept": func(l net.Listener) error { _, err := l.Accept(); return err },
		"close":  func(l net.Listener) error { return l.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			results := make(map[string]error)
			for _, p := range []party{native, task} {
				(&group{s: s}).run(p, func() {
					l, err := p.listen("tcp", "127.0.0.1:0")
					require.NoError(t, err)
					require.NoError(t, l.Close())
					err = fn(l)
					var op *net.OpError
					require.ErrorAs(t, err, &op)
					require.Equal(t, l.Addr(), op.Addr)
					op.Addr = nil
					results[p.name] = err
				})
			}
			sameError(t, results["net"], results["task"])
		})
	}
}

func TestZeroBytes(t *testing.T) {
	s := scheduler(t, 1)
	a, b := connected(t, s)
	(&group{s: s}).run(task, func() {
		n, err := a.Read(nil)
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = a.Write(nil)
		require.NoError(t, err)
		require.Zero(t, n)
		require.NoError(t, b.Close())
		n, err = a.Read(nil)
		require.NoError(t, err)
		require.Zero(t, n)
	})
	require.NoError(t, a.Close())
}

// Without descriptors Accept fails, and goes on once there are some.
func TestAcceptWithoutDescriptors(t *testing.T) {
	s := scheduler(t, 2)
	g := &group{s: s}
	l := g.listener(t, task)
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	var old unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	none := old
	none.Cur = 3 // those in use stay open
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &none))
	g.run(task, func() { _, err = l.Accept() })
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &old))
	require.ErrorIs(t, err, unix.EMFILE)
	var temporary interface{ Temporary() bool } // http.Server asks, and tries again
	require.ErrorAs(t, err, &temporary)
	require.True(t, temporary.Temporary())
	require.Contains(t, err.Error(), acceptCall+":")
	g.run(task, func() {
		a, err := l.Accept()
		require.NoError(t, err)
		require.NoError(t, a.Close())
	})
	require.NoError(t, c.Close())
	require.NoError(t, l.Close())
}
