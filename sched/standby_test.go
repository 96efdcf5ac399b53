package sched

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
)

// Who is woken for the network, and who is not because the one at work will be back first.

// TestSearchesNext: a worker whose only task parks will look into the network itself; one that has another task to run won't, and a plain goroutine is none.
func TestSearchesNext(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	var alone, beside, outside bool
	look := func(into *bool) {
		Self().Park(WaitReasonIOWait, func(_ *G, arg unsafe.Pointer) bool {
			hb.Enter() // as NeedPoll
			next := s.searchesNext()
			hb.Leave()
			*(*bool)(arg) = next
			return false
		}, unsafe.Pointer(into))
	}
	run(t, s, func() {
		look(&alone)
		s.Go(func() {})
		look(&beside)
	})
	hb.Enter()
	outside = s.searchesNext()
	hb.Leave()
	require.True(t, alone)
	require.False(t, beside)
	require.False(t, outside)
}

// TestRanPolled: after one long task from the network another worker is to stand by for a while, after many short ones none.
func TestRanPolled(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	hb.Enter()
	defer hb.Leave()
	m := &M{s: s}
	m.tookAt = s.nanotime() - 8*standByNS
	m.ranPolled()
	require.GreaterOrEqual(t, m.polledRun, int64(8*standByNS))
	require.Zero(t, m.tookAt)
	before := m.polledRun
	m.ranPolled() // has taken nothing since
	require.Equal(t, before, m.polledRun)
	m.tookAt = s.nanotime()
	m.ranPolled()
	require.GreaterOrEqual(t, m.polledRun, before-before/8)
	until(t, "forgotten", func() bool {
		m.tookAt = s.nanotime()
		m.ranPolled()
		return m.polledRun < standByNS
	})
}
