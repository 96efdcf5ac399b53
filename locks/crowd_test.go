// Crowds that a Broadcast moves into L's queue. When it does so is learned from time; these tests say that it has been.

package locks

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// learn says what c has learned of its crowd; L must be locked, and nobody else may Broadcast meanwhile.
func (c *Cond) learn(haste int8) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	c.crowd.haste = haste
}

// moves is what Broadcast decides.
func (c *Cond) moves() bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.crowd.stays() && c.movable(c.L.(*Mutex))
}

// TestCrowdIsMoved: and comes back in its order, one at a time.
func TestCrowdIsMoved(t *testing.T) {
	const n = crowdMin + 11
	s := testsched.New(t, 2)
	for _, held := range []bool{true, false} {
		var m Mutex
		c := NewCond(&m)
		var order []int
		gate := make(chan bool)
		for i := range n {
			s.Go(func() {
				m.Lock()
				c.Wait()
				order = append(order, i)
				m.Unlock()
				if i == n-1 {
					close(gate)
				}
			})
			c.untilParked(t, i+1)
		}
		m.Lock()
		c.learn(mostHaste)
		if held {
			require.NoError(t, s.Run(func() {
				require.True(t, c.moves())
				c.Broadcast()
			}))
			require.Equal(t, n, length(&m.lock, &m.queue))
			require.Zero(t, length(&c.lock, &c.queue))
			require.Empty(t, order)
			m.Unlock()
		} else {
			m.Unlock()
			require.NoError(t, s.Run(c.Broadcast))
		}
		<-gate
		for i := range n {
			require.Equal(t, i, order[i])
		}
		m.requireIdle(t)
	}
	testsched.Close(t, s)
}

// TestCrowdIsNotMoved: few, or on one P, or where one waits with a context, or if they have been slow to come back.
func TestCrowdIsNotMoved(t *testing.T) {
	for _, k := range []struct {
		n, procs int
		haste    int8
		ctx      bool
	}{{crowdMin - 1, 2, mostHaste, false}, {crowdMin, 1, mostHaste, false}, {crowdMin, 2, mostHaste, true}, {crowdMin, 2, hasteMoves - 1, false}} {
		s := testsched.New(t, k.procs)
		var m Mutex
		c := NewCond(&m)
		var awake atomic.Int32
		ctx, cancel := context.WithCancel(context.Background())
		for i := range k.n {
			s.Go(func() {
				m.Lock()
				if k.ctx && i == 3 {
					require.NoError(t, c.WaitContext(ctx))
				} else {
					c.Wait()
				}
				m.Unlock()
				awake.Add(1)
			})
		}
		c.untilParked(t, k.n)
		m.Lock()
		c.learn(k.haste)
		require.NoError(t, s.Run(func() {
			require.False(t, c.moves())
			c.Broadcast()
		}))
		m.Unlock()
		testsched.Until(t, func() bool { return int(awake.Load()) == k.n }, "all are awake")
		testsched.Close(t, s)
		cancel()
	}
}

// TestCrowdLearns: those who wait again at once stay together, those who do something do not; a few of each are watched.
func TestCrowdLearns(t *testing.T) {
	var c crowd
	w, other := &sched.Waiter{G: sched.Self()}, &sched.Waiter{G: sched.Self()}
	turns := func(watched int, took int64) {
		for watched > 0 {
			c.goes(w)
			c.comes(other)
			if c.who != 0 {
				c.judge(c.leftAt + took)
				watched--
			}
			require.Zero(t, c.who)
		}
	}
	turns(hasteMoves-1, soonNS-1)
	require.False(t, c.stays())
	turns(1, soonNS-1)
	require.True(t, c.stays())
	turns(100, 0)
	turns(1, soonNS)
	require.True(t, c.stays(), "once is nothing")
	turns(1, soonNS)
	require.False(t, c.stays())
	for range crowdSample {
		c.goes(w)
		c.comes(w)
	}
	require.Zero(t, c.who)
	turns(mostHaste, 0)
	for range 3 * crowdSample { // they leave for good
		c.goes(w)
	}
	c.comes(other)
	c.goes(w)
	require.Equal(t, int8(mostHaste-hasteMoves), c.haste)
}

// TestUnwoundInACrowd: woken or moved, and then unwound while they wait for the lock; the deferred calls have it, one after the other.
func TestUnwoundInACrowd(t *testing.T) {
	const n = 2 * crowdMin
	for _, haste := range []int8{0, mostHaste} {
		closing(t, sched.Config{}, func(t *testing.T, s *sched.Scheduler) {
			var m Mutex
			c := NewCond(&m)
			var inside, deferred atomic.Int32
			for range n {
				s.Go(func() {
					m.Lock()
					defer m.Unlock()
					defer deferred.Add(1)
					defer func() {
						if inside.Add(1) != 1 {
							t.Error("two have the lock")
						}
						runtime.Gosched()
						inside.Add(-1)
					}()
					c.Wait()
				})
			}
			c.untilParked(t, n)
			m.Lock()
			c.learn(haste)
			inside.Add(1)
			c.Broadcast()
			m.untilQueued(t, n)
			over := make(chan bool)
			go func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				close(over)
			}()
			for range 20 {
				runtime.Gosched()
			}
			inside.Add(-1)
			m.Unlock()
			<-over
			require.EqualValues(t, n, deferred.Load())
			require.Zero(t, length(&m.lock, &m.queue))
			require.Zero(t, length(&c.lock, &c.queue))
		})
	}
}

