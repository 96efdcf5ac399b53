// Sends and receives with contexts that end at any moment: nothing is lost, nothing is done that was reported as not done.

package hchan

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestStressContexts: contexts are cancelled while others serve those who wait with them. What senders say they have sent is what
// receivers say they have received, and what is left in the buffer.
func TestStressContexts(t *testing.T) {
	const pairs, rounds = 4, 40
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, size := range []int{0, 2} {
			c, other := Make[int](size), Make[int](0)
			var sent, received, gaveUp atomic.Int64
			loop := func(seed uint64, f func(ctx context.Context, r *rand.Rand, i int)) {
				r := rand.New(rand.NewPCG(seed, 3))
				ctxs := Make[context.CancelFunc](rounds)
				cs.Go(func() {
					for cancel := range ctxs.All() {
						for range r.IntN(8) {
							sched.Yield()
						}
						cancel()
					}
				})
				r2 := rand.New(rand.NewPCG(seed, 4))
				cs.Go(func() {
					defer ctxs.Close()
					for i := range rounds {
						ctx, cancel := context.WithCancel(context.Background())
						ctxs.Send(cancel)
						f(ctx, r2, i)
					}
				})
			}
			for p := range uint64(pairs) {
				loop(p, func(ctx context.Context, r *rand.Rand, i int) {
					v := i + 1
					if r.IntN(2) == 0 {
						if c.SendContext(ctx, v) != nil {
							gaveUp.Add(1)
							return
						}
					} else if Select(OnDone(ctx), OnSend(c, v), OnSend(other, v)) == 0 {
						gaveUp.Add(1)
						return
					}
					sent.Add(int64(v))
				})
				loop(100+p, func(ctx context.Context, r *rand.Rand, _ int) {
					var v int
					switch r.IntN(3) {
					case 0:
						var err error
						var ok bool
						if v, ok, err = c.RecvContext(ctx); (err == nil) != ok {
							t.Errorf("%v, %v", ok, err)
						}
					case 1:
						Select(OnRecv(c, &v, nil), OnRecv(other, &v, nil), OnDone(ctx))
					case 2:
						SelectOrdered(OnDone(ctx), OnRecv(other, &v, nil), OnRecv(c, &v, nil))
					}
					received.Add(int64(v))
				})
			}
			cs.Wait()
			for v, _, ok := c.TryRecv(); ok; v, _, ok = c.TryRecv() {
				received.Add(int64(v))
			}
			require.Equal(t, sent.Load(), received.Load())
			for _, c := range []*Chan[int]{c, other} {
				r, s := c.waiting()
				require.Zero(t, r+s)
			}
		}
	})
}

// TestContextsOrdinary: errors are the context's own, an ended context is no obstacle to what is possible at once, and a
// context that can't end costs nothing.
func TestContextsOrdinary(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		over, cancel := context.WithTimeout(context.Background(), 0)
		defer cancel()
		<-over.Done()
		because, cancelBecause := context.WithCancelCause(context.Background())
		cancelBecause(errSendClosed)
		cs.Do(func() {
			c := Make[int](1)
			require.NoError(t, c.SendContext(over, 1))
			require.ErrorIs(t, c.SendContext(over, 2), context.DeadlineExceeded)
			require.ErrorIs(t, c.SendContext(because, 2), context.Canceled)
			v, ok, err := c.RecvContext(over)
			require.Equal(t, 1, v)
			require.True(t, ok)
			require.NoError(t, err)
			_, ok, err = c.RecvContext(over)
			require.False(t, ok)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.NoError(t, c.SendContext(context.Background(), 3))
			v, _, err = c.RecvContext(context.Background())
			require.NoError(t, err)
			require.Equal(t, 3, v)
			for range 50 { // a select draws among both
				c.TrySend(1)
				require.Contains(t, []int{0, 1}, Select(OnRecv(c, nil, nil), OnDone(over)))
			}
		})
	})
}

// TestContexts: SendContext and RecvContext, whichever comes first.
func TestContexts(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		c := Make[int](0)
		var none *Chan[int]
		ctx, cancel := context.WithCancel(t.Context())
		var err error
		cs.Go(func() { err = c.SendContext(ctx, 5) })
		untilWaiting(t, c, 0, 1)
		cs.Do(func() {
			v, ok, err := c.RecvContext(ctx)
			require.Equal(t, 5, v)
			require.True(t, ok)
			require.NoError(t, err)
		})
		cs.Wait()
		require.NoError(t, err)

		errs := make(chan error, 4)
		cs.Go(func() { errs <- c.SendContext(ctx, 6) })
		untilWaiting(t, c, 0, 1)
		cs.Go(func() { errs <- none.SendContext(ctx, 6) })
		cs.Go(func() {
			_, _, err := none.RecvContext(ctx)
			errs <- err
		})
		cancel()
		for range 3 {
			require.ErrorIs(t, <-errs, context.Canceled)
		}
		cs.Go(func() {
			v, ok, err := c.RecvContext(ctx)
			require.Zero(t, v)
			require.False(t, ok)
			errs <- err
		})
		require.ErrorIs(t, <-errs, context.Canceled)
		r, s := c.waiting()
		require.Zero(t, r+s, "the value was not sent")
		cs.Do(func() {
			c.Close()
			_, ok, err := c.RecvContext(ctx)
			require.False(t, ok)
			require.NoError(t, err, "what is possible at once is done")
			requireRuntimeError(t, "send on closed channel", testsched.PanicOf(func() { _ = c.SendContext(ctx, 1) }))
		})
	})
}
