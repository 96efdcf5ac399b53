// Mutex: exclusion, order, modes, misuse. The ideas of sync/mutex_test.go are in it.

package locks

import (
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

func TestTryLock(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var m Mutex
		cs.Do(m.Lock)
		cs.Do(func() { require.False(t, m.TryLock()) })
		cs.Do(m.Unlock) // by another
		cs.Do(func() { require.True(t, m.TryLock()) })
		cs.Do(m.Unlock)
		m.requireIdle(t)
	})
}

// TestStressMutex counts without atomics, by Lock, TryLock and LockContext, with and without a wait inside.
func TestStressMutex(t *testing.T) {
	const callers, rounds = 10, 300
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var m Mutex
		inside, count := 0, 0
		var want atomic.Int64
		for c := range callers {
			cs.Go(func() {
				for i := range rounds {
					switch {
					case i%3 == 0:
						if !m.TryLock() {
							continue
						}
					case i%5 == 0:
						require.NoError(t, m.LockContext(t.Context()))
					default:
						m.Lock()
					}
					inside++
					count++
					if (i+c)%7 == 0 {
						sched.Yield()
					}
					if inside != 1 {
						panic("two are inside")
					}
					inside--
					want.Add(1)
					m.Unlock()
				}
			})
		}
		cs.Wait()
		require.EqualValues(t, want.Load(), count)
		m.requireIdle(t)
	})
}

// TestStressYieldingCrowd: many more waiters than processors, each of which waits while it has the lock.
func TestStressYieldingCrowd(t *testing.T) {
	const callers, rounds = 60, 20
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var m Mutex
		count := 0
		for range callers {
			cs.Go(func() {
				for range rounds {
					m.Lock()
					old := count
					sched.Yield()
					count = old + 1
					m.Unlock()
				}
			})
		}
		cs.Wait()
		require.Equal(t, callers*rounds, count)
		m.requireIdle(t)
	})
}

// TestMutexIsFair: a caller that keeps coming back at once does not starve one that comes now and then.
func TestMutexIsFair(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var m Mutex
		var stop atomic.Bool
		cs.Go(func() {
			for !stop.Load() {
				m.Lock()
				for range 30 {
					sched.Yield()
				}
				m.Unlock()
			}
		})
		cs.Go(func() {
			for range 10 {
				for range 3 {
					sched.Yield()
				}
				m.Lock()
				m.Unlock() //lint:ignore SA2001 the point is only to get in
			}
			stop.Store(true)
		})
		cs.Wait()
		m.requireIdle(t)
	})
}

// TestStarvingMutexIsHandedOver: in that mode, and in no other, an Unlock gives the lock to the first in the queue, and a newcomer
// can't have it. The word is put into that mode by hand, as a waiter would that has lost for a millisecond.
func TestStarvingMutexIsHandedOver(t *testing.T) {
	s := testsched.New(t, 1)
	testsched.Within(t, func() {
		var m Mutex
		var order []int
		m.Lock()
		for i := range 3 {
			s.Go(func() {
				m.Lock()
				order = append(order, i)
				m.Unlock()
			})
			m.untilQueued(t, i+1)
		}
		m.lock.Lock()
		for w := m.queue.First(); w != nil; w = w.Next() {
			w.N -= 2 * starvingNS // as if they had waited for long
		}
		m.lock.Unlock()
		m.starve(starving)
		require.NoError(t, s.Run(func() {
			m.Unlock() // the task that has it now runs at once, and hands it on
			require.True(t, m.TryLock(), "all are through")
			require.Equal(t, []int{0, 1, 2}, order)
			m.Unlock()
		}))
		m.requireIdle(t)
	})
	testsched.Close(t, s)
}

