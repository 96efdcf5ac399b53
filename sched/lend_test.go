package sched

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// What follows is about Ps that are lent to plain goroutines; in builds in which none is, the same must hold without.

// rally is a goroutine and a task that answer each other.
type rally struct{ ping, pong door }

// answer is the task's part: turns answers, and did, if not nil, after each.
func (r *rally) answer(turns int, did func(turn int)) {
	for i := range turns {
		r.ping.wait()
		r.pong.signal()
		if did != nil {
			did(i)
		}
	}
}

func (r *rally) ask() {
	r.ping.signal()
	r.pong.wait()
}

// warm asks until the goroutine helps, so that a task of s lies on its stack with the next ask. Each task that it asks answers once.
func (r *rally) warm(t *testing.T, s *Scheduler) {
	t.Helper()
	if !s.lends {
		return
	}
	for helps := s.Stats().Helps; s.Stats().Helps < helps+2; {
		for range firstSkip {
			s.Go(func() { r.answer(50, nil) })
			for range 50 {
				r.ask()
			}
		}
	}
}

// TestLentRallies lets goroutines and tasks answer each other, in pairs, with the collector at work.
func TestLentRallies(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const pairs, turns = 4, 1500
		stop := collecting()
		defer stop()
		var wg sync.WaitGroup
		for range pairs {
			var r rally
			wg.Add(2)
			s.Go(func() {
				defer wg.Done()
				r.answer(turns, nil)
			})
			go func() {
				defer wg.Done()
				for range turns {
					r.ask()
				}
			}()
		}
		wg.Wait()
	})
}

// TestLentIsUsed looks whether any of this happens at all.
func TestLentIsUsed(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		s := newTest(t, Config{Procs: procs})
		within(t, func() {
			var r rally
			const turns = 1000
			ask := func() {
				s.Go(func() { r.answer(turns, nil) })
				for range turns {
					r.ask()
				}
			}
			ask()
			for s.lends && s.Stats().Helps < turns {
				ask()
			}
			st := s.Stats()
			if s.lends {
				require.NotZero(t, st.Lends)
			} else {
				require.Zero(t, st.Lends+st.Helps+st.Evictions)
			}
		}, s)
	}
}

// TestLentButKept has tasks that keep the thread of the goroutine which runs them, after they have readied it: it goes on all
// the same.
func TestLentButKept(t *testing.T) {
	for name, keep := range map[string]func(on *atomic.Bool){
		"loop": func(on *atomic.Bool) {
			for !on.Load() {
			}
		},
		"sleep": func(on *atomic.Bool) { // natively: what the goroutine must not wait for
			for !on.Load() {
				time.Sleep(10 * time.Microsecond)
			}
		},
		"Block": func(on *atomic.Bool) {
			Block(func() {
				for !on.Load() {
					time.Sleep(10 * time.Microsecond)
				}
			})
		},
		"LockOSThread": func(on *atomic.Bool) {
			LockOSThread()
			defer UnlockOSThread()
			for !on.Load() {
				Yield()
			}
		},
		"ends wired": func(on *atomic.Bool) {
			LockOSThread()
			for !on.Load() {
				Sleep(10 * time.Microsecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			forProcs(t, func(t *testing.T, s *Scheduler) {
				for range 4 {
					var r rally
					r.warm(t, s)
					var on atomic.Bool
					s.Go(func() {
						r.answer(20, func(turn int) {
							if turn == 19 {
								keep(&on)
							}
						})
					})
					for range 20 {
						r.ask()
					}
					on.Store(true)
					r.warm(t, s)
				}
			})
		})
	}
}

// TestLentBefore is TestLentButKept for a task that keeps the thread before the goroutine is readied, by another goroutine.
func TestLentBefore(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		for _, keep := range []func(f func()){Block, func(f func()) { f() }} {
			var r rally
			r.warm(t, s)
			var blocks, on atomic.Bool
			s.Go(func() {
				r.answer(20, nil)
				r.ping.wait()
				keep(func() {
					blocks.Store(true)
					for !on.Load() {
						runtime.Gosched()
					}
				})
			})
			for range 20 {
				r.ask()
			}
			go func() {
				for !blocks.Load() {
					runtime.Gosched()
				}
				r.pong.signal()
			}()
			r.ask()
			on.Store(true)
		}
	})
}

