//go:build linux

package netpoll

import (
	"context"
	"encoding/binary"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/sched"
)

func TestOpenPipe(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		s := scheduler(t, procs)
		g := &group{s: s}
		g.run(task, func() {
			var fds [2]int
			require.NoError(t, unix.Pipe2(fds[:], unix.O_CLOEXEC))
			r, err := Open(fds[0], "in")
			require.NoError(t, err)
			w, err := Open(fds[1], "out")
			require.NoError(t, err)
			require.Equal(t, "in", r.Name())
			data := pattern(1 << 20)
			inner := &group{s: s}
			inner.start(goroutine, func() {
				n, err := w.Write(data)
				require.NoError(t, err)
				require.Equal(t, len(data), n)
				require.NoError(t, w.Close())
			})
			all, err := io.ReadAll(r)
			require.NoError(t, err)
			require.Equal(t, len(data), len(all))
			require.Equal(t, data, all)
			inner.wgWait()
			require.NoError(t, r.WaitRead(t.Context())) // the end is something to read
			_, err = w.Write(nil)
			require.ErrorIs(t, err, os.ErrClosed)
			require.NoError(t, r.Close())
		})
	}
}

func TestOpenEndsWaits(t *testing.T) {
	s := scheduler(t, 2)
	g := &group{s: s}
	var fds [2]int
	require.NoError(t, unix.Pipe2(fds[:], unix.O_CLOEXEC))
	g.run(task, func() {
		r, err := Open(fds[0], "in")
		require.NoError(t, err)
		w, err := Open(fds[1], "out")
		require.NoError(t, err)
		require.NoError(t, w.WaitWrite(t.Context()))
		require.NoError(t, r.SetReadDeadline(soon()))
		_, err = r.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		var pe *fs.PathError
		require.ErrorAs(t, err, &pe)
		require.True(t, pe.Timeout())
		require.Equal(t, "in", pe.Path)
		require.ErrorIs(t, r.WaitRead(t.Context()), os.ErrDeadlineExceeded)
		require.NoError(t, r.SetDeadline(time.Time{}))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		require.Equal(t, context.DeadlineExceeded, r.WaitRead(ctx))
		require.NoError(t, w.SetWriteDeadline(soon()))
		n, err := w.Write(make([]byte, 1<<20))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, 1<<16, n)
		buf := make([]byte, 1<<16)
		_, err = io.ReadFull(r, buf)
		require.NoError(t, err)
		inner := &group{s: s}
		inner.start(task, func() {
			_, err := r.Read(buf)
			require.ErrorIs(t, err, net.ErrClosed)
			require.ErrorIs(t, err, os.ErrClosed)
		})
		sched.Sleep(time.Millisecond)
		require.NoError(t, r.Close())
		inner.wgWait()
		require.ErrorIs(t, r.Close(), os.ErrClosed)
		require.NoError(t, w.SetWriteDeadline(time.Time{}))
		_, err = w.SyscallConn()
		require.NoError(t, err)
		require.NoError(t, w.Close())
	})
}

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
