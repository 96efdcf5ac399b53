//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"errors"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// silentPort is an address that never answers: a listener with a full queue.
func silentPort(t *testing.T, ip, port string) (address string) {
	t.Helper()
	to := tcpAddrs(net.JoinHostPort(ip, port))[0]
	family := familyOf(ipOf(to))
	sa, err := sockaddr(family, to)
	require.NoError(t, err)
	sysfd, err := socket(family, unix.SOCK_STREAM, true)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unix.Close(sysfd)) })
	require.NoError(t, unix.SetsockoptInt(sysfd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	require.NoError(t, unix.Bind(sysfd, sa))
	require.NoError(t, unix.Listen(sysfd, 0))
	local, err := unix.Getsockname(sysfd)
	require.NoError(t, err)
	for range 3 { // one is queued, the others make sure
		c, err := socket(family, unix.SOCK_STREAM, true)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, unix.Close(c)) })
		_ = unix.Connect(c, local)
	}
	return netAddr("tcp", local).String()
}

func TestDialEndsWithContext(t *testing.T) {
	for _, p := range []party{task, goroutine} {
		s := scheduler(t, 2)
		address := silentPort(t, "127.0.0.1", "0")
		g := &group{s: s}
		ctx, cancel := context.WithCancel(t.Context())
		g.start(p, func() {
			_, err := DialContext(ctx, "tcp", address)
			require.ErrorIs(t, err, context.Canceled)
			_, want := new(net.Dialer).DialContext(ctx, "tcp", address)
			sameError(t, want, err)
		})
		parked(t, s, map[string]int{"task": 1}[p.name])
		if p.name == "goroutine" {
			parked(t, sched.Default(), 1)
		}
		cancel()
		g.wg.Wait()
		g.run(p, func() {
			_, err := DialTimeout("tcp", address, 20*time.Millisecond)
			_, want := net.DialTimeout("tcp", address, 20*time.Millisecond)
			require.Equal(t, want.Error(), err.Error()) // package net has one of two errors, with one text
			require.ErrorIs(t, err, context.DeadlineExceeded)
			var ne net.Error
			require.ErrorAs(t, err, &ne)
			require.True(t, ne.Timeout())
			_, err = DialTimeout("tcp", address, -1)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			_, want = net.DialTimeout("tcp", address, -1)
			sameError(t, want, err)
			_, err = DialContext(ctx, "tcp", "127.0.0.1:1")
			_, want = new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:1")
			sameError(t, want, err)
			var none context.Context
			require.PanicsWithValue(t, "nil context", func() { _, _ = DialContext(none, "tcp", address) })
		})
	}
}

// A context that ends later has nothing to do with the connection, nor has its deadline.
func TestDialContextHasNoAfterlife(t *testing.T) {
	s := scheduler(t, 2)
	g := &group{s: s}
	l := g.listener(t, task)
	g.run(task, func() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		c, err := DialContext(ctx, "tcp", l.Addr().String())
		require.NoError(t, err)
		cancel()
		d, err := l.Accept()
		require.NoError(t, err)
		_, err = d.Write([]byte("x"))
		require.NoError(t, err)
		_, err = c.Read(make([]byte, 1))
		require.NoError(t, err)
		_, err = c.Write([]byte("x"))
		require.NoError(t, err)
		require.NoError(t, c.Close())
		require.NoError(t, d.Close())
	})
	require.NoError(t, l.Close())
}

func tcpAddrs(addresses ...string) (l addrList) {
	for _, a := range addresses {
		host, port, _ := net.SplitHostPort(a)
		n, _ := strconv.Atoi(port)
		l = append(l, &net.TCPAddr{IP: net.ParseIP(host), Port: n})
	}
	return l
}

// The second family comes to help when the first is silent, at once when it fails, and not at all when it answers; what
// is won twice is kept once.
func TestHappyEyeballs(t *testing.T) {
	for _, p := range []party{task, goroutine} {
		s := scheduler(t, 2)
		g := &group{s: s}
		l := g.listener(t, p)
		good := l.Addr().String()
		silent, closed := silentPort(t, "127.0.0.1", "0"), closedPort(t, "127.0.0.1", "0")
		for name, c := range map[string]struct {
			primary, fallback string
			ok                bool
		}{
			"the first answers":         {good, silent, true},
			"the first is silent":       {silent, good, true},
			"the first refuses":         {closed, good, true},
			"both refuse":               {closed, closed, false},
			"the second refuses":        {good, closed, true},
			"both answer":               {good, good, true},
			"silent, then refuses late": {silent, closed, false},
		} {
			t.Run(p.name+"/"+name, func(t *testing.T) {
				g.run(p, func() {
					ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
					defer cancel()
					conn, err := dialParallel(ctx, "tcp", tcpAddrs(c.primary), tcpAddrs(c.fallback))
					if !c.ok {
						var op *net.OpError
						require.ErrorAs(t, err, &op)
						require.Equal(t, c.primary, op.Addr.String())
						return
					}
					require.NoError(t, err)
					require.Equal(t, good, conn.RemoteAddr().String())
					peer, err := l.Accept()
					require.NoError(t, err)
					_, err = peer.Write([]byte("x"))
					require.NoError(t, err)
					_, err = conn.Read(make([]byte, 1))
					require.NoError(t, err)
					require.NoError(t, peer.Close())
					require.NoError(t, conn.Close())
				})
			})
		}
		require.NoError(t, l.Close())
	}
}

// Whoever comes second is closed, whenever that is.
func TestFallbackLeavesNothing(t *testing.T) {
	s := scheduler(t, 2)
	g := &group{s: s}
	l := g.listener(t, task)
	dialled := make(chan struct{})
	f := &fallback{}
	g.start(task, func() {
		f.run(func() (net.Conn, error) {
			c, err := Dial("tcp", l.Addr().String())
			sched.Block(func() { <-dialled })
			return c, err
		}, func() { t.Error("won") })
	})
	peer, err := l.Accept()
	require.NoError(t, err)
	f.drop()
	close(dialled)
	g.wg.Wait()
	_, err = peer.Read(make([]byte, 1))
	require.Error(t, err)
	require.NoError(t, peer.Close())
	f = &fallback{}
	require.True(t, f.skip())
	f.run(func() (net.Conn, error) { return nil, errors.New("dialled") }, nil)
	require.NoError(t, l.Close())
}

// A name with addresses of which the first fails, through DialContext from end to end.
func TestDialTriesAllAddresses(t *testing.T) {
	s := scheduler(t, 2)
	g := &group{s: s}
	l := g.listener(t, task)
	g.run(task, func() {
		c, err := dialSerial(t.Context(), "tcp", tcpAddrs(closedPort(t, "127.0.0.1", "0"), l.Addr().String()))
		require.NoError(t, err)
		require.NoError(t, c.Close())
	})
	require.NoError(t, l.Close())
}

// A look-up is no deadlock, however long it takes.
func TestNoDeadlockWhileANameIsLookedUp(t *testing.T) {
	watch(t)
	asked := make(chan struct{}, 100)
	resolveBy(t, func(ctx context.Context) error {
		asked <- struct{}{}
		<-time.After(200 * time.Millisecond)
		return errors.New("no server")
	})
	s, err := sched.New(sched.Config{Procs: 1, DetectDeadlock: true})
	require.NoError(t, err)
	require.NoError(t, s.Run(func() {
		_, err := Dial("tcp", "no-such-host.invalid:80")
		require.Error(t, err)
	}))
	<-asked
	testsched.Close(t, s)
}
