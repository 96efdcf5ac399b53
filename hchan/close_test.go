// Close: whom it wakes, what is still received, and the panics.

package hchan

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
)

func TestPanicsAreTheRuntimes(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		closed := func(size int) chan int {
			c := make(chan int, size)
			close(c)
			return c
		}
		oursClosed := func(size int) *Chan[int] {
			c := Make[int](size)
			c.Close()
			return c
		}
		for _, size := range []int{0, 1} {
			for _, p := range []struct{ native, ours func() }{
				{func() { close((chan int)(nil)) }, (*Chan[int])(nil).Close},
				{func() { close(closed(size)) }, oursClosed(size).Close},
				{func() { closed(size) <- 1 }, func() { oursClosed(size).Send(1) }},
				{func() {
					select {
					case closed(size) <- 1:
					default:
					}
				}, func() { oursClosed(size).TrySend(1) }},
			} {
				var got any
				cs.Do(func() { got = testsched.PanicOf(p.ours) })
				requirePanicAs(t, p.native, func() { panic(got) })
			}
		}
	})
}

// TestSendOnFullClosedChannelPanics: that it is closed counts more than that there is no room.
func TestSendOnFullClosedChannelPanics(t *testing.T) {
	c := Make[int](1)
	c.Send(1)
	c.Close()
	requireRuntimeError(t, "send on closed channel", testsched.PanicOf(func() { c.TrySend(2) }))
	requireRuntimeError(t, "send on closed channel", testsched.PanicOf(func() { c.Send(2) }))
	v, ok := c.Recv()
	require.True(t, ok)
	require.Equal(t, 1, v)
}

// TestLockIsFreeAfterPanic: a panic leaves the channel as it was.
func TestLockIsFreeAfterPanic(t *testing.T) {
	c := Make[int](1)
	c.Close()
	for _, op := range []func(){c.Close, func() { c.Send(1) }, func() { c.TrySend(1) }} {
		require.NotNil(t, testsched.PanicOf(op))
		require.True(t, c.lock.TryLock())
		c.lock.Unlock()
	}
}

func TestCloseWakesAllReceivers(t *testing.T) {
	const n = 9
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, size := range []int{0, 2} {
			c := Make[int](size)
			var woken atomic.Int32
			for i := range n {
				cs.Go(func() {
					if v, ok := c.Recv(); v == 0 && !ok {
						woken.Add(1)
					}
				})
				untilWaiting(t, c, i+1, 0)
			}
			cs.Do(c.Close)
			cs.Wait()
			require.EqualValues(t, n, woken.Load())
			untilWaiting(t, c, 0, 0)
		}
	})
}

// TestCloseMakesAllSendersPanic, and none of their values is received; those in the buffer are.
func TestCloseMakesAllSendersPanic(t *testing.T) {
	if hb.On {
		t.Skip("a race, of which the detector is told as it is of native ones")
	}
	const n = 9
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, size := range []int{0, 2} {
			c := Make[int](size)
			for i := range size {
				c.Send(i)
			}
			var got [n]any
			for i := range n {
				cs.Go(func() { got[i] = testsched.PanicOf(func() { c.Send(100) }) })
				untilWaiting(t, c, 0, i+1)
			}
			cs.Do(c.Close)
			cs.Wait()
			for _, v := range got {
				requireRuntimeError(t, "send on closed channel", v)
			}
			for i := range size {
				v, ok := c.Recv()
				require.True(t, ok)
				require.Equal(t, i, v)
			}
			_, ok := c.Recv()
			require.False(t, ok)
		}
	})
}

func TestBufferedIsReceivedAfterClose(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		c := Make[int](4)
		for i := range 4 {
			c.Send(i)
		}
		c.Close()
		for want := range 4 {
			v, ok, received := -1, false, true
			cs.Do(func() {
				if want%2 == 0 {
					v, ok = c.Recv()
				} else {
					v, ok, received = c.TryRecv()
				}
			})
			require.True(t, ok && received)
			require.Equal(t, want, v)
		}
		for range 3 {
			v, ok := c.Recv()
			require.Zero(t, v)
			require.False(t, ok)
			v, ok, received := c.TryRecv()
			require.Zero(t, v)
			require.False(t, ok)
			require.True(t, received)
		}
	})
}
