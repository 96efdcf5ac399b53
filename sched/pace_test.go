package sched

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOneSlowTimeIsNoReasonToWake: what a P has learned of futile wake-ups outlives one time in which the kernel ran something else, and
// not the second one in a row, when its tasks have become long.
func TestOneSlowTimeIsNoReasonToWake(t *testing.T) {
	p := (*newTest(t, Config{Procs: 1}).allp.Load())[0]
	const fast, slow = fairTicks * 150, fairTicks * 2 * futileNS
	p.measurePace(fast, fairTicks)
	p.wakeBackoff, p.wakeSkip = 1000, 500

	p.measurePace(slow, fairTicks)
	p.measurePace(fast, fairTicks)
	p.measurePace(slow, fairTicks)
	require.Equal(t, [2]int32{1000, 500}, [2]int32{p.wakeBackoff, p.wakeSkip})
	p.measurePace(slow, fairTicks)
	require.Equal(t, [2]int32{}, [2]int32{p.wakeBackoff, p.wakeSkip})
}

// TestIdleTimeIsNotCountedAsWork: the pace of a P that was idle is measured from when it is taken up again. Measured over the idle
// time as well, each burst of short tasks would begin with the wake-ups that the last one has found futile.
func TestIdleTimeIsNotCountedAsWork(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	p := (*s.allp.Load())[0]
	before := s.nanotime()
	s.lock.Lock()
	p.fairAt, p.fairTick = before-1e9, p.progress()-1
	require.Same(t, p, s.pidleget())
	s.idlep(p)
	s.lock.Unlock()
	require.GreaterOrEqual(t, p.fairAt, before)
	require.Equal(t, p.progress(), p.fairTick)
}
