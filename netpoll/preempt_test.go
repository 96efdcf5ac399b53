//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestNetpollGivesWay: a task that makes nothing but one call, which need not wait, gives way when its time slice is over.
func TestNetpollGivesWay(t *testing.T) {
	watch(t)
	background := context.Background()
	f, theirs := half(t)
	ready, full := half(t)
	_, err := unix.Write(full, []byte("x"))
	require.NoError(t, err)
	b := make([]byte, 1)
	peer := func(call func(fd int, p []byte) (int, error)) { // what the other end does is no call of ours
		_, err := call(theirs, make([]byte, 1))
		if err != nil {
			t.Error(err)
		}
	}
	testsched.GivesWay(t, map[string]func(){
		"FD.Read":             func() { peer(unix.Write); _, _ = f.Read(b) },
		"FD.Write":            func() { _, _ = f.Write(b); peer(unix.Read) },
		"FD.WaitWrite":        func() { _ = f.WaitWrite(background) },
		"FD.SetDeadline":      func() { _ = f.SetDeadline(time.Now().Add(time.Hour)) },
		"FD.SetReadDeadline":  func() { _ = f.SetReadDeadline(time.Now().Add(time.Hour)) },
		"FD.SetWriteDeadline": func() { _ = f.SetWriteDeadline(time.Now().Add(time.Hour)) },
		"FD.WaitRead":         func() { _ = ready.WaitRead(background) },
		"FD.Close": func() {
			var pipe [2]int
			if err := unix.Pipe(pipe[:]); err != nil {
				t.Error(err)
				return
			}
			unix.Close(pipe[1])
			f, err := Open(pipe[0], "pipe")
			if err != nil {
				t.Error(err)
				return
			}
			_ = f.Close()
		},
	}, map[string]string{
		"they wait, or need a Close": "Dial DialContext DialTimeout Listen ListenPacket Open",
		"they only read":             "FD.Name FD.SyscallConn",
	})
}

// half returns one end of a pair of sockets as an FD, and the descriptor of the other one.
func half(t *testing.T) (f *FD, other int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	require.NoError(t, err)
	f, err = Open(pair[0], "pair")
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, f.Close())
		require.NoError(t, unix.Close(pair[1]))
	})
	return f, pair[1]
}

// TestBareLoopDoesNotKeepDataWaiting: what comes while the only worker is in a task that makes no call is read nevertheless.
func TestBareLoopDoesNotKeepDataWaiting(t *testing.T) {
	s := scheduler(t, 1)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	require.NoError(t, err)
	var looping, stop atomic.Bool
	defer stop.Store(true)
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			f, err := Open(pair[0], "pair")
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			sched.Go(func() {
				looping.Store(true)
				for !stop.Load() {
				}
			})
			go func() {
				for !looping.Load() {
					runtime.Gosched()
				}
				_, _ = unix.Write(pair[1], []byte("x"))
				unix.Close(pair[1])
			}()
			_, err = f.Read(make([]byte, 1))
			stop.Store(true)
			if err != nil {
				t.Error(err)
			}
		}))
	})
	require.Positive(t, s.Stats().Reliefs)
}
