//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"fmt"
	"math"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// lonePoller returns a poller that no worker polls, and a connected pair of sockets.
func lonePoller(t *testing.T) (p *poller, a, b int) {
	t.Helper()
	s := scheduler(t, 1)
	sp, err := openPoller(s)
	require.NoError(t, err)
	p = sp.(*poller)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	require.NoError(t, err)
	for _, fd := range pair {
		require.NoError(t, unix.SetNonblock(fd, true))
		unix.CloseOnExec(fd)
	}
	return p, pair[0], pair[1]
}

func TestPollMakesReady(t *testing.T) {
	p, a, b := lonePoller(t)
	pd, err := p.register(a)
	require.NoError(t, err)
	require.False(t, p.Waiting())
	var list sched.GList
	p.Poll(0, &list)
	require.Nil(t, pd.r.g.Load())
	require.True(t, pd.w.g.Load() == ready)
	pd.w.reset()
	send(b, []byte("x"))
	p.Poll(1e6, &list)
	require.True(t, pd.r.g.Load() == ready)

	pd.r.reset()
	_, errno := recv(a, make([]byte, 8))
	require.Zero(t, errno)
	p.Poll(0, &list)
	require.Nil(t, pd.r.g.Load(), "an edge comes once")
	require.NoError(t, unix.Close(b))
	p.Poll(0, &list)
	require.True(t, pd.r.g.Load() == ready, "a hang-up is for both")
	require.True(t, pd.w.g.Load() == ready)
	p.unregister(pd, a)
	require.NoError(t, unix.Close(a))
	require.NoError(t, p.Close())
}

// What the kernel still has to say about a descriptor does not reach the next owner of its pollDesc.
func TestStaleEventIsDropped(t *testing.T) {
	p, a, b := lonePoller(t)
	first, err := p.register(a)
	require.NoError(t, err)
	stale := tag{first.index, first.seq.Load()}
	p.unregister(first, a)
	pd := p.alloc()
	require.Same(t, first, pd)
	require.NoError(t, p.kernel.add(a, stale))
	var list sched.GList
	p.Poll(0, &list)
	require.Nil(t, pd.w.g.Load())
	p.kernel.remove(a)
	require.NoError(t, p.kernel.add(a, tag{pd.index, pd.seq.Load()}))
	p.Poll(0, &list)
	require.True(t, pd.w.g.Load() == ready)
	p.unregister(pd, a)
	require.NoError(t, unix.Close(a))
	require.NoError(t, unix.Close(b))
	require.NoError(t, p.Close())
}

func TestBreak(t *testing.T) {
	p, a, b := lonePoller(t)
	var list sched.GList
	for range 3 {
		p.Break()
		p.Break()
		p.Poll(0, &list)  // leaves it
		p.Poll(-1, &list) // takes it
	}
	// A Break at any moment ends a blocking Poll that has not returned yet, or the next.
	polls, breaks := &atomic.Int32{}, 0
	g := &group{}
	g.start(goroutine, func() {
		for range 1000 {
			p.Poll(-1, &list)
			polls.Add(1)
		}
	})
	for polls.Load() < 1000 {
		seen := polls.Load()
		p.Break()
		breaks++
		testsched.Until(t, func() bool { return polls.Load() > seen }, "Break is heard")
	}
	g.wg.Wait()
	require.Positive(t, breaks)
	require.NoError(t, unix.Close(a))
	require.NoError(t, unix.Close(b))
	require.NoError(t, p.Close())
}

// The kernel's queue outlives Close until the last descriptor has gone.
func TestPollerCloseBeforeDescriptors(t *testing.T) {
	p, a, b := lonePoller(t)
	pd, err := p.register(a)
	require.NoError(t, err)
	require.NoError(t, p.Close())
	require.Error(t, pd.err(&pd.r))
	_, err = p.register(b)
	require.ErrorIs(t, err, sched.ErrClosed)
	_, err = unix.FcntlInt(uintptr(kernelFD(p)), unix.F_GETFD, 0)
	require.NoError(t, err)
	p.unregister(pd, a)
	_, err = unix.FcntlInt(uintptr(kernelFD(p)), unix.F_GETFD, 0)
	require.ErrorIs(t, err, unix.EBADF)
	require.NoError(t, unix.Close(a))
	require.NoError(t, unix.Close(b))
}

func TestRegisterFailure(t *testing.T) {
	p, a, b := lonePoller(t)
	_, err := p.register(math.MaxInt32)
	require.ErrorIs(t, err, unix.EBADF)
	require.ErrorContains(t, err, registerCall)
	require.Zero(t, p.live)
	require.NoError(t, unix.Close(a))
	require.NoError(t, unix.Close(b))
	require.NoError(t, p.Close())
}

// Every notify before, while and after the waiter parks ends exactly one wait, or two that were so
// close together that the waiter looks once.
func TestStressWaitWord(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		for _, waiter := range []party{task, goroutine} {
			t.Run(fmt.Sprint(waiter.name, "/procs=", procs), func(t *testing.T) {
				s := scheduler(t, procs)
				g := &group{s: s}
				const rounds = 20_000
				var w waitWord
				var said, heard atomic.Int32
				g.start(waiter, func() {
					for heard.Load() < rounds {
						if heard.Load() < said.Load() {
							heard.Store(said.Load())
							continue
						}
						require.True(t, w.wait(sched.WaitReasonIOWait))
					}
				})
				g.start(task, func() {
					for i := range rounds {
						said.Add(1)
						w.wake()
						if i%7 == 0 {
							for heard.Load() <= int32(i) {
								sched.Yield()
							}
						}
					}
				})
				g.wg.Wait()
				require.EqualValues(t, rounds, heard.Load())
				require.True(t, w.g.Load() == nil || w.g.Load() == ready)
			})
		}
	}
}
