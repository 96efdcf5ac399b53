//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// Several callers block on the same thing: one in the poller, the others in the fdMutex.
func TestCloseUnblocksAll(t *testing.T) {
	for i, b := range blockers {
		for _, procs := range procsFor(i) {
			for _, closer := range []party{task, goroutine} {
				t.Run(fmt.Sprint(b.name, "/", closer.name, "/procs=", procs), func(t *testing.T) {
					s := scheduler(t, procs)
					g := &group{s: s}
					x := b.on(t, s, task)
					defer x.close(t)
					const callers = 6
					for i := range callers {
						g.start([]party{task, goroutine}[i%2], func() { b.closed(t, x.block()) })
					}
					b.waiting(t, s)
					g.run(closer, func() {
						require.NoError(t, x.end.Close())
						require.ErrorIs(t, x.end.Close(), net.ErrClosed)
					})
					g.wg.Wait()
					b.closed(t, x.block())
					parked(t, s, 0)
				})
			}
		}
	}
}

// procsFor returns the numbers of Ps that the blocker at index i is tried with: the plain ones with all.
func procsFor(i int) []int {
	all := []int{1, 2, 8}
	if i < 3 {
		return all
	}
	return all[i%3:][:1]
}

// TestBlockedErrorsAreNets: what a call that would wait says of the end, and of its deadline.
func TestBlockedErrorsAreNets(t *testing.T) {
	s := scheduler(t, 1)
	for _, b := range blockers {
		if b.ours {
			continue
		}
		t.Run(b.name, func(t *testing.T) {
			errs := map[string][2]error{}
			for _, p := range []party{native, task} {
				x := b.on(t, s, p)
				defer x.close(t)
				require.NoError(t, x.end.SetDeadline(time.Unix(1, 0)))
				late := x.block()
				require.NoError(t, x.end.Close())
				closed := x.block()
				for _, err := range []error{late, closed} {
					var op *net.OpError
					require.ErrorAs(t, err, &op)
					op.Source, op.Addr = nil, nil // others
				}
				errs[p.name] = [2]error{late, closed}
			}
			for i := range 2 {
				sameError(t, errs["net"][i], errs["task"][i])
			}
		})
	}
}

// Close returns when the descriptor has been closed, which is when all its users have gone.
func TestCloseWaitsForUsers(t *testing.T) {
	s := scheduler(t, 2)
	c, peer := connected(t, s)
	g := &group{s: s}
	g.start(task, func() {
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
	})
	parked(t, s, 1)
	before := len(openFDs(t))
	require.NoError(t, c.Close())
	require.Len(t, openFDs(t), before-1)
	g.wg.Wait()
	require.NoError(t, peer.Close())
}

// A peer that closes wakes a parked reader with io.EOF, after what it has sent.
func TestPeerCloseIsEOF(t *testing.T) {
	eachPair(t, func(t *testing.T, s *sched.Scheduler, server, client party) {
		g := &group{s: s}
		l := g.listener(t, server)
		var readers atomic.Int32
		g.start(server, func() {
			c, err := l.Accept()
			require.NoError(t, err)
			readers.Add(1)
			all, err := io.ReadAll(c)
			require.NoError(t, err)
			require.Equal(t, "last words", string(all))
			n, err := c.Read(make([]byte, 1))
			require.Equal(t, 0, n)
			require.Equal(t, io.EOF, err)
			require.NoError(t, c.Close())
		})
		g.start(client, func() {
			c, err := client.dial("tcp", l.Addr().String())
			require.NoError(t, err)
			testsched.Until(t, func() bool { return readers.Load() == 1 }, "somebody reads")
			_, err = io.WriteString(c, "last words")
			require.NoError(t, err)
			require.NoError(t, c.Close())
		})
		g.wg.Wait()
		require.NoError(t, l.Close())
	})
}

