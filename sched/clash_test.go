package sched

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
)

// TestCountClashes: clashes that come in quick succession make a P keep its tasks, for longer each time, and a long time without makes it begin anew.
func TestCountClashes(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	p := (*s.allp.Load())[0]
	c := &p.clashes
	now := s.nanotime()
	step := func(ns int64) (keeps int64) {
		now += ns
		before := c.till.Load()
		p.countClashes(now)
		if c.till.Load() == before {
			return 0
		}
		return c.till.Load() - now
	}
	const quick, slow = clashBatch * clashNS, clashBatch*clashNS + 1
	require.EqualValues(t, 0, step(slow))
	require.EqualValues(t, minKeepNS, step(quick))
	for range 100 { // about as long as it lasts
		require.EqualValues(t, minKeepNS, step(quick/10))
	}
	for want := int64(2 * minKeepNS); want < 4*maxKeepNS; want *= 2 {
		require.EqualValues(t, 0, step(maxKeepNS+minKeepNS), "no hurry")
		require.EqualValues(t, min(want, maxKeepNS), step(quick))
	}
	step(4 * maxKeepNS)
	require.EqualValues(t, minKeepNS, step(quick))
}

// TestMostTasksClash: where nearly each task that is taken up clashes, a new one is taken for such as well.
func TestMostTasksClash(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	p := (*s.allp.Load())[0]
	for _, c := range []struct {
		taken, clashed uint32
		most           bool
	}{{clashTasks, clashTasks, true}, {100, 50, true}, {100, 49, false}, {clashTasks, 0, false}} {
		p.clashes.runs = c.clashed
		p.schedtick.StoreRel(p.schedtick.Load() + c.taken)
		p.countRuns()
		require.Equal(t, c.most, p.clashes.most.Load() != 0, "%+v", c)
	}
	p.clashes.runs = clashTasks - 1
	p.schedtick.StoreRel(p.schedtick.Load() + clashTasks - 1)
	p.countRuns()
	require.Zero(t, p.clashes.most.Load(), "too few to tell")
}

// TestTrial: where it pays to keep tasks that is done for longer each time, where it does not, it is tried more seldom each time.
func TestTrial(t *testing.T) {
	for _, pays := range []bool{true, false} {
		s := newTest(t, Config{Procs: 1})
		p := (*s.allp.Load())[0]
		now, ops := s.nanotime(), uint32(1<<32-1000) // it wraps
		var kept, watched []int64                    // how long
		from, keeping := now, false
		for end := now + 3*maxPauseNS; now < end; {
			const step = trialBatch * trialClashNS
			now += step
			rate := 10.0
			if k := p.clashing(now); k != keeping {
				if k {
					watched = append(watched, now-from)
				} else {
					kept = append(kept, now-from)
				}
				from, keeping = now, k
			}
			if pays == keeping {
				rate = 20
			}
			ops += uint32(rate * step / 1000)
			if !keeping { // else nobody clashes
				p.tryKeeping(now, 1, ops)
			}
		}
		near := func(want, got int64) { require.InDelta(t, want, got, 4*trialBatch*trialClashNS) }
		near(trialNS, watched[0])
		near(minKeepNS, kept[0])
		if pays {
			for i := 1; i < len(kept)-1; i++ {
				near(min(int64(minKeepNS)<<min(i, 30), maxKeepNS), kept[i])
				near(trialNS, watched[i])
			}
			continue
		}
		for i := 1; i < len(kept)-1; i++ {
			near(minKeepNS, kept[i])
			near(min(int64(minPauseNS)<<min(i-1, 30), maxPauseNS)+trialNS, watched[i])
		}
		require.Less(t, len(kept), 12)
	}
}

// TestTrialNeedsOneThing: clashes on many things are not put together, and few are no reason.
func TestTrialNeedsOneThing(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	p := (*s.allp.Load())[0]
	now := s.nanotime()
	for i := range uint32(100_000) {
		now += trialBatch * trialClashNS
		p.tryKeeping(now, uintptr(i%3), i)
		require.False(t, p.clashing(now))
	}
	for i := range uint32(1000) {
		now += trialBatch*trialClashNS + 1
		p.tryKeeping(now, 1, i)
		require.False(t, p.clashing(now))
	}
}

// TestKeeps: a P that keeps its tasks keeps them all or none.
func TestKeeps(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	p := (*s.allp.Load())[0]
	now := s.nanotime()
	hour := now + int64(time.Hour)
	clashed, other := new(G), new(G)
	clashed.clashed.Store(coarse(hour))
	for _, c := range []struct {
		till  int64
		next  *G
		ring  []*G
		keeps bool
	}{
		{0, clashed, []*G{clashed}, false},
		{now - 1, clashed, []*G{clashed}, false},
		{hour, clashed, []*G{clashed, clashed}, true},
		{hour, nil, []*G{clashed}, true},
		{hour, clashed, nil, true},
		{hour, other, []*G{clashed}, false},
		{hour, clashed, []*G{clashed, other}, false},
		{hour, nil, []*G{other, clashed}, false},
	} {
		p.clashes.till.Store(c.till)
		p.runnext.StoreRel(c.next)
		for _, gp := range c.ring {
			p.runq.put(gp)
		}
		require.Equal(t, c.keeps, p.keeps(), "%+v", c)
		p.runnext.StoreRel(nil)
		for p.runq.get() != nil {
		}
	}
}

// TestClashedTasksStay: nobody takes a task that has clashed from a P that keeps such, and any other all the same.
func TestClashedTasksStay(t *testing.T) {
	s := newTest(t, Config{Procs: 2, Tunables: unhelped})
	far := s.nanotime() + int64(time.Hour)
	keep := func(till int64) {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}
		self().m.p.clashes.till.Store(till)
	}
	run(t, s, func() {
		for range 5 {
			var clashed [3]*G // one will be in runnext, the others in the ring
			var ran atomic.Int32
			var other atomic.Bool
			for i := range clashed {
				Go(func() {
					clashed[i] = Self()
					markClashed(clashed[i], coarse(far))
					Park(WaitReasonZero, nil, nil)
					ran.Add(1)
					markClashed(clashed[i], 0)
				})
			}
			for waiting(s) < len(clashed) {
				Yield()
			}
			keep(far)
			for _, gp := range clashed {
				gp.Ready()
			}
			for end := s.nanotime() + 30_000_000; s.nanotime() < end; { // many looks of the monitor's
				require.Zero(t, ran.Load())
			}
			Go(func() { other.Store(true) }) // the others go along, or wait until its thief has run this
			for !other.Load() {
			}
			keep(0)
			for int(ran.Load()) < len(clashed) {
			}
		}
	})
}

func markClashed(gp *G, tick uint32) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	gp.clashed.StoreRel(tick)
}
