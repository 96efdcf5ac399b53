//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/sched"
)

// TestNoDeadlockWhileTheNetworkIsWaitedFor: the peer is not one of ours and answers late.
func TestNoDeadlockWhileTheNetworkIsWaitedFor(t *testing.T) {
	watch(t)
	for _, procs := range []int{1, 2, 8} {
		s, err := sched.New(sched.Config{Procs: procs, DetectDeadlock: true})
		require.NoError(t, err)
		require.NoError(t, s.Run(func() {
			ln, err := Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			go func() {
				c, err := net.Dial("tcp", ln.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				<-time.After(100 * time.Millisecond) // long after a deadlock would have been reported
				_, _ = c.Write([]byte("x"))
				_ = c.Close()
			}()
			c, err := ln.Accept()
			require.NoError(t, err)
			n, err := c.Read(make([]byte, 1))
			require.NoError(t, err)
			require.Equal(t, 1, n)
			require.NoError(t, c.Close())
			require.NoError(t, ln.Close())
		}))
		var dead *sched.DeadlockError
		require.ErrorAs(t, s.Run(func() { sched.Park(sched.WaitReasonZero, nil, nil) }), &dead)
		require.Len(t, dead.Tasks, 1)
		require.NoError(t, s.Close())
	}
}