// Closing a Scheduler unwinds the tasks that wait for the network; their deferred calls close the
// connections.
func TestSchedulerCloseUnwindsWaiters(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprint("procs=", procs), func(t *testing.T) {
			scheduler(t, 1) // counts descriptors when s has long been closed
			s, err := sched.New(sched.Config{Procs: procs})
			require.NoError(t, err)
			var begun, unwound, returned atomic.Int32
			const callers = 5
			waiters := 1
			var places []*blocked
			for _, b := range blockers {
				x := b.on(t, s, task)
				places = append(places, x)
				if !b.naps {
					waiters++
				}
				for range callers {
					s.Go(func() {
						defer unwound.Add(1)
						begun.Add(1)
						err := x.block()
						if !errors.Is(err, sched.ErrClosed) { // an Accept that comes only now opens nothing any more
							returned.Add(1)
						}
					})
				}
			}
			mine, other := connected(t, s)
			s.Go(func() {
				defer unwound.Add(1)
				defer mine.Close()
				begun.Add(1)
				_, _ = mine.Read(make([]byte, 1))
				returned.Add(1)
			})
			all := int32(len(blockers)*callers + 1)
			parked(t, s, waiters)
			testsched.Until(t, func() bool { return begun.Load() == all }, "all have begun")
			require.NoError(t, s.Close())
			testsched.Until(t, func() bool { return unwound.Load() == all }, "deferred calls have run")
			require.Zero(t, returned.Load())
			for _, x := range places {
				require.ErrorIs(t, x.block(), net.ErrClosed)
				require.NoError(t, x.end.Close())
				x.close(t)
			}
			require.ErrorIs(t, mine.Close(), net.ErrClosed)
			require.NoError(t, other.Close())
		})
	}
}

// TestNothingOpensOnAClosedScheduler: a task that is unwound opens nothing any more, whether the Scheduler had a poller or not, and the error is
// known by both names.
func TestNothingOpensOnAClosedScheduler(t *testing.T) {
	other := scheduler(t, 1)
	l := (&group{s: other}).listener(t, task)
	file := filepath.Join(t.TempDir(), "s")
	for name, open := range map[string]func() error{
		"Listen":       func() error { _, err := Listen("tcp", "127.0.0.1:0"); return err },
		"Listen unix":  func() error { _, err := Listen("unix", file); return err }, // twice: no file is left
		"unixgram":     func() error { _, err := ListenPacket("unixgram", file); return err },
		"ListenPacket": func() error { _, err := ListenPacket("udp", "127.0.0.1:0"); return err },
		"Dial":         func() error { _, err := Dial("tcp", l.Addr().String()); return err },
		"Dial udp":     func() error { _, err := Dial("udp", l.Addr().String()); return err },
		"Accept":       func() error { _, err := l.Accept(); return err },
		"Open": func() error {
			fds := pipe(t)
			_, err := Open(fds[0], "pipe")
			require.NoError(t, unix.Close(fds[0])) // it is the caller's still
			require.NoError(t, unix.Close(fds[1]))
			return err
		},
	} {
		for _, polled := range []bool{true, false} {
			t.Run(fmt.Sprint(name, "/", polled), func(t *testing.T) {
				if name == "Accept" {
					c, err := net.Dial("tcp", l.Addr().String())
					require.NoError(t, err)
					defer c.Close()
				}
				s := testsched.New(t, 1)
				if polled {
					_, err := pollerOf(s)
					require.NoError(t, err)
				}
				var err error
				parked := make(chan struct{})
				s.Go(func() {
					defer func() { err = open() }()
					close(parked)
					sched.Sleep(time.Hour)
				})
				<-parked
				testsched.Close(t, s)
				require.ErrorIs(t, err, net.ErrClosed)
				require.ErrorIs(t, err, sched.ErrClosed)
			})
		}
	}
	require.NoError(t, l.Close())
	_, err := os.Stat(file)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A goroutine that waits on a closed Scheduler's poller must not wait for ever.
func TestSchedulerCloseWakesGoroutines(t *testing.T) {
	scheduler(t, 1)
	s, err := sched.New(sched.Config{Procs: 2})
	require.NoError(t, err)
	a, b := connected(t, s)
	g := &group{s: s}
	g.start(goroutine, func() {
		_, err := a.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
	})
	parked(t, s, 1)
	require.NoError(t, s.Close())
	g.wg.Wait()
	_, err = a.Write([]byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)
	require.ErrorIs(t, a.SetDeadline(neverTime), net.ErrClosed)
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())
}