// TestLentToOneThatGoesOn readies tasks from a goroutine that has a P and then does not wait in a call of ours: they run.
func TestLentToOneThatGoesOn(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		for range 4 {
			var r rally
			r.warm(t, s)
			answers := make(chan int)
			for i := range 3 {
				var d door
				s.Go(func() {
					d.wait()
					Block(func() { answers <- i })
				})
				d.signal()
			}
			require.Equal(t, 3, <-answers+<-answers+<-answers)
		}
	})
}

// TestLentToOneThatEnds lets goroutines end that have a P.
func TestLentToOneThatEnds(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		for range 5 {
			done := make(chan struct{})
			go func() {
				defer close(done)
				var r rally
				s.Go(func() { r.answer(60, nil) })
				for range 60 {
					r.ask()
				}
			}()
			<-done
		}
		require.NoError(t, s.Run(func() {}))
	})
}

// TestLentLater gives way, sets timers, starts tasks, ends them in every way and changes the number of Ps in tasks that a goroutine runs.
func TestLentLater(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var r rally
		const turns = 600
		var ended atomic.Int32
		s.Go(func() {
			r.answer(turns, func(turn int) {
				switch turn % 13 {
				case 3:
					Yield()
				case 4:
					Sleep(time.Microsecond)
				case 5:
					Go(func() { defer ended.Add(1); Exit() })
				case 6:
					Go(func() { defer ended.Add(1); Yield(); runtime.Goexit() })
				case 7:
					Join(func() { Yield() }, func() {})
				case 8:
					s.SetProcs(1 + turn%3)
				case 9:
					_, err := Spawn(func() (int, error) { panic("x") }).Wait()
					if err == nil {
						panic("no error")
					}
				case 10:
					runtime.GC()
				}
			})
		})
		for range turns {
			r.ask()
		}
		until(t, "all have ended", func() bool { return s.Stats().Tasks == 0 }, s)
		want := 0
		for turn := range turns {
			if turn%13 == 5 || turn%13 == 6 {
				want++
			}
		}
		require.EqualValues(t, want, ended.Load())
		require.NoError(t, s.Run(func() {}))
	})
}

// TestLentToBubble and to goroutines that are wired: neither ever lies in a cell. In a bubble it would count as blocked for good.
func TestLentToBubble(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	synctest.Test(t, func(t *testing.T) {
		helps := s.Stats().Helps
		var r rally
		s.Go(func() { r.answer(2000, nil) })
		for range 2000 {
			r.ask()
		}
		require.Equal(t, helps, s.Stats().Helps)
	})
}

func TestLentToWiredGoroutine(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	for _, always := range []bool{true, false} {
		within(t, func() {
			const turns = 2000
			var r rally
			if !always {
				r.warm(t, s)
			}
			helps := s.Stats().Helps
			s.Go(func() { r.answer(turns, nil) })
			for i := range turns {
				wired := always || i%50 > 40
				if wired {
					runtime.LockOSThread()
				}
				r.ask()
				if wired {
					runtime.UnlockOSThread()
				}
			}
			if always {
				require.Equal(t, helps, s.Stats().Helps)
			}
		}, s)
	}
}

// TestLentRun calls Run from goroutines, with tasks that start others and wait.
func TestLentRun(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const callers, calls = 3, 400
		var ran atomic.Int64
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for i := range calls {
					err := s.Run(func() {
						switch i % 7 {
						case 1:
							Yield()
						case 2:
							_, _ = Spawn(func() (int, error) { Yield(); return 1, nil }).Wait()
						case 3:
							Join(func() { Yield() }, Yield)
						case 4:
							Go(func() { ran.Add(1) })
							ran.Add(-1)
						case 5:
							Sleep(1)
						}
						ran.Add(1)
					})
					if err != nil {
						panic(err)
					}
				}
			})
		}
		wg.Wait()
		until(t, "all have run", func() bool { return ran.Load() == callers*calls }, s)
	})
}

