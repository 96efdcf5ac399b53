package sched

import (
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Conformance with the Go scheduler: preemption, and fairness beside the collector and system calls. A library can't
// interrupt a task anywhere; what the runtime tests with loops is tested here with tasks that look whether they shall give
// way, as the calls of all packages do, and with bare loops, beside which another worker stands in.

// shortSlice has a time slice of which a test sees many.
var shortSlice = Config{Tunables: Tunables{TimeSlice: time.Millisecond}}

// look is what the fast paths of primitives do at their end.
func look() {
	if Preempting() {
		GiveWay()
	}
}

// crowded tells that busy tasks of s leave the collector no native P of its own: each collection then takes several native
// time slices for each of them, too long for a test that is about something else.
func crowded(s *Scheduler) bool { return runtime.GOMAXPROCS(0) < s.SetProcs(0) }

// TestConformancePreemption: two tasks that wait for each other without parking or yielding are made to give way at their
// calls. Nobody stands in. runtime/proc_test.go, TestPreemption.
func TestConformancePreemption(t *testing.T) {
	cfg := shortSlice
	cfg.Tunables.NoRelief = true
	forProcsOf(t, cfg, func(t *testing.T, s *Scheduler) {
		var turn atomic.Uint32
		var both sync.WaitGroup
		for me := range uint32(2) {
			both.Add(1)
			s.Go(func() {
				defer both.Done()
				for range 3 {
					for turn.Load() != me {
						look()
					}
					turn.Store(1 - me)
				}
			})
		}
		both.Wait()
	})
}

// TestConformancePreemptionGC: the collector stops tasks that are busy in and out of calls, more of them than Ps.
// runtime/proc_test.go, TestPreemptionGC.
func TestConformancePreemptionGC(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		if crowded(s) {
			return
		}
		n := s.SetProcs(0) + 1
		var stop atomic.Bool
		var all sync.WaitGroup
		for range n {
			all.Add(1)
			s.Go(func() {
				defer all.Done()
				for !stop.Load() {
					look()
					deep(3)
				}
			})
		}
		for range 2 {
			runtime.GC()
		}
		stop.Store(true)
		all.Wait()
	})
}

// TestConformanceAsyncPreempt: three kinds of loop that make no call that would look, on one P; all three run
// nevertheless, and the collector can stop them. runtime/proc_test.go, TestAsyncPreempt.
func TestConformanceAsyncPreempt(t *testing.T) {
	forProcsOf(t, shortSlice, func(t *testing.T, s *Scheduler) {
		if s.SetProcs(0) > 1 || runtime.GOMAXPROCS(0) == 1 {
			return // the more there are the slower; TestStuckTaskIsRelieved has the rest
		}
		var stop atomic.Bool
		var started atomic.Int32
		var all sync.WaitGroup
		for _, loop := range []func(){
			func() {
				for !stop.Load() {
					nothing()
					nothing()
				}
			},
			func() { spinFrameless(&stop) },
			func() {
				for !stop.Load() {
				}
			},
		} {
			all.Add(1)
			s.Go(func() {
				defer all.Done()
				started.Add(1)
				loop()
			})
		}
		for started.Load() < 3 {
			runtime.Gosched()
		}
		runtime.GC()
		stop.Store(true)
		all.Wait()
	})
}

//go:noinline
func nothing() {}

//go:noinline
func spinFrameless(stop *atomic.Bool) {
	x := int64(1)
	for i := int64(0); !stop.Load(); i++ {
		x += i * i * 12345
	}
	spun.Store(x)
}

// TestConformancePreemptSplitBig has a task with large frames, whose stack is moved as it grows, give way while the collector
// runs. runtime/proc_test.go, TestPreemptSplitBig.
func TestConformancePreemptSplitBig(t *testing.T) {
	forProcsOf(t, shortSlice, func(t *testing.T, s *Scheduler) {
		if crowded(s) {
			return
		}
		var stop atomic.Bool
		var all sync.WaitGroup
		for range 2 {
			all.Add(1)
			s.Go(func() {
				defer all.Done()
				for !stop.Load() {
					spinFor(1000)
					bigFrame(1)
				}
			})
		}
		for range 2 {
			runtime.GC()
		}
		stop.Store(true)
		all.Wait()
	})
}

//go:noinline
func bigFrame(n byte) int {
	var x [8192]byte
	for i := range x {
		x[i] = n
	}
	look() // from below a big frame
	sum := 0
	for _, b := range x {
		sum += int(b)
	}
	if sum != len(x)*int(n) {
		panic("the stack has changed")
	}
	return sum
}

