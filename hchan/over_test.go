// Once a context is done nobody serves who waits with it: as natively, where the call that ends a context has taken the select out of all queues
// when it returns.

package hchan

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
)

// doneContext is one that package context does not know.
type doneContext struct {
	context.Context
	done chan struct{}
}

func (c *doneContext) Done() <-chan struct{} { return c.done }

func (c *doneContext) Err() error {
	select {
	case <-c.done:
		return errDone
	default:
		return nil
	}
}

const errDone = chanError("done")

// endings makes a context, and what ends it.
var endings = map[string]func() (context.Context, func()){
	"cancel": func() (context.Context, func()) { return context.WithCancel(context.Background()) },
	"parent": func() (context.Context, func()) {
		parent, cancel := context.WithCancel(context.Background())
		ctx, own := context.WithCancel(parent)
		return context.WithValue(ctx, errDone, 1), func() {
			cancel()
			own() // in vain
		}
	},
	"own": func() (context.Context, func()) {
		own := &doneContext{context.Background(), make(chan struct{})}
		return own, func() { close(own.done) }
	},
}

// TestEndedContextIsNotServed: neither a send nor a receive nor a Close finds a waiter whose context is done, from the
// moment on that it is.
func TestEndedContextIsNotServed(t *testing.T) {
	const rounds = 4
	receivers := map[string]func(c *Chan[int], ctx, live context.Context) (gaveUp bool){
		"Select": func(c *Chan[int], ctx, _ context.Context) bool { return Select(OnRecv(c, nil, nil), OnDone(ctx)) == 1 },
		"SelectOrdered": func(c *Chan[int], ctx, live context.Context) bool {
			return SelectOrdered(OnDone(live), OnDone(ctx), OnRecv(c, nil, nil)) == 1
		},
		"RecvContext": func(c *Chan[int], ctx, _ context.Context) bool {
			_, _, err := c.RecvContext(ctx)
			return err != nil
		},
	}
	senders := map[string]func(c *Chan[int], ctx, live context.Context) (gaveUp bool){
		"Select": func(c *Chan[int], ctx, live context.Context) bool {
			return Select(OnSend(c, -1), OnDone(live), OnSend(c, -1), OnDone(ctx)) == 3
		},
		"SendContext": func(c *Chan[int], ctx, _ context.Context) bool { return c.SendContext(ctx, -1) != nil },
	}
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		live, cancel := context.WithCancel(context.Background())
		defer cancel()
		for range rounds {
			for _, ending := range endings {
				for name, wait := range receivers {
					c := Make[int](0)
					ctx, end := ending()
					gaveUp, served := make(chan bool, 1), make(chan int, 1)
					cs.Go(func() { gaveUp <- wait(c, ctx, live) })
					untilWaiting(t, c, 1, 0)
					cs.Go(func() {
						v, _ := c.Recv()
						served <- v
					})
					untilWaiting(t, c, 2, 0)
					cs.Do(func() {
						end()
						require.True(t, c.TrySend(7), "the second waits too")
						require.False(t, c.TrySend(8), name)
					})
					require.Equal(t, 7, <-served, name)
					require.True(t, <-gaveUp, name)
				}
				for name, wait := range senders {
					c := Make[int](1)
					c.Send(1)
					ctx, end := ending()
					gaveUp := make(chan bool, 1)
					cs.Go(func() { gaveUp <- wait(c, ctx, live) })
					testsched.Until(t, func() bool { _, s := c.waiting(); return s > 0 }, "a sender")
					cs.Do(func() {
						end()
						require.Equal(t, 1, Select(OnSend(c, 9), OnRecv(c, nil, nil)), "full, with a sender that waits")
						_, _, received := c.TryRecv()
						require.False(t, received, name)
						c.Close()
					})
					require.True(t, <-gaveUp, name)
					r, s := c.waiting()
					require.Zero(t, r+s)
				}
			}
		}
	})
}

// TestContextOfABubble: who waits inside a synctest bubble, with a context that was made there, is served from outside, where nobody may look at
// that context.
func TestContextOfABubble(t *testing.T) {
	s := testsched.New(t, 2)
	testsched.Within(t, func() {
		c := Make[int](0)
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			for i := range 20 {
				s.Go(func() { c.Send(i) })
				var v int
				require.Equal(t, 0, Select(OnRecv(c, &v, nil), OnDone(ctx)))
				require.Equal(t, i, v)
				untilSent := make(chan struct{})
				go func() {
					defer close(untilSent)
					require.NoError(t, c.SendContext(ctx, i))
				}()
				untilWaiting(t, c, 0, 1)
				require.NoError(t, s.Run(func() { c.Recv() }))
				<-untilSent
			}
			cancel()
			require.Equal(t, 1, Select(OnRecv(c, nil, nil), OnDone(ctx)))
		})
	})
	testsched.Close(t, s)
}
