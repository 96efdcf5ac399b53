// RWMutex: who may be inside together, who goes first. The ideas of sync/rwmutex_test.go are in it.

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

func (rw *RWMutex) untilQueued(t *testing.T, readers, writers int) {
	t.Helper()
	untilQueued(t, &rw.w.lock, &rw.queue, readers)
	untilQueued(t, &rw.w.lock, &rw.writer, writers)
}

func (rw *RWMutex) requireIdle(t *testing.T) {
	t.Helper()
	rw.untilQueued(t, 0, 0)
	require.Zero(t, rw.readers.Load())
	require.Zero(t, rw.waiting)
	rw.w.requireIdle(t)
	require.True(t, rw.TryLock())
	rw.Unlock()
}

func TestRWMutexTry(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var rw RWMutex
		cs.Do(rw.Lock)
		cs.Do(func() { require.False(t, rw.TryLock()) })
		cs.Do(func() { require.False(t, rw.TryRLock()) })
		cs.Do(rw.Unlock)
		cs.Do(func() { require.True(t, rw.TryRLock()) })
		cs.Do(func() { require.True(t, rw.TryRLock()) })
		cs.Do(func() { require.False(t, rw.TryLock()) })
		cs.Do(rw.RUnlock)
		cs.Do(func() { require.False(t, rw.TryLock()) })
		cs.Do(rw.RUnlock)
		cs.Do(func() { require.True(t, rw.TryLock()) })
		cs.Do(rw.Unlock)
		rw.requireIdle(t)
	})
}

// TestReadersAreParallel: all have the lock at the same moment.
func TestReadersAreParallel(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		const n = 5
		var rw RWMutex
		var inside atomic.Int32
		var leave atomic.Bool
		for range n {
			cs.Go(func() {
				rw.RLock()
				inside.Add(1)
				for !leave.Load() {
					sched.Yield()
				}
				rw.RUnlock()
			})
		}
		testsched.Until(t, func() bool { return inside.Load() == n }, "%d readers inside", n)
		leave.Store(true)
		cs.Wait()
		rw.requireIdle(t)
	})
}

// TestStressRWMutex counts readers and ten thousand for a writer, by all calls.
func TestStressRWMutex(t *testing.T) {
	const callers, rounds, writer = 10, 150, 10_000
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var rw RWMutex
		var activity, wrong atomic.Int32
		plain := 0
		read := func(i int) {
			if n := activity.Add(1); n < 1 || n >= writer {
				wrong.Add(1)
			}
			_ = plain
			if i%3 == 0 {
				sched.Yield()
			}
			activity.Add(-1)
		}
		write := func(i int) {
			if activity.Add(writer) != writer {
				wrong.Add(1)
			}
			plain++
			if i%3 == 0 {
				sched.Yield()
			}
			activity.Add(-writer)
		}
		for c := range callers {
			cs.Go(func() {
				for i := range rounds {
					ctx, cancel := context.WithCancel(context.Background())
					switch (i + c) % 11 {
					case 0, 1:
						rw.Lock()
						write(i)
						rw.Unlock()
					case 2:
						if rw.TryLock() {
							write(i)
							rw.Unlock()
						}
					case 3:
						if rw.TryRLock() {
							read(i)
							rw.RUnlock()
						}
					case 4:
						go cancel()
						if rw.LockContext(ctx) == nil {
							write(i)
							rw.Unlock()
						}
					case 5:
						go cancel()
						if rw.RLockContext(ctx) == nil {
							read(i)
							rw.RUnlock()
						}
					case 6:
						l := rw.RLocker()
						l.Lock()
						read(i)
						l.Unlock()
					default:
						rw.RLock()
						read(i)
						rw.RUnlock()
					}
					cancel()
				}
			})
		}
		cs.Wait()
		require.Zero(t, wrong.Load())
		rw.requireIdle(t)
	})
}

// TestWritersComeFirst: a reader that comes after a writer waits for it; all readers that wait come before the next writer.
func TestWritersComeFirst(t *testing.T) {
	s := testsched.New(t, 1)
	testsched.Within(t, func() {
		var rw RWMutex
		var order []string
		var through atomic.Bool // w2: until then a TryLock might come in between
		rw.RLock()
		s.Go(func() {
			rw.Lock()
			order = append(order, "w1")
			rw.Unlock()
		})
		rw.untilQueued(t, 0, 1)
		require.False(t, rw.TryRLock())
		var readers atomic.Int32
		for i := range 3 {
			s.Go(func() {
				rw.RLock()
				readers.Add(1)
				rw.RUnlock()
			})
			rw.untilQueued(t, i+1, 1)
		}
		s.Go(func() {
			rw.Lock()
			order = append(order, "w2")
			if readers.Load() != 3 {
				order = append(order, "before a reader")
			}
			rw.Unlock()
			through.Store(true)
		})
		rw.w.untilQueued(t, 1)
		rw.RUnlock()
		testsched.Until(t, through.Load, "all through")
		rw.Lock()
		require.Equal(t, []string{"w1", "w2"}, order)
		rw.Unlock()
		rw.requireIdle(t)
	})
	testsched.Close(t, s)
}

// TestRLocker: two RLocks keep a writer out until both are undone.
func TestRLocker(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var rw RWMutex
		l := rw.RLocker()
		l.Lock()
		l.Lock()
		var written atomic.Bool
		cs.Go(func() { rw.Lock(); written.Store(true); rw.Unlock() })
		rw.untilQueued(t, 0, 1)
		l.Unlock()
		require.False(t, written.Load())
		l.Unlock()
		cs.Wait()
		require.True(t, written.Load())
		rw.requireIdle(t)
	})
}

