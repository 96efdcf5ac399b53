package netpoll

import (
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