// TestDeadlockOfACrowd: what those wait for who have been moved is the lock, and its holder is told.
func TestDeadlockOfACrowd(t *testing.T) {
	const n = crowdMin
	var m Mutex
	c := NewCond(&m)
	waiting := 0
	tasks := deadlock(t, func() {
		for range n {
			named("waiter", func() {
				m.Lock()
				waiting++
				c.Wait()
			})
		}
		named("holder", func() {
			for {
				m.Lock()
				if waiting == n {
					c.learn(mostHaste)
					c.Broadcast()
					forever()
				}
				m.Unlock()
				sched.Yield()
			}
		})
		forever()
	})
	task := tasks["waiter"]
	require.Equal(t, sched.WaitReasonMutexLock, task.Reason)
	require.Equal(t, "holder", task.Holder.Name)
	require.Contains(t, task.On, "Mutex")
}

// TestStressCrowd: crowds that are moved, among others who want the lock, are signalled, wait with a context that may end.
func TestStressCrowd(t *testing.T) {
	const n, rounds = crowdMin + 3, 40
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var m Mutex
		c, all := NewCond(&m), NewCond(&m)
		round, waiting, inside := 0, 0, 0
		var over atomic.Bool
		enter := func() {
			if inside++; inside != 1 {
				t.Error("two have the lock")
			}
		}
		for i := range n {
			cs.Go(func() {
				m.Lock()
				enter()
				for mine := range rounds {
					if waiting++; waiting == n {
						all.Signal()
					}
					for round == mine {
						inside--
						if i == 0 && mine%3 == 0 {
							ctx, cancel := context.WithCancel(context.Background())
							if mine%2 == 0 {
								go cancel()
							}
							_ = c.WaitContext(ctx)
							cancel()
						} else {
							c.Wait()
						}
						enter()
					}
				}
				inside--
				m.Unlock()
			})
		}
		for range 2 {
			cs.Go(func() {
				for !over.Load() {
					m.Lock()
					enter()
					c.Signal()
					inside--
					m.Unlock()
					sched.Yield()
				}
			})
		}
		cs.Do(func() {
			for range rounds {
				m.Lock()
				enter()
				for waiting < n {
					inside--
					all.Wait()
					enter()
				}
				waiting = 0
				round++
				c.learn(mostHaste)
				inside--
				if round%2 == 0 {
					m.Unlock()
					c.Broadcast()
				} else {
					c.Broadcast()
					m.Unlock()
				}
			}
		})
		over.Store(true)
		cs.Wait()
		m.requireIdle(t)
	})
}

// crowdIn has n tasks of s wait in c, and counts those that have come back.
func crowdIn(t *testing.T, s *sched.Scheduler, c *Cond, n int) (back *atomic.Int32) {
	back = new(atomic.Int32)
	for range n {
		s.Go(func() {
			l := c.L
			l.Lock()
			c.Wait()
			l.Unlock()
			back.Add(1)
		})
	}
	c.untilParked(t, n)
	return back
}

// TestCrowdOfAnotherMutex: L is replaced while a crowd waits that will lock the one that it has unlocked.
func TestCrowdOfAnotherMutex(t *testing.T) {
	const n = crowdMin
	s := testsched.New(t, 2)
	var m, other Mutex
	c := NewCond(&m)
	back := crowdIn(t, s, c, n)
	m.Lock()
	c.learn(mostHaste)
	c.L = &other
	require.NoError(t, s.Run(c.Broadcast))
	m.Unlock()
	testsched.Until(t, func() bool { return back.Load() == n }, "all are back")
	m.requireIdle(t)
	other.requireIdle(t)
	testsched.Close(t, s)
}

// TestCrowdWokenByATimer: a Broadcast in the function of an Alarm, on a worker's own stack, and what follows it there.
func TestCrowdWokenByATimer(t *testing.T) {
	const n = crowdMin
	s := testsched.New(t, 2)
	var m Mutex
	c := NewCond(&m)
	back := crowdIn(t, s, c, n)
	m.Lock()
	c.learn(mostHaste)
	m.Unlock()
	var alarm sched.Alarm
	var fired atomic.Bool
	alarm.Init(s, func(uint64, int64) {
		c.Broadcast()
		sched.Cede() // nothing to a stack that is no task's; the Broadcast must not have made one of it
		fired.Store(true)
	})
	alarm.Set(time.Millisecond, 0)
	testsched.Until(t, func() bool { return fired.Load() && back.Load() == n }, "all are back")
	testsched.Close(t, s)
}
