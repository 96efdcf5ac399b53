// Mutex: waits that come to nothing, by a context or by a Scheduler that closes.

package locks

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

func TestLockContext(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var m Mutex
		cs.Do(func() { require.NoError(t, m.LockContext(done()), "need not wait") })
		cs.Do(func() { require.ErrorIs(t, m.LockContext(done()), context.Canceled) })

		ctx, cancel := context.WithCancel(context.Background())
		const n = 5
		var errs atomic.Int32
		for range n {
			cs.Go(func() {
				if m.LockContext(ctx) == context.Canceled {
					errs.Add(1)
				}
			})
		}
		m.untilQueued(t, n)
		cs.Go(func() {
			require.NoError(t, m.LockContext(context.Background()))
			m.Unlock()
		})
		m.untilQueued(t, n+1)
		cancel()
		m.untilQueued(t, 1)
		testsched.Until(t, func() bool { return errs.Load() == n }, "all have given up")
		cs.Do(m.Unlock)
		cs.Wait()
		m.requireIdle(t)
	})
}

// TestStressLockContext cancels while locks are handed about: nobody is lost, and who gets nil has the lock.
func TestStressLockContext(t *testing.T) {
	const callers, rounds = 8, 60
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var m Mutex
		inside := 0
		for c := range callers {
			cs.Go(func() {
				for i := range rounds {
					ctx, cancel := context.WithCancel(context.Background())
					switch {
					case c == 0:
						m.Lock()
					case i%2 == 0:
						sched.Go(cancel)
						fallthrough
					default:
						if m.LockContext(ctx) != nil {
							cancel()
							continue
						}
					}
					inside++
					sched.Yield()
					if inside != 1 {
						panic("two are inside")
					}
					inside--
					m.Unlock()
					cancel()
				}
			})
		}
		cs.UsesDefault = true
		cs.Wait()
		m.requireIdle(t)
	})
}

// TestWokenThenCancelledPassesItOn: an Unlock wakes a waiter, whose context ends before it runs, while another waits behind it.
func TestWokenThenCancelledPassesItOn(t *testing.T) {
	s := testsched.New(t, 1)
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			var m Mutex
			ctx, cancel := context.WithCancel(context.Background())
			var second atomic.Bool
			var left atomic.Int32
			left.Store(2)
			m.Lock()
			sched.Go(func() {
				if m.LockContext(ctx) == nil {
					m.Unlock()
				}
				left.Add(-1)
			})
			sched.Yield()
			sched.Go(func() { m.Lock(); second.Store(true); m.Unlock(); left.Add(-1) })
			sched.Yield()
			m.Unlock() // wakes the first
			m.Lock()   // and this is quicker
			cancel()
			for m.state.Load()&woken != 0 { // until the first has given up, or waits again
				sched.Yield()
			}
			m.Unlock()
			for left.Load() > 0 {
				sched.Yield()
			}
			require.True(t, second.Load())
			m.requireIdle(t)
		}))
	})
	testsched.Close(t, s)
}

// TestUnwoundInLock: tasks that are unwound do not have the lock when their deferred calls run, and those behind them get it.
func TestUnwoundInLock(t *testing.T) {
	closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
		var m Mutex
		var deferred, returned atomic.Int32
		m.Lock()
		got := make(chan int, 9)
		for i := range 9 {
			if i%2 == 1 {
				go func() {
					m.Lock()
					m.Unlock() //lint:ignore SA2001 only to get in
					got <- i
				}()
			} else {
				s.Go(func() {
					defer deferred.Add(1)
					m.Lock()
					returned.Add(1)
				})
			}
			m.untilQueued(t, i+1)
		}
		require.NoError(t, s.Close())
		require.EqualValues(t, 5, deferred.Load())
		require.Zero(t, returned.Load())
		m.untilQueued(t, 4)
		m.Unlock()
		for range 4 {
			<-got
		}
		m.requireIdle(t)
	})
}

// TestUnwoundCrowdLeavesTheLockUsable: all who wait are unwound, in either mode.
func TestUnwoundCrowdLeavesTheLockUsable(t *testing.T) {
	for _, mode := range []int32{0, starving} {
		closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
			var m Mutex
			m.Lock()
			for range 3 {
				s.Go(m.Lock)
			}
			m.untilQueued(t, 3)
			m.starve(mode)
			require.NoError(t, s.Close())
			require.Zero(t, m.state.Load()&(starving|waiting))
			m.Unlock()
			m.requireIdle(t)
		})
	}
}

// TestUnlockBesideUnwinding: Unlock finds a waiter that Close has won but that has not left the queue yet.
func TestUnlockBesideUnwinding(t *testing.T) {
	for _, mode := range []int32{0, starving} {
		closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
			var m Mutex
			m.Lock()
			s.Go(m.Lock)
			m.untilQueued(t, 1)
			m.starve(mode)
			m.lock.Lock()
			closed, unlocked := make(chan error), make(chan struct{})
			go func() { closed <- s.Close() }()
			testsched.Until(t, func() bool { return contended(&m.lock) }, "the unwound task waits for the inner lock")
			go func() { m.Unlock(); close(unlocked) }()
			testsched.Until(t, func() bool { return m.state.Load()&locked == 0 }, "and so does Unlock")
			m.lock.Unlock()
			<-unlocked
			require.NoError(t, <-closed)
			m.requireIdle(t)
		})
	}
}

// TestStressCloseBesideLock closes a Scheduler whose tasks hold, wait for and pass a lock that goroutines use too.
func TestStressCloseBesideLock(t *testing.T) {
	defer testsched.Collect()()
	for range 20 {
		closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
			var m Mutex
			inside := 0
			var rounds atomic.Int32
			work := func() {
				m.Lock()
				defer m.Unlock()
				inside++
				defer func() { inside-- }()
				if inside != 1 {
					panic("two are inside")
				}
				rounds.Add(1)
				sched.Yield()
			}
			for range 12 {
				s.Go(func() {
					for {
						work()
					}
				})
			}
			over := make(chan struct{})
			go func() {
				defer close(over)
				for range 50 {
					work()
				}
			}()
			testsched.Until(t, func() bool { return rounds.Load() > 60 }, "it goes round")
			require.NoError(t, s.Close())
			<-over
			m.requireIdle(t)
		})
	}
}

// TestLockEndsNoTaskInClose: also where each Lock finds that another, which has been woken, might be let past, only a wait ends its task.
func TestLockEndsNoTaskInClose(t *testing.T) {
	closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
		const n = 1000
		var m Mutex
		turns := 0
		require.NoError(t, s.Run(func() {
			require.NoError(t, s.Close()) // which does not wait for the task that calls it
			for range n {
				m.state.Or(woken)
				m.Lock()
				turns++
				m.Unlock()
			}
		}))
		require.Equal(t, n, turns)
	})
}
