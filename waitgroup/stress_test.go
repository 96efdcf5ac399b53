// Many callers on one WaitGroup at once.

package waitgroup

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestStressRounds has several callers start tasks and wait, round after round, with no pause
// between the wake-up and the next use.
func TestStressRounds(t *testing.T) {
	const groups, rounds, fan = 3, 40, 6
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.UsesDefault = true
		var early atomic.Int32
		for range groups {
			cs.Go(func() {
				var wg WaitGroup
				for range rounds {
					var part [fan]int
					for i := range fan {
						wg.Go(func() {
							if i%2 == 0 {
								sched.Yield()
							}
							part[i] = 1
						})
					}
					wg.Wait()
					for _, p := range part {
						if p == 0 {
							early.Add(1)
						}
					}
				}
			})
		}
		cs.Wait()
		require.Zero(t, early.Load())
	})
}

// TestStressWaitBesideDone: Waits begin just when the last Done comes.
func TestStressWaitBesideDone(t *testing.T) {
	const rounds, waiters = 40, 4
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var early atomic.Int32
		for range rounds {
			var wg WaitGroup
			var done atomic.Bool
			wg.Add(2)
			for range waiters {
				cs.Go(func() {
					wg.Wait()
					if !done.Load() {
						early.Add(1)
					}
				})
			}
			cs.Go(wg.Done)
			cs.Go(func() {
				done.Store(true)
				wg.Done()
			})
			wg.Wait()
		}
		cs.Wait()
		require.Zero(t, early.Load())
	})
}

// TestStressOnlyChild has a parent wait for one child at a time, which may do anything before its end: so waits end with the child's
// first turn, or later, or on another worker.
func TestStressOnlyChild(t *testing.T) {
	const rounds = 300
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.UsesDefault = true
		var early atomic.Int32
		var parent func(i, depth int)
		parent = func(i, depth int) {
			var wg, gate WaitGroup
			ended := false
			gate.Add(1)
			child := func() {
				defer wg.Done()
				defer func() { ended = true }()
				switch i % 7 {
				case 0:
					sched.Yield()
				case 1:
					gate.Wait()
				case 2:
					sched.Exit()
				case 3:
					if depth > 0 {
						parent(i/7, depth-1)
					}
				case 4:
					sched.Sleep(1)
				}
			}
			wg.Add(1)
			if i%3 == 0 {
				sched.Go(gate.Done)
				sched.Go(child)
			} else {
				sched.Go(child)
				gate.Done()
			}
			wg.Wait()
			if !ended {
				early.Add(1)
			}
			gate.Wait()
		}
		for range 3 {
			cs.Go(func() {
				for i := range rounds {
					parent(i, 2)
				}
			})
		}
		cs.Wait()
		require.Zero(t, early.Load())
	})
}

// TestStressTree: each task starts two more and waits for them, so that waits nest.
func TestStressTree(t *testing.T) {
	const depth = 7
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.UsesDefault = true
		var leaves atomic.Int32
		var grow func(d int)
		grow = func(d int) {
			if d == 0 {
				leaves.Add(1)
				return
			}
			var wg WaitGroup
			wg.Go(func() { grow(d - 1) })
			wg.Go(func() { grow(d - 1) })
			wg.Wait()
		}
		cs.Do(func() { grow(depth) })
		require.EqualValues(t, 1<<depth, leaves.Load())
	})
}

// childAfterChild has one child at a time, until its scheduler is closed.
func childAfterChild() {
	for {
		var wg WaitGroup
		wg.Go(func() {})
		wg.Wait()
	}
}

// TestStressCloseBesideWait closes a Scheduler while its tasks begin to wait, for others or an only child, and are woken.
func TestStressCloseBesideWait(t *testing.T) {
	defer testsched.Collect()()
	for range 30 {
		closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
			var wg, all WaitGroup
			wg.Add(1)
			require.NoError(t, s.Run(func() {
				for range 20 {
					all.Go(wg.Wait)
				}
				for range 4 {
					all.Go(func() {
						if v := testsched.PanicOf(childAfterChild); v != "sched: Go on closed Scheduler" {
							t.Errorf("panics with %v", v)
						}
					})
				}
			}))
			go wg.Done()
			require.NoError(t, s.Close())
			all.Wait()
			wg.Wait()
			require.Zero(t, all.state.Load())
			testsched.Until(t, func() bool { return wg.state.Load() == 0 }, "no waiter is left")
		})
	}
}
