//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"io"
	"io/fs"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/sched"
)

// pipe returns a pipe's ends, the one for reading first.
func pipe(t *testing.T) (fds [2]int) {
	t.Helper()
	require.NoError(t, unix.Pipe(fds[:]))
	return fds
}

func TestOpenPipe(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		s := scheduler(t, procs)
		g := &group{s: s}
		g.run(task, func() {
			fds := pipe(t)
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
	fds := pipe(t)
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
		require.Positive(t, n)
		buf := make([]byte, n)
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
