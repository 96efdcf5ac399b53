//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// What accept(2) may answer besides a connection. The kernel does so at its own bidding, so these calls of accept
// fail as the test says; that descriptors really run out is in faults_test.go and nofile_test.go.

// acceptFails makes the calls of accept that follow fail with what fail returns; those for which it returns nil are
// the kernel's. Until the test ends. fail is called as Accept's caller's own.
func acceptFails(t *testing.T, fail func() error) {
	asCaller := func() error {
		if hb.On {
			hb.Out()
			defer hb.Back()
		}
		return fail()
	}
	setAcceptFunc(func(sysfd int) (int, unix.Sockaddr, error) {
		if err := asCaller(); err != nil {
			return 0, nil, err
		}
		return acceptSocket(sysfd)
	})
	t.Cleanup(func() { setAcceptFunc(acceptSocket) })
}

// What follows looks at what is the listener's own.

func setAcceptFunc(f func(int) (int, unix.Sockaddr, error)) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	acceptFunc = f
}

// lullOf returns l's pause, and when it is over.
func lullOf(l *listener) (pause time.Duration, until int64) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return l.lull.pause, l.lull.until
}

func hasPaused(l *listener) bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return l.lull.alarm != nil
}

// pauseForEver makes the pause that l is in last.
func pauseForEver(l *listener) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	l.lull.until = 1 << 62
}

// pollerAt returns the poller that l belongs to.
func pollerAt(l *listener) *poller {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return l.fd.pd.p()
}

// Connections that were broken off in the queue are passed over at once, and no other one is lost with them.
func TestAcceptPassesOverBrokenOff(t *testing.T) {
	for _, p := range []party{task, goroutine} {
		t.Run(p.name, func(t *testing.T) {
			s := scheduler(t, 2)
			g := &group{s: s}
			l := g.listener(t, p).(*listener)
			calls, failures := 0, 0
			acceptFails(t, func() error {
				calls++
				switch calls % 4 {
				case 0:
					return nil
				case 1:
					failures++
					return unix.EINTR
				default:
					failures++
					return unix.ECONNABORTED
				}
			})
			const clients = 20
			g.start(p, func() {
				for range clients {
					c, err := l.Accept()
					require.NoError(t, err)
					g.start(p, func() { echo(t, c) })
				}
			})
			for range clients {
				g.start(p, func() { converse(t, p, l.Addr().String(), 2) })
			}
			g.wg.Wait()
			require.GreaterOrEqual(t, failures, 3*clients)
			require.False(t, hasPaused(l), "nothing waits for the clock")
			require.NoError(t, l.Close())
		})
	}
}

// Any other failure is told as package net tells it, and the connection in the queue stays there for the next Accept.
// After a failure that says that something has run out that Accept waits first, longer each time, and again but shortly
// once one has succeeded.
func TestAcceptAfterFailures(t *testing.T) {
	for errno, pauses := range map[unix.Errno]bool{
		unix.EMFILE: true, unix.ENFILE: true, unix.ENOBUFS: true, unix.ENOMEM: true,
		unix.EPROTO: false, unix.ENETDOWN: false, unix.EHOSTUNREACH: false, unix.EPERM: false,
	} {
		for _, p := range []party{task, goroutine} {
			t.Run(errno.Error()+"/"+p.name, func(t *testing.T) {
				s := scheduler(t, 1)
				g := &group{s: s}
				l := g.listener(t, p).(*listener)
				left := 0
				acceptFails(t, func() error {
					_, until := lullOf(l)
					require.GreaterOrEqual(t, clock.Nanotime(), until, "not before the pause is over")
					if left == 0 {
						return nil
					}
					left--
					return errno
				})
				for range 2 {
					g.run(p, func() {
						dialled, err := p.dial("tcp", l.Addr().String())
						require.NoError(t, err)
						left = 2
						var want time.Duration
						if pauses {
							want = lullMin
						}
						for range left {
							_, err := l.Accept()
							sameError(t, &net.OpError{
								Op: "accept", Net: "tcp", Addr: l.Addr(), Err: os.NewSyscallError(acceptCall, errno),
							}, err)
							pause, _ := lullOf(l)
							require.Equal(t, want, pause)
							want *= 2
						}
						accepted, err := l.Accept()
						require.NoError(t, err)
						pause, _ := lullOf(l)
						require.Zero(t, pause)
						require.Equal(t, dialled.LocalAddr(), accepted.RemoteAddr())
						require.NoError(t, accepted.Close())
						require.NoError(t, dialled.Close())
					})
				}
				require.Zero(t, left)
				require.NoError(t, l.Close())
			})
		}
	}
}

func TestPauseHasABound(t *testing.T) {
	var l lull
	for range 100 {
		l.begin()
		require.LessOrEqual(t, l.pause, lullMax)
	}
	require.Equal(t, lullMax, l.pause)
}

// Deadlines, Close and the scheduler's end come to an Accept that pauses, though the descriptors do not.
func TestPauseOfAcceptEnds(t *testing.T) {
	for _, p := range []party{task, goroutine} {
		t.Run(p.name, func(t *testing.T) {
			s := scheduler(t, 2)
			g := &group{s: s}
			l := g.listener(t, p).(*listener)
			inPause(t, g, p, l)
			fails := func(want error) func() {
				return func() {
					_, err := l.Accept()
					require.ErrorIs(t, err, want)
				}
			}
			require.NoError(t, l.SetDeadline(soon()))
			g.run(p, fails(os.ErrDeadlineExceeded))
			require.NoError(t, l.SetDeadline(time.Time{}))

			home := pollerAt(l)
			others := home.parked()
			parked := func(n int) { testsched.Until(t, func() bool { return home.parked() == others+n }, "%d parked", n) }
			g.start(p, fails(os.ErrDeadlineExceeded))
			parked(1)
			require.NoError(t, l.SetDeadline(time.Unix(1, 0)))
			g.wg.Wait()
			require.NoError(t, l.SetDeadline(time.Time{}))

			for range 2 { // the second waits for its turn
				g.start(p, fails(net.ErrClosed))
			}
			parked(1)
			require.NoError(t, l.Close())
			g.wg.Wait()
		})
	}
	t.Run("unwound", func(t *testing.T) {
		scheduler(t, 1) // counts descriptors when s has long been closed
		s, err := sched.New(sched.Config{Procs: 2})
		require.NoError(t, err)
		g := &group{s: s}
		l := g.listener(t, task).(*listener)
		inPause(t, g, task, l)
		g.start(task, func() {
			defer l.Close()
			_, err := l.Accept()
			t.Errorf("it returns (%v), though it is unwound", err)
		})
		parked(t, s, 1)
		require.NoError(t, s.Close())
		g.wg.Wait()
		_, err = l.Accept()
		require.ErrorIs(t, err, net.ErrClosed)
	})
}

// inPause makes an Accept of l's fail, so that those which follow pause, for ever in the test's eyes.
func inPause(t *testing.T, g *group, p party, l *listener) {
	acceptFails(t, func() error { return unix.ENFILE })
	g.run(p, func() {
		_, err := l.Accept()
		require.ErrorIs(t, err, unix.ENFILE)
		pauseForEver(l)
	})
}
