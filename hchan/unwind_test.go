// Tasks that are unwound while they wait in a channel, because their Scheduler closes: they leave the
// queue, and no value goes to them or is lost on the way.

package hchan

import (
	"runtime"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/internal/testsched"
)

// unwindProcs runs f with Procs of 1, 2 and 8. f closes all Schedulers that it makes, and no goroutine
// may be left behind.
func unwindProcs(t *testing.T, f func(t *testing.T, procs int)) {
	for _, procs := range []int{1, 2, 8} {
		before := runtime.NumGoroutine()
		testsched.Within(t, func() { f(t, procs) })
		testsched.GoroutinesBack(t, before)
	}
}

// TestUnwoundReceiversLeaveTheQueue: dead tasks before, between and behind live goroutines; these are
// served in order.
func TestUnwoundReceiversLeaveTheQueue(t *testing.T) {
	unwindProcs(t, func(t *testing.T, procs int) {
		s := testsched.New(t, procs)
		c := Make[int](0)
		var deferred, returned atomic.Int32
		got := [4]chan int{}
		for i := range 9 {
			if i%2 == 1 {
				got[i/2] = make(chan int, 1)
				go func() {
					v, _ := c.Recv()
					got[i/2] <- v
				}()
			} else {
				s.Go(func() {
					defer deferred.Add(1)
					c.Recv()
					returned.Add(1)
				})
			}
			untilWaiting(t, c, i+1, 0)
		}
		require.NoError(t, s.Close())
		require.EqualValues(t, 5, deferred.Load(), "deferred calls run")
		require.Zero(t, returned.Load())
		untilWaiting(t, c, 4, 0)
		for i := range 4 {
			require.True(t, c.TrySend(i))
			require.Equal(t, i, <-got[i])
		}
		require.False(t, c.TrySend(4), "nobody is left")
	})
}

// TestUnwoundSendersLeaveTheQueue: their values are never received, those of the others are, in order.
func TestUnwoundSendersLeaveTheQueue(t *testing.T) {
	unwindProcs(t, func(t *testing.T, procs int) {
		for _, size := range []int{0, 2} {
			s := testsched.New(t, procs)
			c := Make[int](size)
			for i := range size {
				c.Send(-size + i)
			}
			var deferred atomic.Int32
			for i := range 9 {
				if i%2 == 1 {
					go c.Send(i / 2)
				} else {
					s.Go(func() {
						defer deferred.Add(1)
						c.Send(100)
						panic("a send without a receiver returned")
					})
				}
				untilWaiting(t, c, 0, i+1)
			}
			require.NoError(t, s.Close())
			require.EqualValues(t, 5, deferred.Load())
			untilWaiting(t, c, 0, 4)
			for i := -size; i < 4; i++ {
				v, ok := c.Recv()
				require.True(t, ok)
				require.Equal(t, i, v)
			}
			_, _, received := c.TryRecv()
			require.False(t, received)
		}
	})
}

// TestDequeuePassesOverUnwinding: a task that Close has already won but that has not yet left the
// queue is not given anything. The test holds the lock that such a task needs in order to leave.
func TestDequeuePassesOverUnwinding(t *testing.T) {
	unwindProcs(t, func(t *testing.T, procs int) {
		s := testsched.New(t, procs)
		c := Make[int](0)
		s.Go(func() { c.Recv() })
		untilWaiting(t, c, 1, 0)
		got := make(chan int)
		go func() {
			v, _ := c.Recv()
			got <- v
		}()
		untilWaiting(t, c, 2, 0)

		c.lock.Lock()
		closed := make(chan error)
		go func() { closed <- s.Close() }()
		testsched.Until(t, func() bool { return lockContended(&c.lock) }, "the unwound task waits for the lock")
		sg := c.recvq.dequeue()
		require.NotNil(t, sg, "the goroutine behind it")
		require.Nil(t, c.recvq.first)
		whole[int](sg).elem = 3
		c.handOver(sg) // releases the lock
		require.Equal(t, 3, <-got)
		require.NoError(t, <-closed)
	})
}

// TestSendPastUnwindingReceiver: a send that finds nobody but a dying receiver goes on as if there
// were none.
func TestSendPastUnwindingReceiver(t *testing.T) {
	unwindProcs(t, func(t *testing.T, procs int) {
		s := testsched.New(t, procs)
		c := Make[int](1)
		s.Go(func() { c.Recv() })
		untilWaiting(t, c, 1, 0)
		c.lock.Lock()
		closed := make(chan error)
		go func() { closed <- s.Close() }()
		testsched.Until(t, func() bool { return lockContended(&c.lock) }, "the unwound task waits for the lock")
		// Who gets the lock first is open; the value must be in the buffer either way.
		c.lock.Unlock()
		c.Send(8)
		require.NoError(t, <-closed)
		v, ok, received := c.TryRecv()
		require.True(t, ok && received)
		require.Equal(t, 8, v)
	})
}

// lockContended reports whether somebody sleeps for lock, or is about to: its second word says so, see
// package rawlock.
func lockContended(lock *rawlock.Mutex) bool {
	return atomic.LoadUint32((*uint32)(unsafe.Add(unsafe.Pointer(lock), 4))) != 0
}

// TestDeferredCallsUseChannelsWhileUnwound: they send to a waiting receiver, receive from a waiting
// sender, and close.
func TestDeferredCallsUseChannelsWhileUnwound(t *testing.T) {
	unwindProcs(t, func(t *testing.T, procs int) {
		s := testsched.New(t, procs)
		forever, out, in, end := Make[int](0), Make[int](0), Make[int](0), Make[int](0)
		got := make(chan int, 2)
		go func() {
			v, _ := out.Recv()
			got <- v
		}()
		go in.Send(20)
		untilWaiting(t, out, 1, 0)
		untilWaiting(t, in, 0, 1)
		s.Go(func() {
			defer end.Close()
			defer func() {
				v, _ := in.Recv()
				got <- v
			}()
			defer out.Send(10)
			forever.Recv()
		})
		untilWaiting(t, forever, 1, 0)
		require.NoError(t, s.Close())
		require.Equal(t, 30, <-got+<-got)
		_, ok, received := end.TryRecv()
		require.True(t, received && !ok)
	})
}

// TestStressCloseLosesNoValue closes a Scheduler whose tasks receive what goroutines send: what was
// sent is what tasks have received and what is left for others.
func TestStressCloseLosesNoValue(t *testing.T) {
	defer testsched.Collect()()
	const rounds, senders, receivers = 20, 3, 16
	for _, size := range []int{0, 2} {
		unwindProcs(t, func(t *testing.T, procs int) {
			for range rounds {
				s := testsched.New(t, procs)
				c := Make[int64](size)
				var sent, received atomic.Int64
				for range receivers {
					s.Go(func() {
						for {
							v, _ := c.Recv()
							received.Add(v)
						}
					})
				}
				var enough atomic.Bool
				sending := make(chan struct{})
				for range senders {
					go func() {
						for i := int64(1); !enough.Load(); i++ {
							c.Send(i)
							sent.Add(i)
						}
						sending <- struct{}{}
					}()
				}
				testsched.Until(t, func() bool { return received.Load() > 30 }, "values flow")
				require.NoError(t, s.Close())
				enough.Store(true)
				drained := make(chan int64)
				go func() {
					sum := int64(0)
					for v := range c.All() {
						sum += v
					}
					drained <- sum
				}()
				for range senders {
					<-sending
				}
				c.Close()
				require.Equal(t, sent.Load(), received.Load()+<-drained)
			}
		})
	}
}
