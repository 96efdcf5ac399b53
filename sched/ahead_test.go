package sched

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStressFetchAhead: rings that are long all the time, with tasks that end, whose stacks others take over or which end as well, while
// Ps come and go, with thieves about, and the collector runs.
func TestStressFetchAhead(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const tasks = 300
		waves := 8
		if raceEnabled {
			waves = 2
		}
		stop := make(chan struct{})
		var helper sync.WaitGroup
		helper.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				s.SetProcs(1 + i%8)
				s.lock.Lock()
				s.stkTrim.todo = tasks
				s.askTrim()
				s.lock.Unlock()
				if i%4 == 0 {
					runtime.GC()
				}
				runtime.Gosched()
			}
		})
		var sum [tasks]int
		for range waves {
			var all sync.WaitGroup
			all.Add(tasks)
			for i := range tasks {
				s.Go(func() {
					defer all.Done()
					for range i {
						Yield()
						sum[i]++
					}
				})
			}
			all.Wait()
		}
		close(stop)
		helper.Wait()
		for i, n := range sum {
			require.Equal(t, waves*i, n)
		}
	})
}
