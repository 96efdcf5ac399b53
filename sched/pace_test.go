package sched

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOneSlowTimeIsNoReasonToWake: what a P has learned of futile wake-ups, and its pace, outlive one time in which the kernel ran something
// else, and not the second one in a row, when its tasks have become long.
func TestOneSlowTimeIsNoReasonToWake(t *testing.T) {
	p := (*newTest(t, Config{Procs: 1}).allp.Load())[0]
	const fast, slow = 150, 2 * futileNS
	measure := func(pace int64) [3]int64 {
		p.measurePace(pace*fairTicks, fairTicks)
		return [3]int64{p.pace(), int64(p.wakeBackoff), int64(p.wakeSkip)}
	}
	measure(fast)
	p.wakeBackoff, p.wakeSkip = 1000, 500
	require.Equal(t, [3]int64{fast, 1000, 500}, measure(slow))
	require.Equal(t, [3]int64{fast, 1000, 500}, measure(fast))
	require.Equal(t, [3]int64{fast, 1000, 500}, measure(slow))
	require.Equal(t, [3]int64{slow, 0, 0}, measure(slow))
	require.Equal(t, [3]int64{fast, 0, 0}, measure(fast), "a fast one is believed at once")

	p.lastPace, p.wakeBackoff, p.wakeSkip = unknownPace, 1000, 500
	require.Equal(t, [3]int64{slow, 1000, 500}, measure(slow), "the first one is believed, but forgets nothing")
	require.Equal(t, [3]int64{slow, 0, 0}, measure(slow))
}

// TestMayWake: it says no where nobody is idle, and where what is queued is not worth moving.
func TestMayWake(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	p := (*s.allp.Load())[0]
	may := func(pace int64) bool {
		p.setPace(pace)
		return p.mayWake()
	}
	require.True(t, may(1), "nothing queued: runnext is judged by wake itself")
	p.runq.put(newGs(1)[0])
	defer func() { p.runq.head.Store(p.runq.tail.Load()) }()
	require.False(t, may(moveWorthNS-1))
	require.True(t, may(moveWorthNS))
	s.npidle.Add(-2)
	defer s.npidle.Add(2)
	require.False(t, may(moveWorthNS), "nobody to wake")
}

// TestIdleTimeIsNotCountedAsWork: the pace of a P that was idle is measured from when it is taken up again. Measured over the idle
// time as well, each burst of short tasks would begin with the wake-ups that the last one has found futile.
func TestIdleTimeIsNotCountedAsWork(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	p := (*s.allp.Load())[0]
	before := s.nanotime()
	s.lock.Lock()
	p.paceAt, p.paceTick, p.lastPace = before-1e9, p.progress()-1, 150
	got := s.pidleget(s.nanotime())
	taken := p.paceAt
	s.idlep(got, s.nanotime())
	s.lock.Unlock()
	require.Same(t, p, got)
	require.GreaterOrEqual(t, taken, before)
	require.Equal(t, p.progress(), p.paceTick)
	require.Equal(t, int64(unknownPace), p.lastPace)
}

// TestPausesForgetFutileWakes: a P whose bursts are too short to be measured does not keep for ever what one has taught.
func TestPausesForgetFutileWakes(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	p := (*s.allp.Load())[0]
	pause := func() [2]int32 {
		s.lock.Lock()
		p.paceAt = s.nanotime() - forgetNS
		got := s.pidleget(s.nanotime())
		s.idlep(got, s.nanotime())
		s.lock.Unlock()
		return [2]int32{p.wakeBackoff, p.wakeSkip}
	}
	p.wakeBackoff, p.wakeSkip = maxWakeSkip, maxWakeSkip-1
	require.Equal(t, [2]int32{maxWakeSkip / 2, maxWakeSkip / 2}, pause())
	require.Equal(t, [2]int32{maxWakeSkip / 4, maxWakeSkip / 4}, pause())
	for range 14 {
		pause()
	}
	require.Equal(t, [2]int32{}, pause())
}
