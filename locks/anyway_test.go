// Who is unwound in Cond.Wait while others have its lock.

package locks

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// parkingLockers are the kinds of Locker whose Lock parks tasks: what a Cond has as L, and what keeps others from that.
func parkingLockers() map[string]struct{ l, keep Locker } {
	var m Mutex
	var rw, read RWMutex
	var own ownLocker
	return map[string]struct{ l, keep Locker }{
		"Mutex": {&m, &m}, "RWMutex": {&rw, &rw}, "RLocker": {read.RLocker(), &read}, "own": {&own, &own},
	}
}

// waitUnwound starts n tasks that wait in c, calls deferred with c.L locked, and returns when all wait.
func waitUnwound(t *testing.T, s *sched.Scheduler, c *Cond, n int, deferred func()) {
	for i := range n {
		s.Go(func() {
			c.L.Lock()
			defer c.L.Unlock()
			defer deferred()
			if i%2 == 0 {
				_ = c.WaitContext(context.Background())
			} else {
				c.Wait()
			}
			panic("it returned")
		})
	}
	c.untilParked(t, n)
}

// picked counts how often tasks have been chosen to run.
func picked(s *sched.Scheduler) (n uint64) {
	for _, p := range s.Stats().Ps {
		n += p.Picked
	}
	return n
}

// TestUnwoundInWaitBesideAHolder: while a goroutine has the lock no deferred call runs, however often the tasks are unwound again.
func TestUnwoundInWaitBesideAHolder(t *testing.T) {
	defer anywayNS.Store(anywayNS.Swap(math.MaxInt64))
	const n, rounds = 3, 20
	for name := range parkingLockers() {
		for _, woken := range []bool{false, true} {
			closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
				kind := parkingLockers()[name]
				c := NewCond(kind.l)
				var held atomic.Bool
				var early, deferred atomic.Int32
				waitUnwound(t, s, c, n, func() {
					if held.Load() {
						early.Add(1)
					}
					deferred.Add(1)
				})
				kind.keep.Lock()
				held.Store(true)
				if woken {
					c.Broadcast() // they wait for the lock, not in the Cond
					testsched.Until(t, func() bool { return s.Stats().Searching == 0 && length(&c.lock, &c.queue) == 0 }, "woken")
				}
				closed := make(chan error, 1)
				before := picked(s)
				go func() { closed <- s.Close() }()
				testsched.Until(t, func() bool {
					return deferred.Load() == n || picked(s) > before+rounds
				}, "unwound again and again")
				held.Store(false)
				kind.keep.Unlock()
				require.NoError(t, <-closed)
				require.Zero(t, early.Load(), name)
				require.EqualValues(t, n, deferred.Load(), name)
				kind.keep.Lock()   // nobody has unlocked it once too often, or not at all
				kind.keep.Unlock() //lint:ignore SA2001 only to see that it can be had
			})
		}
	}
}

// TestUnwoundInWaitForALostLock: somebody has ended without an Unlock, so the lock is nowhere to be had; Close ends
// nevertheless, and the Unlocks of those who are unwound are no fatal errors.
func TestUnwoundInWaitForALostLock(t *testing.T) {
	defer anywayNS.Store(anywayNS.Swap(int64(20 * time.Millisecond)))
	defer anywayTries.Store(anywayTries.Swap(10))
	for name := range parkingLockers() {
		closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
			kind := parkingLockers()[name]
			var deferred atomic.Int32
			waitUnwound(t, s, NewCond(kind.l), 2, func() { deferred.Add(1) })
			require.NoError(t, s.Run(kind.keep.Lock)) // and that task is gone
			require.NoError(t, s.Close())
			require.EqualValues(t, 2, deferred.Load(), name)
		})
	}
}

// TestPanicInLockWhileUnwound is a panic, and no reason to try again.
func TestPanicInLockWhileUnwound(t *testing.T) {
	closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
		l := &panicker{}
		c := NewCond(l)
		var got any
		s.Go(func() {
			defer func() { got = recover() }()
			c.Wait()
		})
		c.untilParked(t, 1)
		require.NoError(t, s.Close())
		require.Equal(t, "no", got)
		require.Equal(t, 1, l.locks)
	})
}

// TestEndlessUnwindingInLock: a Lock that ends its task itself, without a wait, is called no more than so often.
func TestEndlessUnwindingInLock(t *testing.T) {
	defer anywayNS.Store(anywayNS.Swap(math.MaxInt64))
	closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
		l := &panicker{exits: true}
		c := NewCond(l)
		ended := make(chan struct{})
		s.Go(func() {
			defer close(ended)
			c.Wait()
		})
		c.untilParked(t, 1)
		if err := s.Close(); err != nil { // so many calls of Exit within each other may take a second
			var late *sched.CloseError
			require.ErrorAs(t, err, &late)
		}
		<-ended
		require.Equal(t, mostDeep, l.locks)
	})
}

// panicker is a Locker whose Lock panics, or exits.
type panicker struct {
	exits bool
	locks int
}

// Lock never locks.
func (l *panicker) Lock() {
	l.locks++
	if l.exits {
		sched.Exit()
	}
	panic("no")
}

// Unlock does nothing.
func (l *panicker) Unlock() {}
