package sched

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
)

// TestHolder: whoever was noted is known to dumps of his Scheduler while holders are noted, and no longer.
func TestHolder(t *testing.T) {
	s, other := newTest(t, Config{Procs: 1}), newTest(t, Config{Procs: 1})
	var h Holder
	run(t, s, func() {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}
		id, _ := ID()
		h.Set(Self())
		require.Zero(t, h.Owner())
		stop := NoteHolders()
		defer stop()
		require.Zero(t, h.Owner(), "noted in another time")
		require.True(t, NotingHolders())
		h.Set(Self())
		require.Equal(t, id, s.ownerIn(h.Owner()))
		require.Zero(t, other.ownerIn(h.Owner()))
		h.ClearIf(&G{s: s, id: id + 1})
		require.NotZero(t, h.Owner())
		h.ClearIf(Self())
		require.Zero(t, h.Owner())
		h.Set(Self())
		NoteHolders()() // in between
		require.NotZero(t, h.Owner())
		h.Clear()
		require.Zero(t, h.Owner())
		h.Set(Self())
		stop()
		stop()
		require.Zero(t, h.Owner())
	})
	require.EqualValues(t, 7, s.ownerIn(7), "a plain id is one of the same Scheduler")
	h.Set(Self())
	require.Zero(t, h.Owner(), "a goroutine is nobody")
	detecting, err := New(Config{DetectDeadlock: true})
	require.NoError(t, err)
	require.True(t, NotingHolders())
	require.NoError(t, detecting.Close())
	require.False(t, NotingHolders())
}

// TestCircles: each is found once, and none with a task that goes on.
func TestCircles(t *testing.T) {
	edges := map[uint64]uint64{1: 2, 2: 3, 3: 1, 4: 1, 5: 5, 6: 7, 7: 8, 9: 10, 10: 9, 11: 12, 12: 11}
	stuck := map[uint64]bool{}
	var tasks []DumpTask
	for id := range uint64(14) {
		task := DumpTask{ID: id}
		if to := edges[id]; to != 0 {
			task.WaitsFor = &DumpWait{Owner: to}
		}
		stuck[id] = id != 12
		tasks = append(tasks, task)
	}
	require.Equal(t, [][]uint64{{1, 2, 3}, {5}, {9, 10}}, circles(tasks, stuck))
	require.Equal(t, "task 9 waits for task 10, which waits for task 9", circleText([]uint64{9, 10}))
	require.Equal(t, "task 5 waits for task 5", circleText([]uint64{5}))
}
