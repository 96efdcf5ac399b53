// Add, Done, Wait: who waits, who is woken, and the panics.

package waitgroup

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

func TestWaitOnZeroReturns(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var wg WaitGroup
		cs.Do(wg.Wait)
		wg.Add(3)
		wg.Add(-3)
		cs.Do(wg.Wait)
		require.Zero(t, wg.state.Load())
	})
}

// TestWaitReturnsAfterTheLastDone and not before, and sees all that was done before it.
func TestWaitReturnsAfterTheLastDone(t *testing.T) {
	const n = 5
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var wg WaitGroup
		var done [n]bool // not atomic: Done happens before Wait's return
		wg.Add(n)
		var seen int
		var returned atomic.Bool
		cs.Go(func() {
			wg.Wait()
			for _, d := range done {
				if d {
					seen++
				}
			}
			returned.Store(true)
		})
		untilWaiting(t, &wg, 1)
		for i := range n {
			require.False(t, returned.Load())
			cs.Do(func() {
				done[i] = true
				wg.Done()
			})
		}
		cs.Wait()
		require.Equal(t, n, seen)
	})
}

func TestManyWaiters(t *testing.T) {
	const n = 40
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var wg WaitGroup
		wg.Add(2)
		result := 0
		var right atomic.Int32
		for range n {
			cs.Go(func() {
				wg.Wait()
				if result == 7 {
					right.Add(1)
				}
			})
		}
		untilWaiting(t, &wg, n)
		cs.Do(wg.Done)
		require.Zero(t, right.Load())
		cs.Do(func() {
			result = 7
			wg.Done()
		})
		cs.Wait()
		require.EqualValues(t, n, right.Load())
		untilWaiting(t, &wg, 0)
	})
}

// TestReuse: when all Waits have returned, the next round may begin.
func TestReuse(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var wg WaitGroup
		for round := range 10 {
			sum := 0
			var part [4]int
			wg.Add(len(part))
			for i := range part {
				cs.Go(func() {
					part[i] = round
					wg.Done()
				})
			}
			cs.Do(func() {
				wg.Wait()
				for _, p := range part {
					sum += p
				}
			})
			require.Equal(t, len(part)*round, sum)
			require.Zero(t, wg.state.Load())
		}
	})
}

// TestNegativeCounterPanics as sync's does, and leaves the lock free.
func TestNegativeCounterPanics(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, deltas := range [][]int{{-1}, {1, -2}, {3, -1, -3}} {
			var native sync.WaitGroup
			var ours WaitGroup
			want := testsched.PanicOf(func() {
				for _, d := range deltas {
					native.Add(d)
				}
			})
			var got any
			cs.Do(func() {
				got = testsched.PanicOf(func() {
					for _, d := range deltas {
						ours.Add(d)
					}
				})
			})
			require.NotNil(t, want)
			require.Equal(t, want, got)
			require.True(t, ours.lock.TryLock())
		}
		var wg WaitGroup
		require.Equal(t, "sync: negative WaitGroup counter", testsched.PanicOf(wg.Done))
	})
}

// TestAddBesideWaitPanics puts the WaitGroup into the state between the last Done and the waking, in
// which an Add from zero can only be a misuse.
func TestAddBesideWaitPanics(t *testing.T) {
	var wg WaitGroup
	wg.state.Store(waiter)
	require.Equal(t, "sync: WaitGroup misuse: Add called concurrently with Wait", testsched.PanicOf(func() { wg.Add(1) }))
	require.Equal(t, "sync: WaitGroup misuse: Add called concurrently with Wait", testsched.PanicOf(wg.wakeAll))
	require.True(t, wg.lock.TryLock())
}

// TestReuseBeforeWaitReturnedPanics: on one P the waiter, readied by Done, cannot run before the task
// that calls Done has also called Add.
func TestReuseBeforeWaitReturnedPanics(t *testing.T) {
	if hb.On {
		t.Skip("a race, of which the detector is told as it is of native ones")
	}
	s := testsched.New(t, 1)
	var wg WaitGroup
	wg.Add(1)
	got := make(chan any, 1)
	s.Go(func() { got <- testsched.PanicOf(wg.Wait) })
	untilWaiting(t, &wg, 1)
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			wg.Done()
			wg.Add(1)
		}))
		require.Equal(t, "sync: WaitGroup is reused before previous Wait has returned", <-got)
		require.NoError(t, s.Close())
	})
}

// TestAllWaitsSeeReuse: whoever waits, and however. The Add comes in the very moment in which Done wakes, put there by hand.
func TestAllWaitsSeeReuse(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, wait := range []func(wg *WaitGroup) error{
		func(wg *WaitGroup) error { wg.Wait(); return nil },
		func(wg *WaitGroup) error { return wg.WaitContext(context.Background()) },
		func(wg *WaitGroup) error { return wg.WaitContext(ctx) },
	} {
		testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
			const n = 3
			var wg WaitGroup
			wg.Add(1)
			got := make(chan any, n)
			for range n {
				cs.Go(func() { got <- testsched.PanicOf(func() { _ = wait(&wg) }) })
			}
			untilWaiting(t, &wg, n)
			wg.lock.Lock()
			wg.state.Store(1 << 32)
			wg.round++
			woken, _ := wg.queue.ClaimAll()
			for w := woken.First(); w != nil; w = w.Next() {
				w.Given = true
			}
			wg.lock.Unlock()
			woken.ReadyAll()
			for range n {
				require.Equal(t, "sync: WaitGroup is reused before previous Wait has returned", <-got)
			}
		})
	}
}

// TestVetSeesCopies checks a package that copies a WaitGroup, and one that does not.
func TestVetSeesCopies(t *testing.T) {
	const good = `package p

import "github.com/userrt/userrt/waitgroup"

func wait(wg *waitgroup.WaitGroup) { wg.Wait() }
`
	vet := func(source string) (string, error) {
		file := filepath.Join(t.TempDir(), "p.go")
		require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
		out, err := exec.CommandContext(t.Context(), "go", "vet", "-copylocks", file).CombinedOutput()
		return string(out), err
	}
	out, err := vet(good)
	require.NoError(t, err, out)
	out, err = vet(good + "\nfunc byValue(wg waitgroup.WaitGroup) { wg.Wait() }\n")
	require.Error(t, err)
	require.Contains(t, out, "byValue passes lock by value")
}

// TestUncontendedAllocatesNothing, in a task and in a goroutine.
func TestUncontendedAllocatesNothing(t *testing.T) {
	if hb.On {
		t.Skip("telling the race detector of a call allocates")
	}
	s := testsched.New(t, 1)
	var wg WaitGroup
	measure := func() float64 {
		return testing.AllocsPerRun(500, func() {
			wg.Add(2)
			wg.Done()
			wg.Done()
			wg.Wait()
		})
	}
	require.Zero(t, measure())
	var inTask float64
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() { inTask = measure() }))
		require.NoError(t, s.Close())
	})
	require.Zero(t, inTask)
}

// TestRoundAllocatesNothing counts the allocations of rounds in which tasks are started and waited for.
func TestRoundAllocatesNothing(t *testing.T) {
	if hb.On {
		t.Skip("telling the race detector of a call allocates")
	}
	const rounds, fan = 400, 10
	s := testsched.New(t, 1)
	var wg WaitGroup
	fn := func() { sched.Yield() }
	var mallocs uint64
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			mallocs = testsched.LeastMallocs(func() {
				for range rounds {
					for range fan {
						wg.Go(fn)
					}
					wg.Wait()
				}
			})
		}))
		require.NoError(t, s.Close())
	})
	require.Less(t, mallocs, uint64(rounds/20))
}
