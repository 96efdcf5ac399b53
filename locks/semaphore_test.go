// Semaphore. The ideas of golang.org/x/sync/semaphore's tests are in it.

package locks

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

var background = context.Background()

func (s *Semaphore) untilQueued(t *testing.T, n int) {
	t.Helper()
	untilQueued(t, &s.lock, &s.queue, n)
}

func TestSemaphorePanics(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.Do(func() {
			require.Equal(t, "semaphore: size < 0", testsched.PanicOf(func() { NewSemaphore(-1) }))
			s := NewSemaphore(1)
			require.Equal(t, "semaphore: n < 0", testsched.PanicOf(func() { _ = s.Acquire(background, -1) }))
			require.Equal(t, "semaphore: n < 0", testsched.PanicOf(func() { s.TryAcquire(-1) }))
			require.Equal(t, "semaphore: n < 0", testsched.PanicOf(func() { s.Release(-1) }))
			require.Equal(t, "semaphore: released more than held", testsched.PanicOf(func() { s.Release(1) }))
			require.True(t, s.TryAcquire(1))
			require.Equal(t, "semaphore: released more than held", testsched.PanicOf(func() { s.Release(2) }))
			require.False(t, s.TryAcquire(1), "nothing was given back")
			s.Release(1)
			require.True(t, s.TryAcquire(1))
			require.Equal(t, "semaphore: released more than held", testsched.PanicOf(func() { NewSemaphore(0).Release(1) }))
		})
	})
}

func TestSemaphoreTry(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.Do(func() {
			s := NewSemaphore(2)
			require.NoError(t, s.Acquire(background, 1))
			require.NoError(t, s.Acquire(background, 1))
			require.False(t, s.TryAcquire(1))
			require.True(t, s.TryAcquire(0))
			s.Release(2)
			require.True(t, s.TryAcquire(1))
			require.False(t, s.TryAcquire(2))
			require.NoError(t, s.Acquire(background, 1))
			s.Release(2)
			require.True(t, NewSemaphore(0).TryAcquire(0))
			require.False(t, NewSemaphore(0).TryAcquire(1))
		})
	})
}

// TestStressSemaphore: never is more taken than there is.
func TestStressSemaphore(t *testing.T) {
	const size, callers, rounds = 5, 12, 60
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		s := NewSemaphore(size)
		var taken, wrong atomic.Int64
		for c := range callers {
			cs.Go(func() {
				for i := range rounds {
					n := int64((c+i)%size + 1)
					ctx, cancel := context.WithCancel(background)
					switch (c + i) % 4 {
					case 0:
						if !s.TryAcquire(n) {
							cancel()
							continue
						}
					case 1:
						go cancel()
						fallthrough
					default:
						if s.Acquire(ctx, n) != nil {
							cancel()
							continue
						}
					}
					if taken.Add(n) > size {
						wrong.Add(1)
					}
					sched.Yield()
					taken.Add(-n)
					s.Release(n)
					cancel()
				}
			})
		}
		cs.Wait()
		require.Zero(t, wrong.Load())
		s.untilQueued(t, 0)
		require.Zero(t, s.cur.Load())
	})
}

func TestAcquireOfAnEndedContext(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		cs.Do(func() {
			s := NewSemaphore(1)
			require.ErrorIs(t, s.Acquire(done(), 1), context.Canceled, "although it could be had")
			require.True(t, s.TryAcquire(1))
		})
	})
}

// TestTooMuchHoldsUpNobody: who wants more than there is waits for its context alone.
func TestTooMuchHoldsUpNobody(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		s := NewSemaphore(2)
		ctx, cancel := context.WithCancel(background)
		cs.Go(func() { require.ErrorIs(t, s.Acquire(ctx, 3), context.Canceled) })
		for range 5 {
			cs.Do(func() {
				require.NoError(t, s.Acquire(background, 2))
				s.Release(2)
			})
		}
		cancel()
		cs.Wait()
	})
}

// TestMuchIsNotStarved: who wants all is not passed by for ever by those who want a little.
func TestMuchIsNotStarved(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		const n = 5
		s := NewSemaphore(n)
		var over atomic.Bool
		for range n {
			cs.Go(func() {
				for !over.Load() {
					require.NoError(t, s.Acquire(background, 1))
					sched.Yield()
					s.Release(1)
				}
			})
		}
		cs.Go(func() {
			for range 5 {
				require.NoError(t, s.Acquire(background, n))
				s.Release(n)
			}
			over.Store(true)
		})
		cs.Wait()
	})
}

// TestSemaphoreServesInOrder those who want the same, one at a time.
func TestSemaphoreServesInOrder(t *testing.T) {
	const n, weight = 8, 2
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		s := NewSemaphore(weight)
		require.True(t, s.TryAcquire(weight))
		served := make(chan int, n)
		for i := range n {
			cs.Go(func() {
				ctx := ctx
				if i%2 == 0 {
					ctx = background
				}
				require.NoError(t, s.Acquire(ctx, weight))
				served <- i
			})
			s.untilQueued(t, i+1)
		}
		for i := range n {
			require.Empty(t, served)
			cs.Do(func() { s.Release(weight) })
			require.Equal(t, i, <-served)
		}
		cs.Wait()
		require.EqualValues(t, weight, s.cur.Load())
	})
}

