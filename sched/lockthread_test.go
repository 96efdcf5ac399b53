package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTokensBetweenWiredUnwiredAndPlain hands a token round a ring of tasks, wired ones and others, and plain
// goroutines, in both directions at a time, with the collector at work.
func TestTokensBetweenWiredUnwiredAndPlain(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const members, laps = 9, 12
		var there, back [members]door
		var wg sync.WaitGroup
		member := func(i int) {
			defer wg.Done()
			for lap := range laps {
				there[i].wait()
				there[(i+1)%members].signal()
				back[i].wait()
				back[(i+members-1)%members].signal()
				if i == 0 && lap%4 == 0 {
					runtime.GC()
				}
			}
		}
		for i := range members {
			wg.Add(1)
			switch i % 3 {
			case 0:
				s.Go(func() {
					LockOSThread()
					defer UnlockOSThread()
					member(i)
				})
			case 1:
				s.Go(func() { member(i) })
			default:
				go member(i)
			}
		}
		there[0].signal()
		back[0].signal()
		wg.Wait()
		until(t, "no task is wired", func() bool { return s.nWired.Load() == 0 }, s)
	})
}

// TestWiredStress has many wired tasks that wait, yield, block, spawn and end in every way.
func TestWiredStress(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const tasks, rounds = 20, 8
		var wg sync.WaitGroup
		for i := range tasks {
			wg.Add(1)
			s.Go(func() {
				defer wg.Done()
				for r := range rounds {
					LockOSThread()
					var d door
					switch (i + r) % 4 {
					case 0:
						Go(d.signal)
						d.wait()
					case 1:
						go d.signal()
						d.wait()
					case 2:
						Block(func() { Go(d.signal) })
						Yield()
						d.wait()
					case 3:
						Go(func() {
							LockOSThread()
							d.signal()
							Exit()
						})
						d.wait()
						LockOSThread()
						UnlockOSThread()
					}
					UnlockOSThread()
					if r == rounds/2 && i%5 == 0 {
						runtime.GC()
					}
				}
				if i%2 == 0 {
					LockOSThread()
				}
			})
		}
		wg.Wait()
	})
}

// TestCloseUnwindsWiredTasks closes with wired tasks parked in all ways.
func TestCloseUnwindsWiredTasks(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		before := plainGoroutines()
		var parked, ended atomic.Int32
		s, err := New(Config{Procs: procs, Seed: 1})
		require.NoError(t, err)
		const n = 6
		for i := range n {
			s.Go(func() {
				defer ended.Add(1)
				LockOSThread()
				var d door
				defer func() { // unwound, and waits once more
					go d.signal()
					d.wait()
				}()
				parked.Add(1)
				switch i % 3 {
				case 0:
					parkForever()
				case 1:
					var never door
					never.wait()
				default:
					for {
						Yield()
					}
				}
			})
		}
		until(t, "all are wired", func() bool { return parked.Load() == n }, s)
		within(t, func() { require.NoError(t, s.Close()) }, s)
		require.EqualValues(t, n, ended.Load())
		require.Zero(t, s.nWired.Load())
		goroutinesBack(t, before)
	}
}

// TestWiredTaskRunsAtMaxThreads readies a wired task when no other worker may be made: its own will do.
func TestWiredTaskRunsAtMaxThreads(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		s := newTest(t, Config{Procs: procs, MaxThreads: 2})
		var a, b, ready door
		var wg sync.WaitGroup
		wg.Add(2)
		s.Go(func() {
			defer wg.Done()
			LockOSThread()
			ready.signal()
			for range 100 {
				a.wait()
				b.signal()
			}
		})
		within(t, ready.wait, s)
		s.Go(func() {
			defer wg.Done()
			LockOSThread()
			for range 100 {
				a.signal()
				b.wait()
				Yield()
			}
		})
		within(t, wg.Wait, s)
		s.lock.Lock()
		nm := s.nm
		s.lock.Unlock()
		require.LessOrEqual(t, nm, 2)
		run(t, s, Yield) // threads are free again
	}
}

// TestOnlyWiredTaskIsReadiedFromOutside has the only thread that there may be asleep with its task.
func TestOnlyWiredTaskIsReadiedFromOutside(t *testing.T) {
	s := newTest(t, Config{Procs: 4, MaxThreads: 1})
	var a, b door
	done := make(chan error)
	go func() {
		done <- s.Run(func() {
			LockOSThread()
			defer UnlockOSThread()
			for range 100 {
				b.signal()
				a.wait()
			}
		})
	}()
	within(t, func() {
		for range 100 {
			b.wait()
			a.signal()
		}
		require.NoError(t, <-done)
		require.NoError(t, s.Run(Yield))
	}, s)
}

func TestWiredPanicIsHandled(t *testing.T) {
	var got *PanicError
	s := newTest(t, Config{Procs: 2, PanicHandler: func(e *PanicError) { got = e }})
	within(t, func() {
		err := s.Run(func() {
			LockOSThread()
			Yield()
			panic("wired")
		})
		require.ErrorAs(t, err, &got)
		require.Equal(t, "wired", got.Value)
		require.NoError(t, s.Run(Yield))
	}, s)
	until(t, "no task is wired", func() bool { return s.nWired.Load() == 0 }, s)
}

// TestWiringWithinBlock wires and unwires in Block, with the P kept and with it taken.
func TestWiringWithinBlock(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Add(1)
			s.Go(func() {
				defer wg.Done()
				for r := range 20 {
					Block(func() {
						LockOSThread()
						if (i+r)%3 == 0 {
							runtime.Gosched()
						}
					})
					Yield()
					var d door
					Go(d.signal)
					Block(func() {
						if (i+r)%2 == 0 {
							UnlockOSThread()
						}
					})
					Yield()
					d.wait()
					UnlockOSThread()
					Yield()
				}
			})
		}
		wg.Wait()
		require.Zero(t, s.nWired.Load())
	})
}

// TestWiredTaskGivesWay marks one that runs on and on; its P must go to who waits.
func TestWiredTaskGivesWay(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	var other atomic.Bool
	run(t, s, func() {
		LockOSThread()
		defer UnlockOSThread()
		Go(func() { other.Store(true) })
		for !other.Load() {
			if Preempting() {
				GiveWay()
			}
		}
	})
}

// TestProcsShrinkUnderWiredTasks takes Ps away and gives them back while wired tasks come and go.
func TestProcsShrinkUnderWiredTasks(t *testing.T) {
	s := newTest(t, Config{Procs: 8})
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 6 {
		wg.Add(1)
		s.Go(func() {
			defer wg.Done()
			for !stop.Load() {
				LockOSThread()
				var d door
				Go(d.signal)
				d.wait()
				Yield()
				UnlockOSThread()
				Yield()
			}
		})
	}
	within(t, func() {
		for i := range 60 {
			s.SetProcs(1 + i%8)
			require.NoError(t, s.Run(func() { LockOSThread() }))
		}
		stop.Store(true)
		wg.Wait()
	}, s)
}

func TestUnlockWithoutLockDoesNothing(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	run(t, s, func() {
		UnlockOSThread()
		LockOSThread()
		UnlockOSThread()
		UnlockOSThread()
		Yield()
	})
	require.Zero(t, s.nWired.Load())
	UnlockOSThread()
}