// TestConformancePreemptionAfterSyscall: tasks that come back from one short blocking call only to make the next do not keep
// those out that have not begun. runtime/proc_test.go, TestPreemptionAfterSyscall.
func TestConformancePreemptionAfterSyscall(t *testing.T) {
	for _, work := range []int{100, 10_000, 300_000} {
		forProcs(t, func(t *testing.T, s *Scheduler) {
			const tasks = 8
			var stop atomic.Bool
			var started, ended sync.WaitGroup
			started.Add(tasks)
			ended.Add(tasks)
			for range tasks {
				s.Go(func() {
					started.Done()
					for !stop.Load() {
						Block(func() { spinFor(work) })
					}
					ended.Done()
				})
			}
			started.Wait()
			stop.Store(true)
			ended.Wait()
		})
	}
}

// TestConformanceGCFairness: one who sleeps wakes up beside two that do nothing but make system calls, and native ones at that.
// runtime/proc_test.go, TestGCFairness.
func TestConformanceGCFairness(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer null.Close()
	for _, call := range []func(func()){Block, func(f func()) { f() }} {
		forProcsOf(t, shortSlice, func(t *testing.T, s *Scheduler) {
			var stop atomic.Bool
			var all sync.WaitGroup
			for range 2 {
				all.Add(1)
				s.Go(func() {
					defer all.Done()
					for !stop.Load() {
						call(func() { _, _ = null.Write([]byte(".")) })
					}
				})
			}
			require.NoError(t, s.Run(func() {
				Sleep(100 * time.Microsecond)
				stop.Store(true)
			}))
			all.Wait()
		})
	}
}

// TestConformanceGCFairness2: tasks that allocate without end, with the collector always at work, all make progress: those that
// look and those that make no call. runtime/proc_test.go, TestGCFairness2.
func TestConformanceGCFairness2(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	forProcsOf(t, shortSlice, func(t *testing.T, s *Scheduler) {
		if s.SetProcs(0) > 2 {
			return // a P for each
		}
		var made [3]atomic.Int64
		var sinks [3]any
		var stop atomic.Bool
		var all sync.WaitGroup
		for i := range made {
			all.Add(1)
			s.Go(func() {
				defer all.Done()
				for !stop.Load() {
					sinks[i] = make([]byte, 1024)
					made[i].Add(1)
					if i != 0 {
						look()
					}
				}
			})
		}
		for i := range made {
			for before := made[i].Load(); made[i].Load() == before; {
				runtime.Gosched()
			}
		}
		stop.Store(true)
		all.Wait()
	})
}

// TestConformancePingPongHog has two pairs that hand a token to and fro on one P, the ones with much work for each turn, the others
// with little. The runtime lets a pair share a time slice, and its test compares the time that each got. Here a
// pair is interrupted after some dozens of switches (outOfTurn), so it is turns that have to be alike.
// runtime/proc_test.go, TestPingPongHog.
func TestConformancePingPongHog(t *testing.T) {
	const turns, factor = 3000, 20
	s := newTest(t, Config{Procs: 1})
	var stop atomic.Bool
	var count [2]atomic.Int64
	run(t, s, func() {
		var all sync.WaitGroup
		for pair, work := range []int{3000, 3} {
			var there, back door
			all.Add(2)
			play := func(mine, other *door) func() {
				return func() {
					defer all.Done()
					for !stop.Load() {
						mine.wait()
						spinFor(work)
						if count[pair].Add(1) >= turns {
							stop.Store(true)
						}
						other.signal()
					}
					other.signal() // the partner may wait for its last turn
				}
			}
			Go(play(&there, &back))
			Go(play(&back, &there))
			there.signal()
		}
		Block(all.Wait)
	})
	hog, light := count[0].Load(), count[1].Load()
	require.Less(t, max(hog, light), factor*min(hog, light), "hog %d, light %d turns", hog, light)
}

// TestConformancePingPongBesideHog: a pair gets on beside a task that never waits. The idea of runtime/proc_test.go, BenchmarkPingPongHog.
func TestConformancePingPongBesideHog(t *testing.T) {
	forProcsOf(t, shortSlice, func(t *testing.T, s *Scheduler) {
		const turns = 300
		var stop atomic.Bool
		var all sync.WaitGroup
		all.Add(3)
		s.Go(func() {
			defer all.Done()
			for !stop.Load() {
				look()
			}
		})
		var there, back door
		s.Go(func() {
			defer all.Done()
			for range turns {
				there.wait()
				back.signal()
			}
		})
		s.Go(func() {
			defer all.Done()
			for range turns {
				there.signal()
				back.wait()
			}
			stop.Store(true)
		})
		all.Wait()
	})
}
