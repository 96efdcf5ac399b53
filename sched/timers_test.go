package sched

import (
	"math"
	"math/rand/v2"
	"sort"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// bareTimers is a Scheduler with no more than a heap of timers.
func bareTimers() (*Scheduler, *timers) {
	s, p := &Scheduler{}, &P{}
	s.allp.Store(&[]*P{p})
	return s, &p.timers
}

// checkHeap checks the invariants of timers.
func (ts *timers) checkHeap(t *testing.T) {
	t.Helper()
	dead := 0
	for i, e := range ts.heap {
		require.Equal(t, i, e.t.at)
		require.GreaterOrEqual(t, e.when, ts.heap[max(i-1, 0)/4].when)
		require.Same(t, ts, e.t.in.Load())
		if e.t.when == 0 {
			dead++
		} else {
			require.LessOrEqual(t, e.when, e.t.when)
		}
	}
	require.Equal(t, dead, ts.dead)
	next := int64(0)
	if dead < len(ts.heap) {
		next = ts.heap[0].when
	}
	require.Equal(t, next, ts.next.Load())
}

// TestTimerHeapAgainstModel sets, changes and stops timers at random and takes out what is earliest, beside a
// plain map.
func TestTimerHeapAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s, ts := bareTimers()
	model := map[*timer]int64{}
	all := make([]timer, 300)
	for step := range 10_000 {
		tm := &all[r.IntN(len(all))]
		_, pending := model[tm]
		switch r.IntN(4) {
		case 0, 1:
			when := 1 + r.Int64N(1000)
			next := ts.next.Load()
			seq, was, sooner := tm.set(s, when, 0)
			require.Equal(t, pending, was)
			require.Equal(t, next == 0 || when < next, sooner)
			require.Equal(t, tm.seq, seq)
			model[tm] = when
		case 2:
			require.Equal(t, pending, tm.stop(s))
			delete(model, tm)
		default:
			if len(model) == 0 {
				continue
			}
			least := int64(math.MaxInt64)
			for _, when := range model {
				least = min(least, when)
			}
			require.LessOrEqual(t, ts.next.Load(), least)
			require.Nil(t, ts.top(least-1))
			require.Equal(t, least, ts.next.Load())
			first := ts.top(least)
			require.Equal(t, least, model[first])
			if step%3 == 0 {
				first.drop()
				require.Nil(t, first.in.Load())
			} else {
				require.True(t, first.stop(s))
			}
			delete(model, first)
		}
		if step%1000 == 0 {
			ts.clean()
			require.Len(t, ts.heap, len(model))
		}
		if step%10 == 0 {
			require.Len(t, model, len(ts.heap)-ts.dead)
			ts.checkHeap(t)
		}
	}
}

// TestTimerStaysInItsHeap: one that is set again elsewhere does not move.
func TestTimerStaysInItsHeap(t *testing.T) {
	sa, a := bareTimers()
	sb, b := bareTimers()
	var tm timer
	tm.set(sa, 5, 0)
	_, was, _ := tm.set(sb, 3, 0)
	require.True(t, was)
	require.Len(t, a.heap, 1)
	require.Empty(t, b.heap)
	require.EqualValues(t, 3, a.next.Load())
	require.True(t, tm.stop(sa))
	require.False(t, tm.stop(sa))
	require.Zero(t, a.next.Load())
}

func TestTimerHeapGivesMemoryBack(t *testing.T) {
	s, ts := bareTimers()
	all := make([]timer, 100_000)
	for i := range all {
		all[i].set(s, int64(len(all)-i), 0)
	}
	order := make([]int, 0, len(all))
	for len(ts.heap) > 10 {
		order = append(order, int(ts.heap[0].when))
		ts.heap[0].t.drop()
	}
	require.True(t, sort.IntsAreSorted(order))
	require.LessOrEqual(t, cap(ts.heap), 1024)
}