// TestFirstGivesUp: those behind it may be content with what is left.
func TestFirstGivesUp(t *testing.T) {
	for _, unwind := range []bool{false, true} {
		closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
			sem := NewSemaphore(4)
			require.True(t, sem.TryAcquire(2))
			ctx, cancel := context.WithCancel(background)
			first := make(chan error, 1)
			s.Go(func() { first <- sem.Acquire(ctx, 4) })
			sem.untilQueued(t, 1)
			second := make(chan error)
			go func() { second <- sem.Acquire(background, 2) }()
			sem.untilQueued(t, 2)
			require.False(t, sem.TryAcquire(1), "not past the others")
			if unwind {
				require.NoError(t, s.Close())
				require.Empty(t, first)
			} else {
				cancel()
				require.ErrorIs(t, <-first, context.Canceled)
				require.NoError(t, s.Close())
			}
			require.NoError(t, <-second)
			require.EqualValues(t, 4, sem.cur.Load())
			cancel()
		})
	}
}

// TestGivenAndCancelled: whoever is served just as its context ends returns the error and gives back what it got.
func TestGivenAndCancelled(t *testing.T) {
	s := testsched.New(t, 1)
	sem := NewSemaphore(1)
	require.True(t, sem.TryAcquire(1))
	ctx, cancel := context.WithCancel(background)
	errs := make(chan error, 1)
	s.Go(func() { errs <- sem.Acquire(ctx, 1) })
	sem.untilQueued(t, 1)
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() { // the waiter can't run before this has ended
			sem.Release(1)
			cancel()
		}))
		require.ErrorIs(t, <-errs, context.Canceled)
	})
	require.True(t, sem.TryAcquire(1))
	testsched.Close(t, s)
}

// TestCancelledThenGiven: the context of one that waits ends, then there would be enough; it gets nothing, and nothing is lost.
func TestCancelledThenGiven(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for range 10 {
			sem := NewSemaphore(2)
			cs.Do(func() { require.NoError(t, sem.Acquire(background, 1)) })
			ctx, cancel := context.WithCancel(background)
			cs.Go(func() { require.ErrorIs(t, sem.Acquire(ctx, 2), context.Canceled) })
			sem.untilQueued(t, 1)
			cs.Do(func() {
				cancel()
				sem.Release(1)
			})
			cs.Wait()
			cs.Do(func() { require.True(t, sem.TryAcquire(2)) })
			sem.Release(2)
			cs.Do(func() { require.ErrorIs(t, sem.Acquire(ctx, 1), context.Canceled, "although it could be had") })
		}
	})
}

// TestAcquireUntilItsContextEnds: the same as with TryAcquire comes out, but who doesn't get it has waited.
func TestAcquireUntilItsContextEnds(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		sem := NewSemaphore(2)
		acquire := func() bool {
			var got bool
			ctx, cancel := context.WithCancel(background)
			var ended atomic.Bool
			cs.Go(func() {
				got = sem.Acquire(ctx, 1) == nil
				ended.Store(true)
			})
			testsched.Until(t, func() bool { return ended.Load() || length(&sem.lock, &sem.queue) == 1 }, "has it, or waits")
			cancel()
			cs.Wait()
			return got
		}
		for range 2 {
			require.True(t, acquire())
			require.True(t, acquire())
			require.False(t, acquire())
			sem.Release(2)
		}
	})
}

func TestUnwoundInAcquire(t *testing.T) {
	closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
		sem := NewSemaphore(1)
		require.True(t, sem.TryAcquire(1))
		var deferred, returned atomic.Int32
		for i := range 4 {
			s.Go(func() {
				defer deferred.Add(1)
				_ = sem.Acquire(background, int64(i%3)+1)
				returned.Add(1)
			})
		}
		sem.untilQueued(t, 2)
		testsched.Until(t, func() bool { return s.Stats().Searching == 0 }, "all wait")
		require.NoError(t, s.Close())
		require.EqualValues(t, 4, deferred.Load())
		require.Zero(t, returned.Load())
		sem.Release(1)
		require.True(t, sem.TryAcquire(1))
	})
}

func TestSemaphoreAllocatesNothing(t *testing.T) {
	if hb.On {
		t.Skip("telling the race detector of a call allocates")
	}
	sem := NewSemaphore(2)
	require.Zero(t, testing.AllocsPerRun(500, func() {
		_ = sem.Acquire(background, 1)
		sem.TryAcquire(1)
		sem.Release(2)
	}))
	s := testsched.New(t, 1)
	const rounds = 200
	var mallocs uint64
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			mallocs = testsched.LeastMallocs(func() {
				left := 6
				for range left {
					sched.Go(func() {
						for range rounds {
							_ = sem.Acquire(background, 1)
							sched.Yield()
							sem.Release(1)
						}
						left--
					})
				}
				for left > 0 {
					sched.Yield()
				}
			})
		}))
	})
	testsched.Close(t, s)
	require.Less(t, mallocs, uint64(rounds))
}
