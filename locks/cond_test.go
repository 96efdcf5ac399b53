// Cond: who is woken, in which order, and what is locked afterwards. The ideas of sync/cond_test.go are in it.

package locks

import (
	"context"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// ownLocker is a Locker of a user's: its Unlock waits.
type ownLocker struct{ m Mutex }

func (l *ownLocker) Lock()   { l.m.Lock() }
func (l *ownLocker) Unlock() { l.m.Unlock(); sched.Yield() }

// lockers are the kinds of what a Cond may have as L.
func lockers() map[string]Locker {
	return map[string]Locker{
		"Mutex": &Mutex{}, "RWMutex": &RWMutex{}, "sync.Mutex": &sync.Mutex{}, "own": &ownLocker{},
	}
}

// forLockers runs f with Conds of all kinds, for all callers. A sync.Mutex blocks threads and is left out where
// there might not be enough.
func forLockers(t *testing.T, f func(t *testing.T, cs *testsched.Callers, c *Cond)) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, l := range lockers() {
			f(t, cs, NewCond(l))
		}
	})
}

// untilParked waits until n have parked in c.
func (c *Cond) untilParked(t *testing.T, n int) {
	t.Helper()
	testsched.Until(t, func() bool {
		c.lock.Lock()
		defer c.lock.Unlock()
		have := 0
		for w := c.queue.First(); w != nil; w = w.Next() {
			if w.N != notParked {
				have++
			}
		}
		return have == n
	}, "%d parked", n)
}

// TestSignalWakesInOrder, one at a time.
func TestSignalWakesInOrder(t *testing.T) {
	const n = 8
	forLockers(t, func(t *testing.T, cs *testsched.Callers, c *Cond) {
		awake := make(chan int, n)
		for i := range n {
			cs.Go(func() {
				c.L.Lock()
				c.Wait()
				awake <- i
				c.L.Unlock()
			})
			c.untilParked(t, i+1)
		}
		for i := range n {
			require.Empty(t, awake)
			if i%2 == 0 {
				cs.Do(c.Signal)
			} else {
				cs.Do(func() { c.L.Lock(); c.Signal(); c.L.Unlock() })
			}
			require.Equal(t, i, <-awake)
		}
		c.Signal() // nobody
		cs.Wait()
	})
}

// TestBroadcastBesideWait: who has been waiting before is woken, whoever begins to wait meanwhile.
func TestBroadcastBesideWait(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for range 30 {
			for _, l := range lockers() {
				c := NewCond(l)
				first := make(chan bool)
				cs.Go(func() {
					c.L.Lock()
					c.Wait()
					c.L.Unlock()
					first <- true
				})
				c.untilParked(t, 1)
				over := false
				cs.Go(c.Broadcast)
				cs.Go(func() {
					c.L.Lock()
					for !over {
						c.Wait()
					}
					c.L.Unlock()
				})
				<-first
				cs.Do(func() { c.L.Lock(); over = true; c.L.Unlock() })
				cs.Do(c.Broadcast)
			}
			cs.Wait()
		}
	})
}

// TestStressTokens passes tokens through a small box: a Signal that is lost or given to nobody hangs.
func TestStressTokens(t *testing.T) {
	const pairs, rounds = 4, 100
	forLockers(t, func(t *testing.T, cs *testsched.Callers, c *Cond) {
		full := NewCond(c.L)
		box := 0
		for range pairs {
			cs.Go(func() {
				for range rounds {
					c.L.Lock()
					for box == 2 {
						full.Wait()
					}
					box++
					c.L.Unlock()
					c.Signal()
				}
			})
			cs.Go(func() {
				for range rounds {
					c.L.Lock()
					for box == 0 {
						c.Wait()
					}
					box--
					full.Signal()
					c.L.Unlock()
				}
			})
		}
		cs.Wait()
		require.Zero(t, box)
	})
}

func TestWaitContext(t *testing.T) {
	forLockers(t, func(t *testing.T, cs *testsched.Callers, c *Cond) {
		locked := 0
		cs.Do(func() {
			c.L.Lock()
			require.ErrorIs(t, c.WaitContext(done()), context.Canceled)
			locked++
			c.L.Unlock()
		})
		ctx, cancel := context.WithCancel(context.Background())
		var errs, nils atomic.Int32
		for i := range 6 {
			cs.Go(func() {
				c.L.Lock()
				ctx := ctx
				if i%2 == 1 {
					ctx = context.Background()
				}
				if c.WaitContext(ctx) == nil {
					nils.Add(1)
				} else {
					errs.Add(1)
				}
				locked++ // in either case
				c.L.Unlock()
			})
			c.untilParked(t, i+1)
		}
		cancel()
		testsched.Until(t, func() bool { return errs.Load() == 3 }, "three give up")
		for range 3 {
			c.Signal() // none of them goes to those who have left
		}
		cs.Wait()
		require.EqualValues(t, 3, nils.Load())
		require.Equal(t, 7, locked)
	})
}

