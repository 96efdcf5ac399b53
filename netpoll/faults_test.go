//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// What can go wrong from outside: peers that reset, vanish or stop reading, descriptors that run out, deadlines all at
// once, a scheduler that ends. Each test ends with all descriptors closed (scheduler, in helper_test.go).

// A reset ends whatever the connection is doing, and the calls that follow.
func TestResetInEachState(t *testing.T) {
	for name, c := range map[string]struct {
		before func(t *testing.T, a, b *tcpConn) // brings about the state
		call   func(a *tcpConn) error            // waits for the reset
		waits  bool
	}{
		"reading": {
			call:  func(a *tcpConn) error { _, err := a.Read(make([]byte, 1)); return err },
			waits: true,
		},
		"reading after a short read": {
			before: func(t *testing.T, a, b *tcpConn) {
				_, err := b.Write([]byte("x"))
				require.NoError(t, err)
				require.NoError(t, a.SetReadDeadline(neverTime))
				_, err = a.Read(make([]byte, 9))
				require.NoError(t, err)
			},
			call:  func(a *tcpConn) error { _, err := a.Read(make([]byte, 1)); return err },
			waits: true,
		},
		"writing": {
			call:  func(a *tcpConn) error { _, err := a.Write(make([]byte, 64<<20)); return err },
			waits: true,
		},
		"writing after the peer's end": {
			before: func(t *testing.T, _, b *tcpConn) { require.NoError(t, b.CloseWrite()) },
			call:   func(a *tcpConn) error { _, err := a.Write(make([]byte, 64<<20)); return err },
			waits:  true,
		},
		"reading after our end": {
			before: func(t *testing.T, a, _ *tcpConn) { require.NoError(t, a.CloseWrite()) },
			call:   func(a *tcpConn) error { _, err := a.Read(make([]byte, 1)); return err },
			waits:  true,
		},
		"waiting to read": {
			call: func(a *tcpConn) error {
				if err := a.WaitRead(context.Background()); err != nil {
					return err
				}
				_, err := a.TryRead(make([]byte, 1))
				return err
			},
			waits: true,
		},
		"idle": {call: func(a *tcpConn) error { _, err := a.Read(make([]byte, 1)); return err }},
	} {
		for _, p := range []party{task, goroutine} {
			t.Run(name+"/"+p.name, func(t *testing.T) {
				s := scheduler(t, 2)
				a, b := connected(t, s)
				if c.before != nil {
					(&group{s: s}).run(p, func() { c.before(t, a, b) })
				}
				g := &group{s: s}
				call := func() {
					err := c.call(a)
					require.True(t, errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE), "%v", err)
				}
				if c.waits {
					g.start(p, call)
					parked(t, s, 1)
				}
				reset(t, b)
				if !c.waits {
					g.start(p, call)
				}
				g.wg.Wait()
				g.run(p, func() {
					_, err := a.Write([]byte("x"))
					require.Error(t, err)
					_, err = a.Read(make([]byte, 1))
					require.Error(t, err)
				})
				require.NoError(t, a.Close())
			})
		}
	}
}

// A listener that closes resets those it has not accepted; who dials notices when it reads.
func TestListenerClosesBeforeAccept(t *testing.T) {
	s := scheduler(t, 2)
	g := &group{s: s}
	l := g.listener(t, task)
	g.run(task, func() {
		c, err := Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		require.NoError(t, l.Close())
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, unix.ECONNRESET)
		require.NoError(t, c.Close())
	})
}

// Writers to peers that do not read hold up nobody else, on one processor.
func TestSlowReadersHoldUpNobody(t *testing.T) {
	s := scheduler(t, 1)
	g := &group{s: s}
	const slow = 20
	var conns []*tcpConn
	for range slow {
		a, b := connected(t, s)
		conns = append(conns, a, b)
		g.start(task, func() {
			_, err := a.Write(make([]byte, 16<<20))
			require.ErrorIs(t, err, net.ErrClosed)
		})
	}
	parked(t, s, slow)
	a, b := connected(t, s)
	quick := &group{s: s}
	quick.start(task, func() { echo(t, b) })
	quick.start(task, func() {
		buf := make([]byte, 4)
		for range 500 {
			_, err := a.Write(buf)
			require.NoError(t, err)
			_, err = io.ReadFull(a, buf)
			require.NoError(t, err)
		}
		require.NoError(t, a.Close())
	})
	quick.wg.Wait()
	for _, c := range conns {
		require.NoError(t, c.Close())
	}
	g.wg.Wait()
}

