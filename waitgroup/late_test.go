package waitgroup

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
)

// TestLateDone: the only one who waits gives up when a Done has made the counter zero and has yet to wake him. The next round may begin then, and is
// neither misuse nor ended by that Done.
func TestLateDone(t *testing.T) {
	inside := func(f func()) {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}
		f()
	}
	for _, first := range []string{"the late one", "that of the next round"} {
		t.Run(first, func(t *testing.T) {
			var wg WaitGroup
			half := func() { wg.state.Add(^uint64(1<<32 - 1)) } // of a Done: wakeAll is to come
			wg.Add(1)
			inside(func() {
				wg.lock.Lock()
				require.True(t, wg.count())
				wg.lock.Unlock()
				half()
				wg.lock.Lock()
				wg.uncount()
				wg.lock.Unlock()
			})
			wg.Wait()
			wg.Add(1)
			done := make(chan struct{})
			go func() {
				wg.Wait()
				close(done)
			}()
			testsched.Until(t, func() bool { return uint32(wg.state.Load()) != 0 }, "it waits")
			if first == "the late one" {
				require.NotPanics(t, func() { inside(wg.wakeAll) })
				require.Equal(t, uint64(1<<32|1), wg.state.Load())
				wg.Done()
			} else {
				wg.Done()
				testsched.Within(t, func() { <-done })
				require.NotPanics(t, func() { inside(wg.wakeAll) })
			}
			testsched.Within(t, func() { <-done })
			require.Zero(t, wg.state.Load())
			inside(func() {
				wg.lock.Lock()
				require.Zero(t, wg.late)
				wg.lock.Unlock()
			})
		})
	}
}
