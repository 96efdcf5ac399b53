package netpoll

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestUnixNameOfFullLength: another process may bind a name of 108 bytes, which leaves no room for a final zero; the kernel counts one all the same.
func TestUnixNameOfFullLength(t *testing.T) {
	t.Chdir(t.TempDir())
	s := scheduler(t, 1)
	name := strings.Repeat("x", 108)
	sysfd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	sa := unix.RawSockaddrUnix{Family: unix.AF_UNIX}
	for i := range sa.Path {
		sa.Path[i] = int8(name[i])
	}
	_, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(sysfd), uintptr(unsafe.Pointer(&sa)), unix.SizeofSockaddrUnix)
	require.Zero(t, errno)
	(&group{s: s}).run(task, func() {
		server, err := ListenPacket("unixgram", "server")
		require.NoError(t, err)
		require.NoError(t, unix.Sendto(sysfd, []byte("hello"), 0, &unix.SockaddrUnix{Name: "server"}))
		buf := make([]byte, 10)
		n, from, err := server.ReadFrom(buf)
		require.NoError(t, err)
		require.Equal(t, "hello", string(buf[:n]))
		require.Equal(t, &net.UnixAddr{Name: name, Net: "unixgram"}, from)
		require.NoError(t, server.Close())
	})
	require.NoError(t, unix.Close(sysfd))
}

// TestFullReceiverIsAskedNowAndThen: who sends to one whose queue is full naps between two attempts, whatever the call: his own socket is always writable.
func TestFullReceiverIsAskedNowAndThen(t *testing.T) {
	s := scheduler(t, 1)
	(&group{s: s}).run(task, func() {
		dir := t.TempDir()
		server, err := ListenPacket("unixgram", filepath.Join(dir, "s"))
		require.NoError(t, err)
		c, err := ListenPacket("unixgram", filepath.Join(dir, "c"))
		require.NoError(t, err)
		to := server.LocalAddr()
		msg := c.(interface {
			WriteMsgUnix(b, oob []byte, addr *net.UnixAddr) (n, oobn int, err error)
		})
		for name, write := range map[string]func() error{
			"WriteTo":      func() error { _, err := c.WriteTo([]byte("x"), to); return err },
			"WriteMsgUnix": func() error { _, _, err := msg.WriteMsgUnix([]byte("x"), nil, to.(*net.UnixAddr)); return err },
		} {
			for { // until it is full
				require.NoError(t, c.SetWriteDeadline(time.Now().Add(5*time.Millisecond)))
				if err := write(); err != nil {
					isTimeout(t, "write", err)
					break
				}
			}
			before, start := s.Stats().Parks, time.Now()
			require.NoError(t, c.SetWriteDeadline(start.Add(50*time.Millisecond)))
			isTimeout(t, "write", write())
			require.LessOrEqual(t, int64(s.Stats().Parks-before), int64(time.Since(start)/fullQueueNap)+10, name)
		}
		require.NoError(t, c.Close())
		require.NoError(t, server.Close())
	})
}
