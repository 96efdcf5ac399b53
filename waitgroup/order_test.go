package waitgroup

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
)

// TestWaitSwapsToTheNewestChild: on one P a parent that waits is followed by the child that it has made last, then by the
// others, all on one pooled stack, and the end of the last child by the parent.
func TestWaitSwapsToTheNewestChild(t *testing.T) {
	s := testsched.New(t, 1)
	var order string
	var mu sync.Mutex // nobody waits for it; the children are in no order to the race detector
	note := func(name string) {
		mu.Lock()
		order += name
		mu.Unlock()
	}
	var stacks int
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			var wg WaitGroup
			for range 2 {
				order = ""
				before := s.Stats()
				for _, name := range []string{"a", "b", "c"} {
					wg.Go(func() { note(name) })
				}
				wg.Wait()
				note("parent")
				stacks = s.Stats().Stacks - before.Stacks
			}
		}))
		require.NoError(t, s.Close())
	})
	require.Zero(t, stacks, "the second time")
	require.Equal(t, "cabparent", order)
}