// TestStressWaitContextKeepsSignals: as many Signals as waits, while contexts end; those that are given up count too.
func TestStressWaitContextKeepsSignals(t *testing.T) {
	const waiters, rounds = 5, 30
	forLockers(t, func(t *testing.T, cs *testsched.Callers, c *Cond) {
		tokens := 0
		var left atomic.Int32
		left.Store(waiters)
		for w := range waiters {
			cs.Go(func() {
				defer left.Add(-1)
				for i := range rounds {
					ctx, cancel := context.WithCancel(context.Background())
					if (w+i)%2 == 0 {
						go cancel()
					}
					c.L.Lock()
					for tokens == 0 && c.WaitContext(ctx) == nil {
					}
					if tokens > 0 {
						tokens--
					}
					c.L.Unlock()
					cancel()
				}
			})
		}
		cs.Go(func() {
			for left.Load() > 0 {
				c.L.Lock()
				tokens++
				c.L.Unlock()
				c.Signal()
				sched.Yield()
			}
		})
		cs.Wait()
		require.Zero(t, length(&c.lock, &c.queue))
	})
}

func TestCondCopy(t *testing.T) {
	if hb.On {
		t.Skip("the copy reads what is ours, of which the detector tells")
	}
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, use := range []func(c *Cond){(*Cond).Signal, (*Cond).Broadcast, (*Cond).Wait} {
			c := Cond{L: &Mutex{}}
			cs.Do(c.Signal)
			var copied Cond
			reflect.ValueOf(&copied).Elem().Set(reflect.ValueOf(&c).Elem()) // so that go vet does not see it
			cs.Do(func() { require.Equal(t, "sync.Cond is copied", testsched.PanicOf(func() { use(&copied) })) })
		}
	})
}

// TestUnwoundInWait: the deferred calls have the lock, one after the other, also where others want it.
func TestUnwoundInWait(t *testing.T) {
	for name := range lockers() {
		closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
			c := NewCond(lockers()[name])
			inside, deferred := 0, 0
			for i := range 5 {
				s.Go(func() {
					c.L.Lock()
					defer c.L.Unlock()
					defer func() {
						if inside++; inside != 1 {
							panic("two have the lock")
						}
						sched.Yield()
						inside--
						deferred++
					}()
					if i%2 == 0 {
						_ = c.WaitContext(context.Background())
					} else {
						c.Wait()
					}
					panic("it returned")
				})
			}
			c.untilParked(t, 5)
			require.NoError(t, s.Close())
			c.L.Lock()
			require.Equal(t, 5, deferred)
			c.L.Unlock()
			require.Zero(t, length(&c.lock, &c.queue))
		})
	}
}

// TestUnwoundInUnlock: a Locker of a user's whose Unlock is where the task is unwound; the Cond forgets it.
func TestUnwoundInUnlock(t *testing.T) {
	closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
		var gate Mutex
		gate.Lock()
		c := NewCond(lockFuncs{unlock: gate.Lock})
		s.Go(c.Wait)
		gate.untilQueued(t, 1)
		require.NoError(t, s.Close())
		require.Zero(t, length(&c.lock, &c.queue))
		gate.Unlock()
	})
}

type lockFuncs struct{ unlock func() }

func (lockFuncs) Lock()     {}
func (l lockFuncs) Unlock() { l.unlock() }

// TestPanicInUnlock leaves the Cond usable.
func TestPanicInUnlock(t *testing.T) {
	c := NewCond(lockFuncs{unlock: func() { panic("no") }})
	require.Equal(t, "no", testsched.PanicOf(c.Wait))
	require.Zero(t, length(&c.lock, &c.queue))
	c.Broadcast()
}

// TestCondAllocatesNothing with a Mutex.
func TestCondAllocatesNothing(t *testing.T) {
	if hb.On {
		t.Skip("telling the race detector of a call allocates")
	}
	const n, rounds = 20, 200
	s := testsched.New(t, 1)
	c := NewCond(&Mutex{})
	var mallocs uint64
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			mallocs = testsched.LeastMallocs(func() {
				left := n
				for range n {
					sched.Go(func() {
						c.L.Lock()
						for range rounds {
							c.Wait()
						}
						left--
						c.L.Unlock()
					})
				}
				for left > 0 {
					sched.Yield()
					c.Broadcast()
				}
			})
		}))
	})
	testsched.Close(t, s)
	runtime.KeepAlive(c)
	require.Less(t, mallocs, uint64(rounds))
}