// Closing races with every other call; nothing may hang, leak, or close another's descriptor.
func TestStressCloseRaces(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprint("procs=", procs), func(t *testing.T) {
			s := scheduler(t, procs)
			for range 100 {
				g := &group{s: s}
				a, b := connected(t, s)
				for i := range 4 {
					p := []party{task, goroutine}[i%2]
					g.start(p, func() { _, _ = a.Read(make([]byte, 100)) })
					g.start(p, func() { _, _ = a.Write(make([]byte, 1000)) })
					g.start(p, func() { _, _ = b.Write(make([]byte, 10)) })
				}
				closed := atomic.Int32{}
				for i := range 3 {
					g.start([]party{task, goroutine}[i%2], func() {
						if a.Close() == nil {
							closed.Add(1)
						}
						_ = b.Close()
					})
				}
				g.wg.Wait()
				require.EqualValues(t, 1, closed.Load())
			}
		})
	}
}

// A connection may be used from a Scheduler that does not own it: who waited goes on where it belongs.
func TestTaskOfAnotherScheduler(t *testing.T) {
	owner := scheduler(t, 2)
	user, err := sched.New(sched.Config{Procs: 2})
	require.NoError(t, err)
	a, b := connected(t, owner)
	g := &group{s: user}
	for i := range 4 {
		g.start(task, func() {
			for range 50 {
				require.Same(t, user, sched.Current())
				if i%2 == 0 {
					_, err := a.Write([]byte("x"))
					require.NoError(t, err)
					sched.Yield()
				} else {
					_, err := b.Read(make([]byte, 1))
					require.NoError(t, err)
				}
			}
			require.Same(t, user, sched.Current())
		})
	}
	g.wg.Wait()
	require.NoError(t, user.Close())
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())
}

// TestReadAfterShortRead: a read that got less than it had room for makes the next one wait for an event.
// An end that is told together with the data is told only once, and must not be waited for.
func TestReadAfterShortRead(t *testing.T) {
	for _, procs := range []int{1, 2} {
		t.Run(fmt.Sprint("procs=", procs), func(t *testing.T) {
			s := scheduler(t, procs)
			for i := range 200 {
				a, b := connected(t, s)
				g := &group{s: s}
				g.start(task, func() {
					buf := make([]byte, 100)
					n, err := b.Read(buf)
					require.NoError(t, err)
					require.Equal(t, "some", string(buf[:n]))
					_, err = b.Read(buf)
					require.ErrorIs(t, err, io.EOF)
				})
				g.start(task, func() {
					for range i % 4 {
						sched.Yield() // the reader waits by now, or not yet
					}
					_, err := a.Write([]byte("some"))
					require.NoError(t, err)
					if i%3 == 0 {
						sched.Yield()
					}
					require.NoError(t, a.Close())
				})
				g.wg.Wait()
				require.NoError(t, b.Close())
			}
		})
	}
}

// TestReadAfterUrgentData: a read stops short at the mark of urgent data although there is more.
func TestReadAfterUrgentData(t *testing.T) {
	for i := range 50 {
		s := scheduler(t, 2)
		a, b := connected(t, s)
		c, d := connected(t, s)
		g := &group{s: s}
		g.start(task, func() { // somebody waits, so that events are polled for
			_, err := d.Read(make([]byte, 1))
			require.ErrorIs(t, err, io.EOF)
		})
		g.start(task, func() {
			_, err := a.Write([]byte("abc"))
			require.NoError(t, err)
			require.NoError(t, unix.Sendto(a.fd.sysfd, []byte("X"), unix.MSG_OOB, nil))
			_, err = a.Write([]byte("def"))
			require.NoError(t, err)
			for range i {
				sched.Yield()
			}
		})
		g.start(task, func() {
			for range i {
				sched.Yield()
			}
			got := make([]byte, 6)
			for n := 0; n < len(got); {
				buf := make([]byte, 64)
				m, err := b.Read(buf)
				require.NoError(t, err)
				n += copy(got[n:], buf[:m])
			}
			require.Equal(t, "abcdef", string(got))
			require.NoError(t, c.Close())
		})
		g.wg.Wait()
		for _, conn := range []*tcpConn{a, b, d} {
			require.NoError(t, conn.Close())
		}
	}
}