// TestLentTwoSchedulers hands a goroutine to and fro between two.
func TestLentTwoSchedulers(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		o, err := New(Config{Procs: 1})
		require.NoError(t, err)
		defer func() { require.NoError(t, o.Close()) }()
		var r, q rally
		const turns = 1000
		s.Go(func() { r.answer(turns, nil) })
		o.Go(func() { q.answer(turns, nil) })
		for i := range turns {
			if i/100%2 == 0 {
				r.ask()
				q.ask()
				continue
			}
			r.ping.signal()
			q.ping.signal()
			q.pong.wait()
			r.pong.wait()
		}
	})
}

// TestLentFewThreads has no more threads than Ps.
func TestLentFewThreads(t *testing.T) {
	for _, threads := range []int{1, 2, 3} {
		s := newTest(t, Config{Procs: 1, MaxThreads: threads})
		within(t, func() {
			var r rally
			s.Go(func() {
				r.answer(3000, func(turn int) {
					if turn%100 == 0 {
						Block(func() { runtime.Gosched() })
					}
				})
			})
			for range 3000 {
				r.ask()
			}
			require.LessOrEqual(t, s.Stats().Threads, threads+1, "the one more is for an eviction")
		}, s)
	}
}

// TestLentClose closes a Scheduler whose P is lent.
func TestLentClose(t *testing.T) {
	for _, procs := range []int{1, 2} {
		for range 20 {
			s := newTest(t, Config{Procs: procs})
			within(t, func() {
				var r rally
				r.warm(t, s)
				s.Go(func() { r.answer(1000, nil) })
				for range 20 {
					r.ask()
				}
				require.NoError(t, s.Close())
			}, s)
		}
	}
}

// TestLentRunIsRefused: also where the goroutine could put its task on a P that is lent to it, once Shutdown lets only tasks start others.
func TestLentRunIsRefused(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	within(t, func() {
		var r rally
		r.warm(t, s)
		var last atomic.Bool
		s.Go(func() {
			for over := false; !over; {
				r.ping.wait()
				over = last.Load()
				r.pong.signal()
			}
		})
		end := make(chan error)
		go func() { end <- s.Shutdown(context.Background()) }()
		draining(t, s)
		helps := s.Stats().Helps
		for turn := 0; turn < 20 || s.lends && s.Stats().Helps < helps+20; turn++ { // after a help the P is still lent, unless sysmon was quicker
			require.ErrorIs(t, s.Run(func() { t.Error("has run") }), ErrClosed)
			r.ask()
		}
		last.Store(true)
		r.ask()
		require.NoError(t, <-end)
	}, s)
}

// TestLentKeepsNothing: a worker that sleeps, having lent its P, keeps nothing alive of what its tasks have waited for.
func TestLentKeepsNothing(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var r rally
		for range 5 {
			r.warm(t, s)
			kept := false
			s.lock.Lock()
			for m := s.midle; m != nil; m = m.link {
				kept = kept || m.lock != nil
			}
			s.lock.Unlock()
			require.False(t, kept)
		}
	})
}

// TestLentThreads has tasks that call Block on the stack of a goroutine, each after so many answers that earlier ones are forgotten: the
// workers that take the goroutine's place are those that have lent it their Ps, not more and more new ones.
func TestLentThreads(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	within(t, func() {
		const rounds, turns = 100, 2 * (forgiveWins + firstSkip)
		var r rally
		for range rounds {
			s.Go(func() {
				r.answer(turns, func(turn int) {
					if turn == turns-1 {
						Block(func() {})
					}
				})
			})
			for range turns {
				r.ask()
			}
		}
		st := s.Stats()
		if st.Threads > rounds/4 {
			t.Errorf("%d threads, %d evictions", st.Threads, st.Evictions)
		}
	}, s)
}
