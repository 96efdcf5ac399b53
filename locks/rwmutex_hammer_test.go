// An RWMutex under few readers and many. The same in Go: sync/rwmutex_test.go, HammerRWMutex.

package locks

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestStressRWMutexCrowds has two writers beside 1, 3, 5 and 10 readers; the first writer starts first, the second amid the readers.
func TestStressRWMutexCrowds(t *testing.T) {
	const writer = 10_000
	rounds := 1000
	if hb.On {
		rounds = 150
	}
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, readers := range []int{1, 3, 5, 10} {
			var rw RWMutex
			var activity, wrong atomic.Int32
			plain := 0
			write := func() {
				for i := range rounds {
					rw.Lock()
					if activity.Add(writer) != writer {
						wrong.Add(1)
					}
					plain++
					if i%50 == 0 {
						sched.Yield()
					}
					activity.Add(-writer)
					rw.Unlock()
				}
			}
			read := func() {
				for i := range rounds {
					rw.RLock()
					if n := activity.Add(1); n < 1 || n >= writer {
						wrong.Add(1)
					}
					old := plain
					if i%50 == 0 {
						sched.Yield()
					}
					if plain != old {
						wrong.Add(1)
					}
					activity.Add(-1)
					rw.RUnlock()
				}
			}
			cs.Go(write)
			for i := range readers {
				if i == readers/2 {
					cs.Go(write)
				}
				cs.Go(read)
			}
			cs.Wait()
			require.Zero(t, wrong.Load())
			require.Equal(t, 2*rounds, plain)
			rw.requireIdle(t)
		}
	})
}
