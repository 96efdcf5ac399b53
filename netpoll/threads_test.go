//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestOnlyThreadWaitsForTheNetwork: with no thread to be had, the one that is in the poller is called for work from outside.
func TestOnlyThreadWaitsForTheNetwork(t *testing.T) {
	s, err := sched.New(sched.Config{Procs: 2, MaxThreads: 1})
	require.NoError(t, err)
	testsched.Within(t, func() {
		listeners := make(chan net.Listener, 1)
		ended := make(chan error, 1)
		s.Go(func() {
			l, err := Listen("tcp", "127.0.0.1:0")
			if err != nil {
				close(listeners)
				return
			}
			listeners <- l
			_, err = l.Accept()
			ended <- err
		})
		l, ok := <-listeners
		require.True(t, ok)
		for range 200 {
			ran := make(chan struct{})
			s.Go(func() { close(ran) })
			<-ran
		}
		parked(t, s, 1)
		ran := make(chan struct{})
		s.Go(func() { close(ran) })
		<-ran
		require.NoError(t, l.Close())
		require.ErrorIs(t, <-ended, net.ErrClosed)
	})
	require.NoError(t, s.Close())
}
