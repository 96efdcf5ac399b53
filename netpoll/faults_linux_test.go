package netpoll

import (
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The peer's machine is gone without a word: its socket is dropped in repair mode, in which the kernel sends nothing.
// The next thing that is sent finds out; who only waits has its deadline.
func TestHalfOpenPeer(t *testing.T) {
	s := scheduler(t, 2)
	a, b := connected(t, s)
	if err := unix.SetsockoptInt(b.fd.sysfd, unix.IPPROTO_TCP, unix.TCP_REPAIR, 1); err != nil {
		t.Logf("not allowed to make a peer vanish (%v): this one only falls silent", err)
		require.NoError(t, a.SetReadDeadline(soon()))
		_, err := a.Read(make([]byte, 1))
		isTimeout(t, "read", err)
		require.NoError(t, a.Close())
		require.NoError(t, b.Close())
		return
	}
	require.NoError(t, b.Close())
	(&group{s: s}).run(task, func() {
		require.NoError(t, a.SetReadDeadline(soon()))
		_, err := a.Read(make([]byte, 1))
		isTimeout(t, "read", err)
		require.NoError(t, a.SetReadDeadline(time.Time{}))
		_, err = a.Write([]byte("anybody there?"))
		require.NoError(t, err)
		_, err = a.Read(make([]byte, 1))
		require.ErrorIs(t, err, unix.ECONNRESET)
		require.NoError(t, a.Close())
	})
}

// vanish makes c receive nothing more, not even what the kernel would answer by itself, as if its machine had lost its
// power. Some kernels allow that to root only; then it says so, and c only does not read.
func vanish(t *testing.T, c *tcpConn) {
	t.Helper()
	drop := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0}
	require.NoError(t, raw(t, c).Control(func(fd uintptr) {
		err := unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &drop})
		if err != nil {
			t.Logf("not allowed to make a peer vanish: %v", err)
			require.ErrorIs(t, err, unix.EPERM)
		}
	}))
}

// Whatever a connection is waiting for when the kernel gives its peer up, it is told so. Without TCP_USER_TIMEOUT that takes
// a quarter of an hour, and a peer that does not read is never given up.
func TestPeerGivenUp(t *testing.T) {
	waits := []func(c *tcpConn) error{
		func(c *tcpConn) error { _, err := c.Read(make([]byte, 1)); return err },
		func(c *tcpConn) error { _, err := c.Write(make([]byte, 64<<20)); return err },
		func(c *tcpConn) error {
			if err := c.WaitRead(t.Context()); err != nil {
				return err
			}
			_, err := c.TryRead(make([]byte, 1))
			return err
		},
	}
	s := scheduler(t, 2)
	g := &group{s: s}
	var conns []*tcpConn
	for _, gone := range []bool{true, false} {
		for _, p := range []party{task, goroutine} {
			for _, wait := range waits {
				a, b := connected(t, s)
				conns = append(conns, a, b)
				require.NoError(t, raw(t, a).Control(func(fd uintptr) {
					require.NoError(t, unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 100))
				}))
				require.NoError(t, a.SetWriteBuffer(200<<10))
				require.NoError(t, b.SetReadBuffer(4<<10))
				if gone {
					vanish(t, b)
				}
				g.start(p, func() { givenUp(t, a, wait) })
			}
		}
	}
	g.wg.Wait()
	for _, c := range conns {
		require.NoError(t, c.Close())
	}
}

// givenUp sends what a's kernel takes and the peer's, there or not, does not, and expects wait to end.
func givenUp(t *testing.T, a *tcpConn, wait func(*tcpConn) error) {
	_, err := a.Write(make([]byte, 150<<10))
	require.NoError(t, err)
	err = wait(a)
	require.ErrorIs(t, err, unix.ETIMEDOUT)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	var ne net.Error
	require.ErrorAs(t, err, &ne)
	require.True(t, ne.Timeout())
	_, err = a.Read(make([]byte, 1))
	require.Equal(t, io.EOF, err) // the kernel tells it once
	_, err = a.Write([]byte("x"))
	require.ErrorIs(t, err, unix.EPIPE)
}
