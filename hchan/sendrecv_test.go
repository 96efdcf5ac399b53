// Send, Recv, TrySend, TryRecv on open channels: who waits, who is woken, in which order.

package hchan

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
)

// TestRendezvous: without a buffer neither side goes on before the other has come.
func TestRendezvous(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		c := Make[int](0)
		var sent, received atomic.Bool
		cs.Go(func() {
			c.Send(1)
			sent.Store(true)
		})
		untilWaiting(t, c, 0, 1)
		require.False(t, sent.Load())
		require.Zero(t, c.Len())
		cs.Do(func() {
			v, ok := c.Recv()
			received.Store(v == 1 && ok)
		})
		require.True(t, received.Load())
		cs.Wait()
		require.True(t, sent.Load())

		received.Store(false)
		cs.Go(func() {
			v, ok := c.Recv()
			received.Store(v == 2 && ok)
		})
		untilWaiting(t, c, 1, 0)
		require.False(t, received.Load())
		cs.Do(func() { c.Send(2) })
		cs.Wait()
		require.True(t, received.Load())
	})
}

// TestBufferIsFIFO goes around the ring several times with every fill.
func TestBufferIsFIFO(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, size := range []int{1, 2, 5} {
			c := Make[int](size)
			for fill := 1; fill <= size; fill++ {
				var got, want []int
				cs.Do(func() {
					for round := range 4 {
						for i := range fill {
							c.Send(round*100 + i)
						}
						for range fill {
							v, _ := c.Recv()
							got = append(got, v)
						}
					}
				})
				for round := range 4 {
					for i := range fill {
						want = append(want, round*100+i)
					}
				}
				require.Equal(t, want, got, "size %d, filled to %d", size, fill)
			}
		}
	})
}

func TestSendBlocksWhenFull(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		c := Make[int](2)
		var sent atomic.Int32
		cs.Go(func() {
			for i := range 3 {
				c.Send(i)
				sent.Add(1)
			}
		})
		untilWaiting(t, c, 0, 1)
		require.EqualValues(t, 2, sent.Load())
		require.False(t, c.TrySend(9))
		for want := range 3 {
			v, ok := c.Recv()
			require.True(t, ok)
			require.Equal(t, want, v)
		}
		cs.Wait()
		require.EqualValues(t, 3, sent.Load())
	})
}

func TestRecvBlocksWhenEmpty(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		c := Make[int](2)
		var got atomic.Int32
		cs.Go(func() {
			for range 2 {
				v, _ := c.Recv()
				got.Store(int32(v))
			}
		})
		untilWaiting(t, c, 1, 0)
		c.Send(5)
		untilWaiting(t, c, 1, 0)
		testsched.Until(t, func() bool { return got.Load() == 5 }, "5 received")
		require.Zero(t, c.Len(), "handed over past the buffer")
		require.True(t, c.TrySend(6))
		cs.Wait()
		require.EqualValues(t, 6, got.Load())
	})
}

// TestReceiversAreServedInOrder: the n-th to wait is given the n-th value.
func TestReceiversAreServedInOrder(t *testing.T) {
	const n = 12
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, size := range []int{0, 3} {
			c := Make[int](size)
			var got [n]int
			for i := range n {
				cs.Go(func() { got[i], _ = c.Recv() })
				untilWaiting(t, c, i+1, 0)
			}
			cs.Do(func() {
				for i := range n {
					if i%2 == 0 {
						c.Send(i)
					} else if !c.TrySend(i) {
						panic("TrySend refused though receivers wait")
					}
				}
			})
			cs.Wait()
			for i, v := range got {
				require.Equal(t, i, v)
			}
		}
	})
}

// TestSendersAreServedInOrder: with a buffer the receiver gets the oldest element, and the first
// waiting sender's value takes the slot at the end of the queue.
func TestSendersAreServedInOrder(t *testing.T) {
	const n = 12
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, size := range []int{0, 1, 3} {
			c := Make[int](size)
			for i := range n {
				cs.Go(func() { c.Send(i) })
				testsched.Until(t, func() bool { _, s := c.waiting(); return c.Len()+s == i+1 }, "%d in all", i+1)
			}
			for i := range n {
				require.Equal(t, min(size, n-i), c.Len(), "kept full while senders wait")
				_, before := c.waiting()
				require.Equal(t, max(0, n-size-i), before)
				v, ok, received := -1, false, true
				cs.Do(func() {
					if i%2 == 0 {
						v, ok = c.Recv()
					} else {
						v, ok, received = c.TryRecv()
					}
				})
				require.True(t, ok && received)
				require.Equal(t, i, v)
			}
			cs.Wait()
			require.Zero(t, c.Len())
		}
	})
}

func TestTryOnUnbuffered(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		c := Make[int](0)
		require.False(t, c.TrySend(1))
		_, ok, received := c.TryRecv()
		require.False(t, ok || received)

		got := 0
		cs.Go(func() { got, _ = c.Recv() })
		untilWaiting(t, c, 1, 0)
		sent := false
		cs.Do(func() { sent = c.TrySend(4) })
		require.True(t, sent)
		cs.Wait()
		require.Equal(t, 4, got)

		cs.Go(func() { c.Send(5) })
		untilWaiting(t, c, 0, 1)
		cs.Do(func() { got, ok, received = c.TryRecv() })
		require.True(t, ok && received)
		require.Equal(t, 5, got)
	})
}

// TestSendHappensBeforeReceive, and a receive before the send that takes its slot: a channel of one
// slot is a lock. The detector sees a missing edge, the sum a lost update.
func TestSendHappensBeforeReceive(t *testing.T) {
	const n, rounds = 6, 50
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		lock := Make[struct{}](1)
		box := Make[*int](0)
		sum := 0
		for range n {
			cs.Go(func() {
				for range rounds {
					lock.Send(struct{}{})
					sum++
					lock.Recv()
				}
				done := 1
				box.Send(&done)
			})
		}
		ended := 0
		cs.Do(func() {
			for range n {
				p, _ := box.Recv()
				ended += *p
			}
		})
		require.Equal(t, n, ended)
		require.Equal(t, n*rounds, sum)
	})
}
