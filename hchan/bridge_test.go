// What a wait with a context allocates.

package hchan

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestContextsAllocateTheirOwn: a wait with a context that does not end allocates what context.AfterFunc does, once for each context, and nothing
// else.
func TestContextsAllocateTheirOwn(t *testing.T) {
	if hb.On {
		t.Skip("telling the race detector of a call allocates")
	}
	const rounds = 500
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	other, cancelOther := context.WithCancel(context.Background())
	defer cancelOther()
	f := func() {}
	stop := context.AfterFunc(ctx, f) // the first makes a map
	defer stop()
	stop = context.AfterFunc(other, f)
	defer stop()
	own := testsched.LeastMallocs(func() {
		for range rounds {
			context.AfterFunc(ctx, f)()
		}
	})
	for name, x := range map[string]struct {
		contexts int
		wait     func(c, d *Chan[int])
		serve    func(c *Chan[int])
	}{
		"Select":       {1, func(c, d *Chan[int]) { Select(OnRecv(c, nil, nil), OnSend(d, 1), OnDone(ctx)) }, func(c *Chan[int]) { c.Send(1) }},
		"two contexts": {2, func(c, _ *Chan[int]) { SelectOrdered(OnDone(other), OnDone(ctx), OnSend(c, 1)) }, func(c *Chan[int]) { c.Recv() }},
		"SendContext":  {1, func(c, _ *Chan[int]) { _ = c.SendContext(ctx, 1) }, func(c *Chan[int]) { c.Recv() }},
		"RecvContext":  {1, func(c, _ *Chan[int]) { _, _, _ = c.RecvContext(ctx) }, func(c *Chan[int]) { c.Send(1) }},
	} {
		for _, kind := range []string{"task", "goroutine"} {
			t.Run(fmt.Sprint(name, "/", kind), func(t *testing.T) {
				s := testsched.New(t, 1)
				c, d := Make[int](0), Make[int](0)
				var enough atomic.Bool
				waits := func() {
					for !enough.Load() {
						x.wait(c, d)
					}
				}
				parked := func() {
					for r, s := c.waiting(); r+s == 0; r, s = c.waiting() {
						sched.Yield()
					}
				}
				cs := testsched.NewCallers(s.Go)
				if kind == "goroutine" {
					cs = testsched.NewCallers(testsched.OnGoroutine)
				}
				cs.Go(waits)
				var mallocs uint64
				testsched.Within(t, func() {
					require.NoError(t, s.Run(func() {
						mallocs = testsched.LeastMallocs(func() {
							for range rounds {
								parked()
								x.serve(c)
							}
						})
						parked()
						enough.Store(true)
						x.serve(c)
					}))
					cs.Wait()
				})
				testsched.Close(t, s)
				require.InDelta(t, float64(x.contexts)*float64(own), float64(mallocs), rounds/20)
			})
		}
	}
}
