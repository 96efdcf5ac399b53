//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/sched"
)

func TestTryRead(t *testing.T) {
	s := scheduler(t, 2)
	a, b := connected(t, s)
	buf := make([]byte, 4)
	(&group{s: s}).run(task, func() {
		_, err := a.TryRead(buf)
		require.Equal(t, ErrWouldBlock, err)
		require.True(t, errors.Is(err, unix.EAGAIN))
		_, err = b.Write([]byte("abcdef"))
		require.NoError(t, err)
		require.NoError(t, a.WaitRead(t.Context()))
		n, err := a.TryRead(buf)
		require.NoError(t, err)
		require.Equal(t, "abcd", string(buf[:n]))
		n, err = a.Read(buf) // what TryRead has left
		require.NoError(t, err)
		require.Equal(t, "ef", string(buf[:n]))
		n, err = a.TryRead(nil)
		require.NoError(t, err)
		require.Zero(t, n)
		require.NoError(t, b.Close())
		require.NoError(t, a.WaitRead(t.Context()))
		_, err = a.TryRead(buf)
		require.Equal(t, io.EOF, err)
		require.NoError(t, a.WaitRead(t.Context()))
		require.NoError(t, a.Close())
		_, err = a.TryRead(buf)
		require.ErrorIs(t, err, net.ErrClosed)
		require.ErrorIs(t, a.WaitRead(t.Context()), net.ErrClosed)
		require.ErrorIs(t, a.WaitWrite(t.Context()), net.ErrClosed)
	})
}

// While another caller reads TryRead does not wait for its turn.
func TestTryReadBesideARead(t *testing.T) {
	s := scheduler(t, 2)
	a, b := connected(t, s)
	g := &group{s: s}
	g.start(task, func() {
		_, err := a.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
	})
	parked(t, s, 1)
	_, err := a.TryRead(make([]byte, 1))
	require.Equal(t, ErrWouldBlock, err)
	require.NoError(t, a.Close())
	g.wg.Wait()
	require.NoError(t, b.Close())
}

// A context ends a wait for readiness, and one for the turn to wait; other waiters stay.
func TestWaitEndsWithContext(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		s := scheduler(t, procs)
		a, b := connected(t, s)
		g := &group{s: s}
		fill(t, a)
		stay := &group{s: s}
		stay.start(task, func() {
			require.NoError(t, a.WaitRead(t.Context()))
			n, err := a.Read(make([]byte, 2))
			require.NoError(t, err)
			require.Equal(t, 1, n)
		})
		parked(t, s, 1)
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 4 {
			p := []party{task, goroutine}[i%2]
			g.start(p, func() { require.Equal(t, context.Canceled, a.WaitRead(ctx)) })
			g.start(p, func() { require.Equal(t, context.Canceled, a.WaitWrite(ctx)) })
		}
		parked(t, s, 2)
		cancel()
		g.wg.Wait()
		require.Equal(t, context.Canceled, a.WaitRead(ctx))
		short, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
		require.Equal(t, context.DeadlineExceeded, a.WaitRead(deaf{short}))
		stop()
		require.NoError(t, a.SetWriteDeadline(soon()))
		isTimeout(t, "write", a.WaitWrite(t.Context()))
		_, err := b.Write([]byte("x"))
		require.NoError(t, err)
		stay.wg.Wait()
		require.NoError(t, a.SetWriteDeadline(time.Time{}))
		stay.start(task, func() { require.NoError(t, a.WaitWrite(t.Context())) })
		g.start(goroutine, func() { _, _ = io.Copy(io.Discard, b) })
		stay.wg.Wait()
		require.NoError(t, a.Close())
		g.wg.Wait()
		require.NoError(t, b.Close())
	}
}

// deaf is a context of the user's own making.
type deaf struct{ context.Context }

// fill writes until the peer's buffer and ours are full.
func fill(t *testing.T, c *tcpConn) {
	t.Helper()
	for {
		_, errno := send(c.fd.sysfd, make([]byte, 1<<16))
		if errno == unix.EAGAIN {
			return
		}
		require.Zero(t, errno)
	}
}

// A wait that takes the event must not leave a read waiting for it: data that came between a short read and WaitRead.
func TestReadAfterWaitRead(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		s := scheduler(t, procs)
		a, b := connected(t, s)
		g := &group{s: s}
		const rounds = 600
		g.start(task, func() {
			buf := make([]byte, 10)
			for i := range rounds {
				switch i % 3 {
				case 0:
					require.NoError(t, a.WaitRead(t.Context()))
				case 1:
					require.NoError(t, raw(t, a).Read(func(fd uintptr) bool {
						_, _, err := unix.Recvfrom(int(fd), buf[:1], unix.MSG_PEEK|unix.MSG_DONTWAIT)
						return err != unix.EAGAIN
					}))
				case 2:
					for {
						n, err := a.TryRead(buf[:1])
						if err == nil {
							require.Equal(t, byte(i), buf[0])
							require.Equal(t, 1, n)
							break
						}
						require.Equal(t, ErrWouldBlock, err)
						sched.Yield()
					}
					_, err := a.Write(buf[:1])
					require.NoError(t, err)
					continue
				}
				n, err := a.Read(buf)
				require.NoError(t, err)
				require.Equal(t, []byte{byte(i)}, buf[:n])
				_, err = a.Write(buf[:1])
				require.NoError(t, err)
			}
		})
		g.start(task, func() {
			buf := make([]byte, 1)
			for i := range rounds {
				_, err := b.Write([]byte{byte(i)})
				require.NoError(t, err)
				_, err = b.Read(buf)
				require.NoError(t, err)
			}
		})
		g.wg.Wait()
		require.NoError(t, a.Close())
		require.NoError(t, b.Close())
	}
}

// Contexts, data and closing at once: every wait ends, and what came is still there.
func TestStressWaitRead(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		s := scheduler(t, procs)
		var cancelled, readable atomic.Int32
		for i := range 300 {
			a, b := connected(t, s)
			g := &group{s: s}
			ctx, cancel := context.WithCancel(t.Context())
			for j := range 3 {
				g.start([]party{task, goroutine}[j%2], func() {
					switch err := a.WaitRead(ctx); {
					case err == nil:
						readable.Add(1)
					case err == context.Canceled:
						cancelled.Add(1)
					default:
						require.ErrorIs(t, err, net.ErrClosed)
					}
				})
			}
			g.start(goroutine, func() { cancel() })
			g.start(task, func() {
				_, err := b.Write([]byte("x"))
				require.NoError(t, err)
			})
			if i%2 == 0 {
				g.start(task, func() {
					_, err := a.Read(make([]byte, 1))
					require.NoError(t, err)
				})
			}
			g.wg.Wait()
			require.NoError(t, a.Close())
			require.NoError(t, b.Close())
			cancel()
		}
		require.EqualValues(t, 900, cancelled.Load()+readable.Load())
	}
}
