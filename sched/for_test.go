package sched

import (
	"math"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestForOfNothing(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	none := func() {
		for _, n := range []int{0, -1, math.MinInt} {
			For(n, 1, func(int, int) { panic("called") })
		}
	}
	none()
	run(t, s, none)
}

// TestForCoversTheRange: each index once, in pieces of at least grain.
func TestForCoversTheRange(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		for _, n := range []int{1, 2, 3, 10, 1000} {
			for _, grain := range []int{-1, 0, 1, 2, 3, 7, 499, 500, 501, 1000, 5000, math.MaxInt} {
				seen := make([]atomic.Int32, n)
				loop := func() {
					For(n, grain, func(lo, hi int) {
						if hi-lo < min(n, max(grain, 1)) {
							panic("a piece is too small")
						}
						for i := lo; i < hi; i++ {
							seen[i].Add(1)
							if i%64 == 0 {
								Yield()
							}
						}
					})
				}
				require.NoError(t, s.Run(loop))
				loop()
				for i := range seen {
					require.EqualValues(t, 2, seen[i].Load(), "n %d, grain %d, index %d", n, grain, i)
				}
			}
		}
	})
}

func TestForOfHugeRanges(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	run(t, s, func() {
		for _, grain := range []int{0, math.MaxInt / 1000, math.MaxInt/2 + 1, math.MaxInt} {
			var sum, calls atomic.Int64
			For(math.MaxInt, grain, func(lo, hi int) {
				sum.Add(int64(hi - lo))
				calls.Add(1)
			})
			require.EqualValues(t, math.MaxInt, sum.Load())
			require.LessOrEqual(t, calls.Load(), int64(1001))
		}
	})
}

// TestForNotStolen has one P only: the pieces come in order.
func TestForNotStolen(t *testing.T) {
	needsForks(t)
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	run(t, s, func() {
		var los, his []int
		For(10, 3, func(lo, hi int) { los, his = append(los, lo), append(his, hi) })
		require.Equal(t, []int{0, 3, 6}, los)
		require.Equal(t, []int{3, 6, 10}, his)
	})
}

// TestForIsSharedByAll has pieces that wait until every worker is in one.
func TestForIsSharedByAll(t *testing.T) {
	s := newTest(t, Config{Procs: 4})
	for range 10 {
		run(t, s, func() {
			var in atomic.Int32
			For(1000, 1, func(lo, hi int) {
				in.Add(1)
				for in.Load() < 4 { // no call: it keeps its P
				}
			})
			require.EqualValues(t, 1000, in.Load())
		})
	}
}

// TestForRunsTheOthersWhileOneWaits: a piece may wait for a later one.
func TestForRunsTheOthersWhileOneWaits(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		for range 50 {
			require.NoError(t, s.Run(func() {
				var doors [4]door
				For(4, 1, func(lo, hi int) {
					if lo < 3 {
						doors[lo+1].wait()
					}
					doors[lo].signal()
				})
			}))
		}
	})
}

// TestForManyPanics: every piece panics, and no stack grows with their number.
func TestForManyPanics(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const n = 300
		var ran atomic.Int32
		require.NoError(t, s.Run(func() {
			defer func() {
				pe, ok := recover().(*PanicError)
				require.True(t, ok)
				require.IsType(t, 0, pe.Value)
			}()
			For(n, 1, func(lo, hi int) {
				ran.Add(1)
				panic(lo)
			})
		}))
		require.EqualValues(t, n, ran.Load())
	})
}

// TestForNested loops within loops within forks.
func TestForNested(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		for range 3 {
			var sum atomic.Int64
			require.NoError(t, s.Run(func() {
				Both(func(k int) bool {
					For(20, 1, func(lo, hi int) {
						for i := lo; i < hi; i++ {
							For(20, 2, func(lo, hi int) {
								sum.Add(int64(hi - lo))
								if lo == 10 {
									Yield()
								}
							})
							Join(Yield, func() { sum.Add(1) })
						}
					})
					return true
				}, 0, 1)
			}))
			require.EqualValues(t, 2*20*21, sum.Load())
		}
	})
}