// TestStoppedTimersAreForgotten: not at once, but nothing keeps a crowd of them until their time has come.
func TestStoppedTimersAreForgotten(t *testing.T) {
	s, ts := bareTimers()
	all := make([]timer, 100_000)
	for i := range all {
		all[i].set(s, int64(1+i), 0)
	}
	for i := range all {
		require.True(t, all[i].stop(s))
		ts.checkTop(t)
	}
	require.Zero(t, ts.next.Load())
	require.Less(t, len(ts.heap), 2*deadMax)
	require.Less(t, cap(ts.heap), 20*deadMax)

	forProcs(t, func(t *testing.T, s *Scheduler) {
		run(t, s, func() {
			for range 20 * deadMin {
				AfterFunc(time.Hour, func() {}).Stop()
			}
		})
		require.Zero(t, s.nextTimer())
		until(t, "the worker has cleaned up", func() bool {
			entries, _ := s.timerEntries()
			return entries <= deadMin
		}, s)
	})
}

// timerEntries returns how many entries there are in all heaps, and for how many there is room.
func (s *Scheduler) timerEntries() (entries, room int) {
	for _, p := range *s.allp.Load() {
		p.timers.lock.Lock()
		entries += len(p.timers.heap)
		room += cap(p.timers.heap)
		p.timers.lock.Unlock()
	}
	return entries, room
}

// TestATaskThatOnlySetsAndStopsTimersKeepsFew: although its worker never comes by. Timers that it sets again stay where they are.
func TestATaskThatOnlySetsAndStopsTimersKeepsFew(t *testing.T) {
	s, err := New(Config{Procs: 1, Tunables: Tunables{TimeSlice: time.Hour}})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	enough := 50 * deadMax
	if raceEnabled { // where each takes 50 µs
		enough = 5 * deadMax
	}
	run(t, s, func() {
		for range enough {
			s.AfterFunc(time.Hour, func() {}).Stop()
		}
		_, room := s.timerEntries()
		require.LessOrEqual(t, room, 2*deadMin)
		require.Zero(t, s.nextTimer())

		own := make([]*Timer, 2*deadMax)
		for i := range own {
			own[i] = s.AfterFunc(time.Hour, func() {})
		}
		for range 3 {
			stopped, set := 0, 0
			for _, tm := range own {
				if tm.Stop() {
					stopped++
				}
			}
			require.Equal(t, len(own), stopped)
			entries, _ := s.timerEntries()
			require.GreaterOrEqual(t, entries, len(own))
			require.Zero(t, s.nextTimer())
			for _, tm := range own {
				if !tm.Reset(2 * time.Hour) {
					set++
				}
			}
			require.Equal(t, len(own), set)
			require.NotZero(t, s.nextTimer())
		}
		for _, tm := range own {
			tm.Stop()
		}
	})
	until(t, "the worker has cleaned up", func() bool {
		entries, _ := s.timerEntries()
		return entries <= deadMin
	}, s)
}

// checkTop checks what is cheap to check.
func (ts *timers) checkTop(t *testing.T) {
	if len(ts.heap) > ts.dead {
		require.Equal(t, ts.heap[0].when, ts.next.Load())
	} else {
		require.Zero(t, ts.next.Load())
	}
}

// TestResetToLaterFiresOnce: an entry that is stale at the top makes somebody look, and the timer fires at its time.
func TestResetToLaterFiresOnce(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var fired atomic.Int32
		start := time.Now()
		tm := s.AfterFunc(2*time.Millisecond, func() { fired.Add(1) })
		if !tm.Reset(40*time.Millisecond) && fired.Load() == 0 {
			return // this machine took a nap of 2 ms
		}
		until(t, "it fires", func() bool { return fired.Load() > 0 }, s)
		if time.Since(start) < 40*time.Millisecond {
			t.Error("early")
		}
		require.EqualValues(t, 1, fired.Load())
		require.False(t, tm.Stop())
	})
}

func TestSatAdd(t *testing.T) {
	require.EqualValues(t, 3, satAdd(1, 2))
	require.Equal(t, int64(math.MaxInt64), satAdd(1, math.MaxInt64))
	require.Equal(t, int64(math.MaxInt64), satAdd(math.MaxInt64, 0))
}