// TestHandOverEndsStarving: with the last waiter, or one that has not waited for long, or only since the mode began.
func TestHandOverEndsStarving(t *testing.T) {
	s := testsched.New(t, 1)
	for _, c := range []struct {
		waited, began int64 // before now, ns
		starving      bool  // afterwards
	}{
		{2 * starvingNS, 0, true},
		{-1e12, 2e12, false}, // not for long, however slow the test
		{-1e12, -2e12, false},
		{2 * starvingNS, 3 * starvingNS, false},
	} {
		testsched.Within(t, func() {
			var m, gate Mutex
			var through atomic.Int32
			gate.Lock()
			m.Lock()
			for i := range 2 {
				s.Go(func() {
					m.Lock()
					gate.Lock()
					gate.Unlock() //lint:ignore SA2001 waits for the test
					m.Unlock()
					through.Add(1)
				})
				m.untilQueued(t, i+1)
			}
			m.starve(starving)
			m.lock.Lock()
			now := sched.Self().Nanotime()
			m.starved = now - c.began
			m.queue.First().N = now - c.waited
			m.lock.Unlock()
			m.Unlock()
			require.False(t, m.TryLock(), "it is the waiter's already")
			require.Equal(t, c.starving, m.state.Load()&starving != 0, c)
			gate.Unlock()
			testsched.Until(t, func() bool { return through.Load() == 2 }, "all through")
			m.requireIdle(t)
		})
	}
	testsched.Close(t, s)
}

// TestLoserStarves: a waiter that has been woken, has lost and has waited for too long makes the lock a starving one.
func TestLoserStarves(t *testing.T) {
	s := testsched.New(t, 1)
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			var m Mutex
			m.Lock()
			starved := false
			sched.Go(func() {
				for over := false; !over; sched.Yield() { // until the lock has been starving: it may get in before, and then tries again
					m.Lock()
					over = starved
					m.Unlock()
				}
			})
			for m.state.Load()&starving == 0 {
				m.Unlock()
				require.True(t, m.TryLock()) // before the one that was woken: TryLock lets nobody past
				sched.Yield()
			}
			starved = true
			m.Unlock()
			m.requireIdle(t)
		}))
	})
	testsched.Close(t, s)
}

// TestWokenWaiterHasItsTurn: a waiter that has been woken gets the lock soon, although the task before it on the P locks and unlocks without giving way.
func TestWokenWaiterHasItsTurn(t *testing.T) {
	s := testsched.New(t, 1)
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			var m Mutex
			mine, theirs := 0, -1
			m.Lock()
			sched.Go(func() {
				m.Lock()
				theirs = mine
				m.Unlock()
			})
			for length(&m.lock, &m.queue) == 0 {
				sched.Yield()
			}
			m.Unlock()
			for range 100_000 {
				m.Lock()
				mine++
				m.Unlock()
			}
			for theirs < 0 {
				sched.Yield()
			}
			require.Less(t, theirs, 100, "one Lock in 64 lets it past: sched/clash.go, letPast")
			m.requireIdle(t)
		}))
	})
	testsched.Close(t, s)
}

// TestLoserStarvesAfterAMillisecond and not before: a waiter that says since when it has waited, and loses.
func TestLoserStarvesAfterAMillisecond(t *testing.T) {
	const ms = 1_000_000
	require.EqualValues(t, ms, starvingNS)
	s := testsched.New(t, 1)
	loses := func(waited int64) (starves, early bool) {
		var m Mutex
		var since atomic.Int64
		m.Lock()
		m.state.Or(woken) // as by an Unlock that has woken it
		s.Go(func() {
			if hb.On {
				hb.Enter()
				defer hb.Leave()
			}
			w := sched.Self().Waiter()
			w.N = w.G.Nanotime() - waited
			since.Store(w.N)
			m.compete(w, woken, sched.WaitReasonMutexLock)
			m.unlock()
		})
		m.untilQueued(t, 1)
		starves = m.state.Load()&starving != 0
		early = sched.Self().Nanotime()-since.Load() <= ms
		m.Unlock()
		testsched.Until(t, m.TryLock, "it has had the lock")
		return starves, early
	}
	testsched.Within(t, func() {
		for range 20 {
			starves, _ := loses(ms + 1)
			require.True(t, starves)
		}
		for _, waited := range []int64{0, ms / 2} {
			testsched.Until(t, func() bool { // where the machine has taken its time it may starve
				starves, early := loses(waited)
				require.False(t, starves && early, waited)
				return early
			}, "a loser of less than 1 ms")
		}
	})
	testsched.Close(t, s)
}

