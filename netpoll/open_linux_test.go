package netpoll

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/sched"
)

// Descriptors that only Linux has, and what only epoll refuses.

func TestOpenEventfdAndTimerfd(t *testing.T) {
	s := scheduler(t, 1)
	g := &group{s: s}
	g.run(task, func() {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		require.NoError(t, err)
		e, err := Open(fd, "eventfd")
		require.NoError(t, err)
		inner := &group{s: s}
		var sum uint64
		inner.start(task, func() {
			for sum < 3 {
				var b [8]byte
				_, err := e.Read(b[:])
				require.NoError(t, err)
				sum += binary.NativeEndian.Uint64(b[:])
			}
		})
		for range 3 {
			sched.Yield()
			_, err = e.Write(binary.NativeEndian.AppendUint64(nil, 1))
			require.NoError(t, err)
		}
		inner.wgWait()
		require.EqualValues(t, 3, sum)
		require.NoError(t, e.Close())

		fd, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC)
		require.NoError(t, err)
		require.NoError(t, unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(5e6)}, nil))
		tfd, err := Open(fd, "timerfd")
		require.NoError(t, err)
		var b [8]byte
		_, err = tfd.Read(b[:])
		require.NoError(t, err)
		require.EqualValues(t, 1, binary.NativeEndian.Uint64(b[:]))
		raw, err := tfd.SyscallConn()
		require.NoError(t, err)
		require.NoError(t, raw.Control(func(fd uintptr) {
			require.NoError(t, unix.TimerfdSettime(int(fd), 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(1e6)}, nil))
		}))
		require.NoError(t, raw.Read(func(fd uintptr) bool {
			_, err := unix.Read(int(fd), b[:])
			return err == nil
		}))
		require.NoError(t, tfd.Close())
	})
}

// What cannot be polled is refused, and stays its owner's.
func TestOpenRefuses(t *testing.T) {
	s := scheduler(t, 1)
	(&group{s: s}).run(task, func() {
		f, err := os.Create(filepath.Join(t.TempDir(), "f"))
		require.NoError(t, err)
		_, err = Open(int(f.Fd()), "a file")
		require.ErrorIs(t, err, unix.EPERM)
		_, err = f.WriteString("still there")
		require.NoError(t, err)
		require.NoError(t, f.Close())
		_, err = Open(-1, "nothing")
		require.ErrorIs(t, err, unix.EBADF)
		require.ErrorContains(t, err, "nothing")
	})
}
