package sched

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Conformance with the Go scheduler: that everybody gets a turn, that as many tasks as there are Ps run at the same
// time, and that nobody runs who has not been woken.

// TestConformanceYieldProgress: a task that asks for a turn gets it beside one that yields and looks for it.
// runtime/proc_test.go, TestYieldProgress.
func TestConformanceYieldProgress(t *testing.T) { conformYieldProgress(t, false) }

// TestConformanceYieldLockedProgress is the same with a wired task, which also ends wired.
// runtime/proc_test.go, TestYieldLockedProgress.
func TestConformanceYieldLockedProgress(t *testing.T) { conformYieldProgress(t, true) }

func conformYieldProgress(t *testing.T, wired bool) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var asked atomic.Bool
		var started, seen door
		s.Go(func() {
			if wired {
				LockOSThread()
			}
			started.signal()
			for !asked.Load() {
				Yield()
			}
			seen.signal()
		})
		require.NoError(t, s.Run(func() {
			started.wait()
			for range 100 {
				Yield()
			}
			asked.Store(true)
			seen.wait()
		}))
	})
}

// TestConformanceYieldLocked has a wired task yield and sleep in turn, and end wired.
// runtime/proc_test.go, TestYieldLocked.
func TestConformanceYieldLocked(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		require.NoError(t, s.Run(func() {
			LockOSThread()
			for range 10 {
				Yield()
				Sleep(10 * time.Microsecond)
			}
		}))
	})
}

// TestConformanceBlockLocked: a wired task hands things one by one to an unwired one. runtime/proc_test.go, TestBlockLocked.
func TestConformanceBlockLocked(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const n = 10
		var full, empty door
		box, sum := 0, 0
		s.Go(func() {
			LockOSThread()
			for i := range n {
				empty.wait()
				box = i + 1
				full.signal()
			}
			UnlockOSThread()
		})
		require.NoError(t, s.Run(func() {
			for range n {
				empty.signal()
				full.wait()
				sum += box
			}
		}))
		require.Equal(t, n*(n+1)/2, sum)
	})
}

// TestConformanceStopTheWorld has a task that replaces itself for ever, while the collector stops the world and the number of Ps
// is set, also to what it is. runtime/proc_test.go, TestStopTheWorldDeadlock.
func TestConformanceStopTheWorld(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		if crowded(s) {
			return
		}
		procs := s.SetProcs(0)
		var stop atomic.Bool
		var lives atomic.Int64
		ended := make(chan struct{})
		var again func()
		again = func() {
			lives.Add(1)
			if stop.Load() {
				close(ended)
				return
			}
			Go(again)
		}
		s.Go(again)
		var both sync.WaitGroup
		both.Go(func() {
			for range 4 {
				runtime.GC()
			}
		})
		both.Add(1)
		s.Go(func() {
			defer both.Done()
			for i := range 300 {
				s.SetProcs(1 + i%3)
				s.SetProcs(procs)
				Yield()
			}
		})
		both.Wait()
		for before := lives.Load(); lives.Load() == before; {
			runtime.Gosched()
		}
		stop.Store(true)
		<-ended
	})
}

// takeTurns has member i of n wait, without a call of ours, until it is its turn, three times: this ends only if all n run at
// the same time. The waits let the native scheduler in, as the machine may have fewer processors than that.
func takeTurns(turn *atomic.Uint32, i, n uint32) {
	for lap := range uint32(3) {
		for turn.Load() != lap*n+i {
			runtime.Gosched()
		}
		turn.Add(1)
	}
}

// TestConformanceParallelism: as many tasks as Ps run at the same time, with nobody standing in for a P.
// runtime/proc_test.go, TestGoroutineParallelism.
func TestConformanceParallelism(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	forProcsOf(t, Config{Tunables: unhelped}, func(t *testing.T, s *Scheduler) {
		n := uint32(s.SetProcs(0))
		for range 5 {
			var turn atomic.Uint32
			var all sync.WaitGroup
			for i := range n {
				all.Add(1)
				s.Go(func() {
					defer all.Done()
					takeTurns(&turn, i, n)
				})
			}
			all.Wait()
			require.Equal(t, 3*n, turn.Load())
		}
	})
}

// TestConformanceParallelism2 is the same with tasks made by tasks; after all workers had something to do, and are about to
// sleep; and with a poller in use, which one of them would sleep in. runtime/proc_test.go, TestGoroutineParallelism2.
func TestConformanceParallelism2(t *testing.T) {
	for _, load := range []bool{true, false} {
		for _, poll := range []bool{true, false} {
			t.Run(fmt.Sprintf("load=%v/poller=%v", load, poll), func(t *testing.T) {
				defer debug.SetGCPercent(debug.SetGCPercent(-1))
				forProcsOf(t, Config{Tunables: unhelped}, func(t *testing.T, s *Scheduler) {
					conformParallelism2(t, s, load, poll)
				})
			})
		}
	}
}

