// A channel's lock whose holder is held up.

package hchan

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/internal/testsched"
)

// TestHeldUpLock: while the holder of one channel's lock doesn't get on, workers that want it sleep, and the tasks of the others get on, also with
// channels of their own; the tasks on the run queues of those that sleep are run by others.
func TestHeldUpLock(t *testing.T) {
	const procs, stuck, pairs, rounds = 8, 4, 6, 300
	s := testsched.New(t, procs)
	c := Make[int](stuck)
	var sent atomic.Int32
	testsched.Within(t, func() {
		cs := testsched.NewCallers(s.Go)
		c.lock.Lock()
		for i := range stuck {
			cs.Go(func() {
				c.Send(i)
				sent.Add(1)
			})
		}
		testsched.Until(t, rawlock.Sleeping, "somebody sleeps for the lock")
		others := testsched.NewCallers(s.Go)
		for range pairs {
			ping, pong := Make[int](0), Make[int](0)
			others.Go(func() {
				for v := range ping.All() {
					pong.Send(v)
				}
			})
			others.Go(func() {
				defer ping.Close()
				for i := range rounds {
					ping.Send(i)
					if v, _ := pong.Recv(); v != i {
						t.Errorf("received %d, want %d", v, i)
					}
				}
			})
		}
		others.Wait()
		require.Zero(t, sent.Load())
		c.lock.Unlock()
		cs.Wait()
	})
	require.EqualValues(t, stuck, sent.Load())
	require.Equal(t, stuck, c.Len())
	testsched.Close(t, s)
}
