package sched

import (
	"math"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkHeap checks the invariants of timers.
func (ts *timers) checkHeap(t *testing.T) {
	t.Helper()
	next := int64(0)
	for i, e := range ts.heap {
		require.Equal(t, i, e.t.at)
		require.GreaterOrEqual(t, e.when, ts.heap[max(i-1, 0)/4].when)
		require.Same(t, ts, e.t.in.Load())
		next = ts.heap[0].when
	}
	require.Equal(t, next, ts.next.Load())
}

// TestTimerHeapAgainstModel sets, changes and stops timers at random and takes out what is earliest, beside a
// plain map.
func TestTimerHeapAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var ts, other timers
	model := map[*timer]int64{}
	all := make([]timer, 300)
	for step := range 10_000 {
		tm := &all[r.IntN(len(all))]
		_, pending := model[tm]
		switch r.IntN(4) {
		case 0, 1:
			when := 1 + r.Int64N(1000)
			seq, was := tm.set(&ts, when, 0)
			require.Equal(t, pending, was)
			require.Equal(t, tm.seq, seq)
			model[tm] = when
		case 2:
			require.Equal(t, pending, tm.stop())
			delete(model, tm)
		default:
			if len(model) == 0 {
				continue
			}
			least := int64(math.MaxInt64)
			for _, when := range model {
				least = min(least, when)
			}
			first := ts.heap[0].t
			require.Equal(t, least, model[first])
			require.Equal(t, least, ts.next.Load())
			require.True(t, first.stop())
			delete(model, first)
		}
		if step%10 == 0 {
			require.Len(t, ts.heap, len(model))
			ts.checkHeap(t)
		}
	}
	require.Empty(t, other.heap)
}

// TestTimerStaysInItsHeap: one that is set again elsewhere does not move.
func TestTimerStaysInItsHeap(t *testing.T) {
	var a, b timers
	var tm timer
	tm.set(&a, 5, 0)
	_, was := tm.set(&b, 3, 0)
	require.True(t, was)
	require.Len(t, a.heap, 1)
	require.Empty(t, b.heap)
	require.EqualValues(t, 3, a.next.Load())
	require.True(t, tm.stop())
	require.False(t, tm.stop())
	require.Zero(t, a.next.Load())
}

func TestTimerHeapGivesMemoryBack(t *testing.T) {
	var ts timers
	all := make([]timer, 100_000)
	for i := range all {
		all[i].set(&ts, int64(len(all)-i), 0)
	}
	order := make([]int, 0, len(all))
	for len(ts.heap) > 10 {
		order = append(order, int(ts.heap[0].when))
		ts.heap[0].t.stop()
	}
	require.True(t, sort.IntsAreSorted(order))
	require.LessOrEqual(t, cap(ts.heap), 1024)
}

func TestSatAdd(t *testing.T) {
	require.EqualValues(t, 3, satAdd(1, 2))
	require.Equal(t, int64(math.MaxInt64), satAdd(1, math.MaxInt64))
	require.Equal(t, int64(math.MaxInt64), satAdd(math.MaxInt64, 0))
}
