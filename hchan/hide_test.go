// A select's cases on a stack that moves at any moment.

package hchan

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
)

// TestStressSelectWhileTheStackShrinks: the collector asks for a stack that has become too large to shrink, which it does where the next function begins: also one that
// only instrumented builds call (-race, -d=checkptr), between any two steps of Select. Where the cases were is then no stack any more.
func TestStressSelectWhileTheStackShrinks(t *testing.T) {
	const cycles = 300
	var stop atomic.Bool
	var wrong atomic.Int64
	testsched.Within(t, func() {
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				c, never := Make[int](1), Make[int](0)
				for i := 1; !stop.Load(); i++ {
					deep(60) // makes it large
					for range 20 {
						var v, w int
						c.Send(i)
						Select(OnRecv(never, nil, nil), OnRecv(c, &v, nil))
						c.Send(i)
						SelectOrdered(OnRecv(never, nil, nil), OnRecv(c, &w, nil))
						if v != i || w != i {
							wrong.Add(1)
						}
					}
					runtime.Gosched() // else each step of the collector's lasts a time slice
				}
			})
		}
		for range cycles {
			runtime.GC()
		}
		stop.Store(true)
		all.Wait()
	})
	require.Zero(t, wrong.Load())
}