// mutePoller readies nobody before it speaks.
type mutePoller struct {
	fakePoller
	speaks atomic.Bool
}

func (f *mutePoller) Poll(delayNS int64, ready *GList) {
	if delayNS < 0 {
		<-f.kick
	}
	if f.speaks.Load() {
		f.fakePoller.Poll(0, ready)
	}
}

func conformParallelism2(t *testing.T, s *Scheduler, load, poll bool) {
	n := uint32(s.SetProcs(0))
	if poll {
		f := &mutePoller{fakePoller: fakePoller{kick: make(chan struct{}, 1)}}
		_, err := s.Poller(func() (Poller, error) { return f, nil })
		require.NoError(t, err)
		gone := make(chan struct{})
		s.Go(func() {
			defer close(gone)
			f.wait(s)
		})
		defer func() {
			f.speaks.Store(true)
			f.Break()
			<-gone
		}()
	}
	for range 3 {
		if load {
			var here atomic.Uint32
			var all sync.WaitGroup
			for range n {
				all.Add(1)
				s.Go(func() {
					defer all.Done()
					for here.Add(1); here.Load() < n; runtime.Gosched() {
					}
				})
			}
			all.Wait()
		}
		var turn atomic.Uint32
		var all sync.WaitGroup
		for i := uint32(0); i < n; i += 2 {
			all.Add(1)
			s.Go(func() {
				defer all.Done()
				for k := i; k < min(i+2, n); k++ {
					all.Add(1)
					Go(func() {
						defer all.Done()
						takeTurns(&turn, k, n)
					})
				}
			})
		}
		all.Wait()
		require.Equal(t, 3*n, turn.Load())
	}
}

// TestConformanceBalance loads one P and lets none of the tasks end before each of the Ps has had some: work that lies on one P
// spreads over all. The idea of runtime/proc_test.go, BenchmarkCreateGoroutinesParallel and BenchmarkMatmult, which
// only measure it.
func TestConformanceBalance(t *testing.T) {
	for _, procs := range []int{2, 8} {
		var thefts, wrong atomic.Int32
		s := newTest(t, Config{Procs: procs, Tunables: unhelped, Hooks: Hooks{TaskStolen: func(_ uint64, from, thief int) {
			thefts.Add(1)
			if from == thief {
				wrong.Add(1)
			}
		}}})
		var ran [8]atomic.Int32 // by P
		var all sync.WaitGroup
		all.Add(4 * procs)
		run(t, s, func() {
			for range 4 * procs {
				Go(func() {
					defer all.Done()
					ran[procID()].Add(1)
					for p := range procs {
						for ran[p].Load() == 0 { // no call of ours: it keeps its P
							runtime.Gosched()
						}
					}
				})
			}
		})
		within(t, all.Wait, s)
		require.GreaterOrEqual(t, int(thefts.Load()), procs-1)
		require.Zero(t, wrong.Load())
	}
}

// TestConformanceNoSpuriousWakeup parks tasks that count how often they come back, among much that wakes workers for other reasons:
// timers, the collector, changes of Procs, other tasks. Each comes back as often as it was readied, and not before.
// The runtime promises it of runtime/proc.go, gopark, and its primitives rely on it.
func TestConformanceNoSpuriousWakeup(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const sleepers, rounds = 8, 30
		procs := s.SetProcs(0)
		var gs [sleepers]atomic.Pointer[G]
		var granted, back [sleepers]atomic.Int32
		var early atomic.Int32
		var all sync.WaitGroup
		for i := range sleepers {
			all.Add(1)
			s.Go(func() {
				defer all.Done()
				for range rounds {
					Park(WaitReasonZero, nil, nil)
					if back[i].Add(1) > granted[i].Load() {
						early.Add(1)
					}
				}
			})
		}
		s.lock.Lock()
		for _, slab := range s.allgs {
			for k := range slab {
				if id := slab[k].id; id >= 1 && id <= sleepers {
					gs[id-1].Store(&slab[k]) // made in the order of their ids
				}
			}
		}
		s.lock.Unlock()
		for round := range rounds {
			noise := s.AfterFunc(time.Duration(round%3)*time.Microsecond, func() {})
			if round%10 == 0 {
				runtime.GC()
			}
			s.SetProcs(1 + round%3)
			s.SetProcs(procs)
			for i := range sleepers {
				gp := gs[i].Load()
				for gp.state.Load() != gWaiting {
					runtime.Gosched()
				}
				if got := back[i].Load(); got != int32(round) {
					t.Errorf("task %d has come back %d times, was readied %d times", gp.id, got, round)
				}
				granted[i].Add(1)
				gp.Ready()
			}
			noise.Stop()
		}
		all.Wait()
		require.Zero(t, early.Load())
	})
}