// TestRLockerWaitsForAWriter: one that has the lock keeps it out until it is done.
func TestRLockerWaitsForAWriter(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var rw RWMutex
		l := rw.RLocker()
		var read atomic.Bool
		cs.Do(rw.Lock)
		cs.Go(func() { l.Lock(); read.Store(true); l.Unlock() })
		rw.untilQueued(t, 1, 0)
		require.False(t, read.Load())
		cs.Do(rw.Unlock)
		cs.Wait()
		require.True(t, read.Load())
		rw.requireIdle(t)
	})
}

// TestWriterGivesUp: the readers that waited for it go on, although others have the lock still, and nobody is forgotten.
func TestWriterGivesUp(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var rw RWMutex
		require.NoError(t, rw.LockContext(done()), "need not wait")
		cs.Do(func() { require.ErrorIs(t, rw.LockContext(done()), context.Canceled) })
		cs.Do(func() { require.ErrorIs(t, rw.RLockContext(done()), context.Canceled) })
		rw.Unlock()
		rw.requireIdle(t)

		rw.RLock()
		cs.Do(func() { require.ErrorIs(t, rw.LockContext(done()), context.Canceled) })
		ctx, cancel := context.WithCancel(context.Background())
		cs.Go(func() { require.ErrorIs(t, rw.LockContext(ctx), context.Canceled) })
		rw.untilQueued(t, 0, 1)
		var read atomic.Int32
		for range 3 {
			cs.Go(func() { rw.RLock(); read.Add(1); rw.RUnlock() })
		}
		rw.untilQueued(t, 3, 1)
		cancel()
		testsched.Until(t, func() bool { return read.Load() == 3 }, "the readers go on")
		cs.Go(func() { rw.Lock(); rw.Unlock() }) //lint:ignore SA2001 only to get in
		rw.untilQueued(t, 0, 1)
		rw.RUnlock()
		cs.Wait()
		rw.requireIdle(t)
	})
}

// TestReaderGivesUp, while a writer waits and while it has the lock.
func TestReaderGivesUp(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, held := range []bool{false, true} {
			var rw RWMutex
			rw.RLock()
			var leave atomic.Bool
			cs.Go(func() {
				rw.Lock()
				for !leave.Load() {
					sched.Yield()
				}
				rw.Unlock()
			})
			rw.untilQueued(t, 0, 1)
			ctx, cancel := context.WithCancel(context.Background())
			var gaveUp atomic.Int32
			for range 3 {
				cs.Go(func() {
					if rw.RLockContext(ctx) != nil {
						gaveUp.Add(1)
					}
				})
			}
			rw.untilQueued(t, 3, 1)
			if held {
				rw.RUnlock()
				rw.untilQueued(t, 3, 0)
			}
			cancel()
			testsched.Until(t, func() bool { return gaveUp.Load() == 3 }, "they give up")
			if !held {
				rw.RUnlock()
			}
			leave.Store(true)
			cs.Wait()
			rw.requireIdle(t)
		}
	})
}

// TestUnwoundInRWMutex: readers and writers that wait are unwound, in all positions, and others go on.
func TestUnwoundInRWMutex(t *testing.T) {
	closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
		var rw RWMutex
		var deferred, returned atomic.Int32
		waits := func(lock func()) func() {
			return func() {
				defer deferred.Add(1)
				lock()
				returned.Add(1)
			}
		}
		rw.RLock()
		s.Go(waits(rw.Lock))
		rw.untilQueued(t, 0, 1)
		s.Go(waits(rw.RLock))
		rw.untilQueued(t, 1, 1)
		s.Go(waits(rw.Lock))
		rw.w.untilQueued(t, 1)
		over := make(chan bool)
		go func() { rw.RLock(); rw.RUnlock(); over <- true }() //lint:ignore SA2001 only to get in
		rw.untilQueued(t, 2, 1)
		require.NoError(t, s.Close())
		require.EqualValues(t, 3, deferred.Load())
		require.Zero(t, returned.Load())
		<-over
		rw.RUnlock()
		rw.requireIdle(t)
	})
}

// TestStressCloseBesideRWMutex closes a Scheduler whose tasks and goroutines go round on one lock.
func TestStressCloseBesideRWMutex(t *testing.T) {
	defer testsched.Collect()()
	for range 10 {
		closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
			var rw RWMutex
			var rounds atomic.Int32
			plain := 0
			work := func(i int) {
				if i%4 == 0 {
					rw.Lock()
					defer rw.Unlock()
					plain++
				} else {
					rw.RLock()
					defer rw.RUnlock()
					_ = plain
				}
				rounds.Add(1)
				sched.Yield()
			}
			for c := range 12 {
				s.Go(func() {
					for i := c; ; i++ {
						work(i)
					}
				})
			}
			over := make(chan struct{})
			go func() {
				defer close(over)
				for i := range 50 {
					work(i)
				}
			}()
			testsched.Until(t, func() bool { return rounds.Load() > 60 }, "it goes round")
			require.NoError(t, s.Close())
			<-over
			rw.requireIdle(t)
		})
	}
}

func TestRWMutexAllocatesNothing(t *testing.T) {
	if hb.On {
		t.Skip("telling the race detector of a call allocates")
	}
	var rw RWMutex
	require.Zero(t, testing.AllocsPerRun(500, func() {
		rw.RLock()
		rw.RUnlock() //lint:ignore SA2001 it is what is measured
		rw.Lock()
		rw.Unlock() //lint:ignore SA2001 it is what is measured
	}))
}
