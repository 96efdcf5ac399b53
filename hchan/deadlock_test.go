package hchan_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
)

// TestNoFalseDeadlockOnChannels has plain goroutines and another scheduler's tasks keep a detecting one going.
func TestNoFalseDeadlockOnChannels(t *testing.T) {
	for _, native := range []int{1, 2, 8} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(native))
		for _, procs := range []int{1, 2, 8} {
			s, err := sched.New(sched.Config{Procs: procs, DetectDeadlock: true})
			require.NoError(t, err)
			other, err := sched.New(sched.Config{Procs: 2})
			require.NoError(t, err)
			var all sync.WaitGroup
			for i := range 6 {
				ask, answer := hchan.Make[int](i%3), hchan.Make[int](0)
				start := other.Go
				if i%2 == 0 {
					start = func(f func()) { go f() }
				}
				start(func() {
					for v := range ask.All() {
						answer.Send(v + 1)
					}
					answer.Close()
				})
				all.Go(func() {
					require.NoError(t, s.Run(func() {
						for v := range 1000 {
							ask.Send(v)
							got, _ := answer.Recv()
							if got != v+1 {
								t.Errorf("%d after %d", got, v)
							}
						}
						ask.Close()
					}))
				})
			}
			all.Wait()
			// What nobody serves is still found.
			var dead *sched.DeadlockError
			require.ErrorAs(t, s.Run(func() { hchan.Make[int](0).Recv() }), &dead)
			require.Len(t, dead.Tasks, 1)
			require.Equal(t, sched.WaitReasonChanReceive, dead.Tasks[0].Reason)
			require.NoError(t, s.Close())
			require.NoError(t, other.Close())
		}
	}
}
