// A look at who waits. All else that tests share is in internal/testsched.

package waitgroup

import (
	"testing"

	"github.com/userrt/userrt/internal/testsched"
)

// untilWaiting waits until n are parked in wg. A G that is counted has parked: it is listed under the
// lock, which is released only after it has left its stack.
func untilWaiting(t *testing.T, wg *WaitGroup, n int) {
	t.Helper()
	testsched.Until(t, func() bool {
		wg.lock.Lock()
		defer wg.lock.Unlock()
		have := 0
		for w := wg.queue.First(); w != nil; w = w.Next() {
			have++
		}
		return have == n && int(uint32(wg.state.Load())) == n
	}, "%d waiters", n)
}
