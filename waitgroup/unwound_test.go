package waitgroup

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestUnwoundBeforeWakeIsNoMisuse: the last Done has counted down and seen a waiter; before it takes the lock that waiter is unwound
// and leaves, and a new round begins, with nobody waiting: no misuse.
func TestUnwoundBeforeWakeIsNoMisuse(t *testing.T) {
	s := testsched.New(t, 1)
	var wg WaitGroup
	wg.Add(1)
	s.Go(wg.Wait)
	untilWaiting(t, &wg, 1)
	st := wg.state.Add(0xffffffff << 32) // first half of Done
	require.EqualValues(t, 0, counter(st))
	require.NoError(t, s.Close())
	wg.Add(1)
	require.Nil(t, testsched.PanicOf(wg.wakeAll)) // second half of Done
}

// TestManyWaitersAllocateNothing in the steady state.
func TestManyWaitersAllocateNothing(t *testing.T) {
	s := testsched.New(t, 1)
	var start, end WaitGroup
	const n, rounds = 8, 400
	var m uint64
	wait := func() { start.Wait() }
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			m = testsched.LeastMallocs(func() {
				for range rounds {
					start.Add(1)
					for range n {
						end.Go(wait)
					}
					sched.Yield()
					sched.Yield()
					start.Done()
					end.Wait()
				}
			})
		}))
		require.NoError(t, s.Close())
	})
	runtime.KeepAlive(s)
	require.Less(t, m, uint64(rounds/20))
}
