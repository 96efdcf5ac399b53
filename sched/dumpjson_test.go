package sched

import (
	"bytes"
	"encoding/json"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
)

// One P and scripted spawns: the newest task is in runnext, the one before it at the end of the ring; the
// 258th finds the ring full, and half of it goes to the global queue, with the task that did not fit.
func TestDumpJSONShowsQueues(t *testing.T) {
	ids := func(from, to uint64) []uint64 {
		list := []uint64{}
		for id := from; id <= to; id++ {
			list = append(list, id)
		}
		return list
	}
	for _, c := range []struct {
		spawned      int
		runnext      uint64
		ring, global []uint64
	}{
		{0, 0, ids(1, 0), ids(1, 0)},
		{1, 2, ids(1, 0), ids(1, 0)},
		{3, 4, ids(2, 3), ids(1, 0)},
		{runqSize + 1, runqSize + 2, ids(2, runqSize+1), ids(1, 0)},
		{runqSize + 2, runqSize + 3, ids(2+runqSize/2, runqSize+1), append(ids(2, 1+runqSize/2), runqSize+2)},
	} {
		for disturbed := true; disturbed; { // it may take so long that another P stands in for this one
			s := newTest(t, Config{Procs: 1, Tunables: unhelped})
			var d *DumpInfo
			run(t, s, func() {
				for range c.spawned {
					Go(func() {})
				}
				d = dumpInfo(t, s)
			})
			if st := s.Stats(); st.Preemptions+st.Reliefs > 0 {
				continue
			}
			disturbed = false
			require.Equal(t, "running", d.Ps[0].State)
			require.Equal(t, c.runnext, d.Ps[0].Runnext)
			require.Equal(t, c.ring, d.Ps[0].Runq)
			require.Equal(t, c.global, d.GlobalQueue)
			require.Equal(t, len(c.global), d.GlobalQueueLen)
			require.Equal(t, c.spawned+1, d.Live)
			require.Len(t, d.Tasks, c.spawned+1)
		}
	}
}

// A list so long that it is not walked to its end under the lock.
func TestDumpJSONOfLongGlobalQueue(t *testing.T) {
	const n = dumpQueueMax + 10
	var q globQueue
	gs := make([]G, n)
	for i := range gs {
		gs[i].id = uint64(i) + 1
		q.pushBack(&gs[i])
	}
	lone := &Scheduler{globq: q}
	var none []*P
	lone.allp.Store(&none)
	g := gather{s: lone, info: newDumpInfo(lone)}
	g.queues(dumpQueueMax)
	require.Len(t, g.info.GlobalQueue, dumpQueueMax)
	require.Equal(t, n, g.info.GlobalQueueLen)
	require.EqualValues(t, 1, g.info.GlobalQueue[0])
}

type testLock struct{ owner atomic.Uint64 }

var (
	locks  [2]testLock
	reason = NewWaitReason("test lock", describeTestLock)
)

func describeTestLock(on unsafe.Pointer) (string, uint64) {
	l := (*testLock)(on)
	for i := range locks {
		if l == &locks[i] {
			return [...]string{"lock A", "lock B"}[i], l.owner.Load()
		}
	}
	panic("not a lock of the test's")
}

func TestDumpJSONShowsWhoWaitsForWhom(t *testing.T) {
	defer DescribeWaits(describeTestLock, reason)
	require.Equal(t, "test lock", reason.String())
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	var wants, parent atomic.Uint64
	s.Go(func() {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}
		parent.Store(label("left"))
		locks[0].owner.Store(self().g.id)
		Go(func() {
			if hb.On {
				hb.Enter()
				defer hb.Leave()
			}
			wants.Store(label("right"))
			self().g.parent = parent.Load()
			locks[1].owner.Store(self().g.id)
			Park(reason, nil, unsafe.Pointer(&locks[0]))
		})
		Yield()
		Park(reason, nil, unsafe.Pointer(&locks[1]))
	})
	until(t, "parked", func() bool { return waiting(s) == 2 }, s)
	d := dumpInfo(t, s)
	left, right := d.task(parent.Load()), d.task(wants.Load())
	require.Equal(t, "test lock", left.WaitReason)
	require.Equal(t, "lock B", left.WaitsFor.What)
	require.Equal(t, right.ID, left.WaitsFor.Owner)
	require.Equal(t, "lock A", right.WaitsFor.What)
	require.Equal(t, left.ID, right.WaitsFor.Owner)
	require.Regexp(t, `^0x[0-9a-f]+$`, right.WaitsFor.Addr)
	require.Equal(t, left.ID, right.Parent)
	require.Equal(t, "right", right.Name)
	require.Regexp(t, `TestDumpJSONShowsWhoWaitsForWhom`, right.CreatedBy.Func)
	require.Regexp(t, `dumpjson_test\.go$`, right.CreatedBy.File)
	require.Contains(t, dumpText(t, s), "[test lock]:\n\twaits for lock A, held by task ")

	s.Go(func() { Park(reason, nil, unsafe.Pointer(&testLock{})) })
	until(t, "parked", func() bool { return waiting(s) == 3 }, s)
	require.Contains(t, dumpText(t, s), "\twaits for describer panicked: not a lock of the test's\n")
	DescribeWaits(nil, reason)
	require.Regexp(t, `\[test lock\]:\n\twaits for 0x[0-9a-f]+\n`, dumpText(t, s))
}

func TestTooManyWaitReasons(t *testing.T) {
	reasons.mu.Lock()
	n := reasons.n
	reasons.n = maxReasons
	reasons.mu.Unlock()
	require.PanicsWithValue(t, "sched: too many wait reasons", func() { NewWaitReason("one more", nil) })
	reasons.mu.Lock()
	reasons.n = n
	reasons.mu.Unlock()
}

// What a task has waited for is not kept alive by its stack afterwards.
func TestWaitRetainsNothing(t *testing.T) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	run(t, s, func() {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}
		g := new(door)
		Go(g.signal)
		g.wait()
		require.Nil(t, self().wait.on)
		Park(WaitReasonZero, func(*G, unsafe.Pointer) bool { return false }, unsafe.Pointer(g))
		require.Nil(t, self().wait.on)
	})
	var g door
	gp := Self()
	go func() { until(t, "waiting", func() bool { return gp.state.Load() == gWaiting }); g.signal() }()
	g.wait()
	require.Nil(t, gp.native.wait.on)
}

func TestDumpJSONKeys(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	s.Go(parkForever)
	until(t, "parked", func() bool { return waiting(s) == 1 }, s)
	var b bytes.Buffer
	require.NoError(t, s.DumpJSON(&b))
	var m map[string]any
	require.NoError(t, json.Unmarshal(b.Bytes(), &m))
	require.EqualValues(t, 1, m["procs"])
	require.Equal(t, []any{}, m["global_queue"])
	task := m["tasks"].([]any)[0].(map[string]any)
	require.Equal(t, "waiting", task["state"])
	require.Contains(t, task, "stack")
	require.NotContains(t, task, "waits_for")
	require.ErrorIs(t, s.DumpJSON(failing{}), errFailing)
	require.ErrorIs(t, s.Dump(failing{}), errFailing)
	require.ErrorIs(t, DumpAll(failing{}), errFailing)
	require.ErrorIs(t, s.SchedTrace(failing{}), errFailing)
}