// Without descriptors Accept fails again and again, slower each time; with some again nobody who waits is forgotten.
func TestDescriptorsRunOutAndRecover(t *testing.T) {
	s := scheduler(t, 2)
	g := &group{s: s}
	l := g.listener(t, task).(*listener)
	sa, err := sockaddr(unix.AF_INET, l.Addr())
	require.NoError(t, err)
	const clients = 30
	fds := make([]int, clients)
	for i := range fds {
		fds[i], err = socket(unix.AF_INET, unix.SOCK_STREAM, false)
		require.NoError(t, err)
	}
	var old unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	low := old
	low.Cur = 3 // those in use stay open
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &low))
	restore := func() { require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &old)) }
	defer restore()
	for _, fd := range fds {
		if err := unix.Connect(fd, sa); err != unix.EINPROGRESS {
			require.NoError(t, err)
		}
	}
	var failures, accepted atomic.Int32
	g.start(task, func() {
		for {
			c, err := l.Accept()
			switch {
			case err == nil:
				accepted.Add(1)
				require.NoError(t, c.Close())
			case errors.Is(err, net.ErrClosed):
				return
			default:
				require.ErrorIs(t, err, unix.EMFILE)
				failures.Add(1)
			}
		}
	})
	testsched.Until(t, func() bool { return failures.Load() >= 4 }, "failures")
	require.Zero(t, accepted.Load())
	require.Less(t, failures.Load(), int32(20), "it does not try all the time")
	restore()
	testsched.Until(t, func() bool { return accepted.Load() == clients }, "all are accepted")
	require.NoError(t, l.Close())
	g.wg.Wait()
	for _, fd := range fds {
		require.NoError(t, unix.Close(fd))
	}
}

// Deadlines of many connections at the same instant, again and again: each Read ends, once, by the deadline or a byte.
func TestDeadlineStorm(t *testing.T) {
	for _, procs := range []int{1, 8} {
		s := scheduler(t, procs)
		const conns, rounds = 200, 10
		g := &group{s: s}
		var timeouts, reads atomic.Int32
		for i := range conns {
			a, b := connected(t, s)
			g.start(task, func() {
				defer a.Close()
				for r := range rounds {
					require.NoError(t, a.SetReadDeadline(time.Now().Add(time.Millisecond)))
					if i%4 == 0 {
						_, err := b.Write([]byte{byte(r)})
						require.NoError(t, err)
					}
					switch _, err := a.Read(make([]byte, 1)); {
					case err == nil:
						reads.Add(1)
					case errors.Is(err, os.ErrDeadlineExceeded):
						timeouts.Add(1)
					default:
						require.NoError(t, err)
					}
				}
				require.NoError(t, b.Close())
			})
		}
		g.wg.Wait()
		require.EqualValues(t, conns*rounds, timeouts.Load()+reads.Load())
		require.GreaterOrEqual(t, timeouts.Load(), int32(conns*3/4*rounds))
	}
}

// Shutdown waits for servers that still talk, and cuts off those that only wait; their deferred calls close.
func TestShutdownWithConnectionsOpen(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		scheduler(t, 1) // counts descriptors when s has long been closed
		s, err := sched.New(sched.Config{Procs: procs})
		require.NoError(t, err)
		var closed atomic.Int32
		const conns = 20
		peers := make([]*tcpConn, conns)
		for i := range conns {
			a, b := connected(t, s)
			peers[i] = b
			s.Go(func() {
				defer closed.Add(1)
				defer a.Close()
				if i%2 == 0 {
					_ = a.SetReadDeadline(soon())
				}
				_, _ = a.Read(make([]byte, 1))
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err = s.Shutdown(ctx)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualValues(t, conns, closed.Load())
		for _, b := range peers {
			_, err := b.Read(make([]byte, 1))
			require.ErrorIs(t, err, net.ErrClosed) // its poller is gone
			require.NoError(t, b.Close())
		}
	}
}