var misuses = map[string]struct {
	text string
	f    func()
}{
	"Mutex.Unlock":   {"sync: unlock of unlocked mutex", func() { new(Mutex).Unlock() }},
	"Mutex.Unlock2":  {"sync: unlock of unlocked mutex", func() { var m Mutex; m.Lock(); m.Unlock(); m.Unlock() }}, //lint:ignore SA2001 the calls are the point
	"RWMutex.Unlock": {"sync: Unlock of unlocked RWMutex", func() { new(RWMutex).Unlock() }},
	"RWMutex.Unlock2": {"sync: Unlock of unlocked RWMutex", func() {
		var rw RWMutex
		rw.RLock()
		rw.Unlock()
	}},
	"RWMutex.Unlock3": {"sync: Unlock of unlocked RWMutex", func() {
		var rw RWMutex
		rw.Lock()
		rw.Unlock() //lint:ignore SA2001 the calls are the point
		rw.Unlock()
	}},
	"RWMutex.RUnlock": {"sync: RUnlock of unlocked RWMutex", func() { new(RWMutex).RUnlock() }},
	"RWMutex.RUnlock2": {"sync: RUnlock of unlocked RWMutex", func() {
		var rw RWMutex
		rw.Lock()
		rw.RUnlock()
	}},
	"Mutex.UnlockCalm": {"sync: unlock of unlocked mutex", func() {
		var m Mutex
		for begun := time.Now(); !m.calm && time.Since(begun) < time.Second; {
			m.Lock()
			m.Unlock() //lint:ignore SA2001 to be counted
		}
		m.Lock()
		m.Unlock() //lint:ignore SA2001 the calls are the point
		m.Unlock()
	}},
	"RWMutex.RUnlock3": {"sync: RUnlock of unlocked RWMutex", func() {
		var rw RWMutex
		rw.RLock()
		rw.RUnlock() //lint:ignore SA2001 the calls are the point
		rw.RUnlock()
	}},
	"RWMutex.RUnlock4": {"sync: RUnlock of unlocked RWMutex", func() {
		var rw RWMutex
		n := rw.readers.Add(-1) // the first half
		rw.RLock()              // in between
		rw.runlockSlow(n)
	}},
}

// TestMisuse: the process ends with sync's own error, in a task and in a goroutine, and recover is no help.
func TestMisuse(t *testing.T) {
	if name := os.Getenv(misuseVar); name != "" {
		f := func() {
			defer func() { _ = recover() }()
			misuses[name[1:]].f()
		}
		if name[0] == 'g' {
			f()
		} else {
			s := testsched.New(t, 1)
			require.NoError(t, s.Run(f))
		}
		return
	}
	for name, m := range misuses {
		for _, kind := range []string{"t", "g"} {
			t.Run(kind+" "+name, func(t *testing.T) {
				t.Parallel()
				requireFatalIn(t, "TestMisuse", kind+name, m.text)
			})
		}
	}
}

// TestUncontendedMutexAllocatesNothing, in a task and in a goroutine; nor does a crowd in the steady state.
func TestMutexAllocatesNothing(t *testing.T) {
	if hb.On {
		t.Skip("telling the race detector of a call allocates")
	}
	s := testsched.New(t, 1)
	var m Mutex
	measure := func() float64 {
		return testing.AllocsPerRun(500, func() {
			m.Lock()
			m.Unlock() //lint:ignore SA2001 it is what is measured
		})
	}
	require.Zero(t, measure())
	var inTask float64
	var crowd uint64
	const rounds = 200
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			inTask = measure()
			crowd = testsched.LeastMallocs(func() {
				var left atomic.Int32 // one P, but another may stand in for it meanwhile
				left.Store(8)
				for range 8 {
					sched.Go(func() {
						for range rounds {
							m.Lock()
							sched.Yield()
							m.Unlock()
						}
						left.Add(-1)
					})
				}
				for left.Load() > 0 {
					sched.Yield()
				}
			})
		}))
	})
	testsched.Close(t, s)
	require.Zero(t, inTask)
	require.Less(t, crowd, uint64(rounds))
}
