package sched

import (
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/coro"
)

// quiet waits until nothing runs, so that numbers add up.
func quiet(t *testing.T, s *Scheduler) {
	t.Helper()
	until(t, "all idle", func() bool {
		s.lock.Lock()
		defer s.lock.Unlock()
		return s.nprun == 0 && s.globq.n == 0 && s.nmidle == s.nm && s.nmspinning.Load() == 0
	}, s)
}

// restStats is Stats once all is idle, and no thread just looks round or ends.
func restStats(t *testing.T, s *Scheduler) (st Stats) {
	t.Helper()
	quiet(t, s)
	until(t, "every thread sleeps in the cache", func() bool {
		st = s.Stats()
		return st.IdleThreads == st.Threads
	}, s)
	return st
}

// addsUp checks what must hold when all is idle.
func addsUp(t *testing.T, st Stats) {
	t.Helper()
	var picked, spawned, stolenFrom, parks uint64
	for i, p := range st.Ps {
		require.Equal(t, p.Picked, p.PickedLocal+p.PickedGlobal+p.PickedStolen+p.PickedPolled, "P%d %+v", i, p)
		require.LessOrEqual(t, p.SearchesInVain, p.Searches, "P%d", i)
		require.LessOrEqual(t, p.PickedStolen, p.Stolen, "P%d", i)
		require.LessOrEqual(t, p.PickedStolen, p.StealTries, "P%d", i)
		require.LessOrEqual(t, p.PickedGlobal, p.FromGlobal, "P%d", i)
		picked += p.Picked
		spawned += p.Spawned
		stolenFrom += p.Stolen
		parks += p.Parks
	}
	require.Equal(t, picked, st.Picked)
	require.Equal(t, parks, st.Parks)
	require.LessOrEqual(t, parks, picked+uint64(st.Tasks), "who has parked was picked afterwards, or waits still")
	require.Equal(t, stolenFrom, st.Stolen)
	require.LessOrEqual(t, spawned, st.Spawned)
	require.EqualValues(t, st.Spawned-st.Ended, st.Tasks)
	require.Equal(t, st.IdleThreads, st.Threads)
	require.Equal(t, st.Procs, st.IdleProcs)
	require.Zero(t, st.Searching)
	startsAddUp(t, st)
}

// Each task is picked once to start, and once for each wait that was over.
func TestStatsCountEachPick(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const pairs, rounds = 20, 100
		var parks atomic.Int64
		for range pairs {
			s.Go(func() {
				var a, b door
				Go(func() {
					for range rounds {
						a.countedWait(&parks)
						b.signal()
					}
				})
				for range rounds {
					a.signal()
					b.countedWait(&parks)
				}
			})
		}
		quiet(t, s)
		st := s.Stats()
		addsUp(t, st)
		require.EqualValues(t, 2*pairs, st.Spawned)
		require.EqualValues(t, 2*pairs, st.Ended)
		require.EqualValues(t, parks.Load(), st.Parks)
		require.EqualValues(t, 2*pairs+uint64(parks.Load())+st.Preemptions, st.Picked)
		require.Equal(t, coro.Backend, st.Backend)
		require.Positive(t, st.ThreadsCreated)
		require.Positive(t, st.Stacks)
		require.Equal(t, st.Stacks, st.IdleStacks)
	})
}

// countedWait is wait that counts how often it parked.
func (g *door) countedWait(parks *atomic.Int64) {
	g.lock.Lock()
	parked := !g.open
	g.lock.Unlock()
	if parked { // only the caller closes the door, so if it is open it stays so
		seq := waitSeq()
		g.wait()
		parks.Add(int64(waitSeq() - seq))
		return
	}
	g.wait()
}

func TestStatsUnderStress(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		stop := make(chan struct{})
		read := make(chan struct{})
		go func() {
			defer close(read)
			last := s.Stats()
			for {
				now := s.Stats()
				onlyGrows(t, last, now)
				last = now
				select {
				case <-stop:
					return
				default:
				}
			}
		}()
		var wg sync.WaitGroup
		for range 50 {
			wg.Add(1)
			s.Go(func() {
				defer wg.Done()
				for range 20 {
					var g door
					Go(func() { Join(Yield, Yield, g.signal) })
					g.wait()
					Yield()
				}
			})
		}
		wg.Wait()
		close(stop)
		<-read
		quiet(t, s)
		st := s.Stats()
		addsUp(t, st)
		require.Zero(t, st.Tasks)
	})
}

func onlyGrows(t *testing.T, last, now Stats) {
	for i := range last.Ps {
		v, w := reflect.ValueOf(last.Ps[i]), reflect.ValueOf(now.Ps[i])
		for f := range v.NumField() {
			name, slack := v.Type().Field(f).Name, uint64(0)
			if name == "Picked" || name == "PickedLocal" {
				slack = 2
			}
			if v.Field(f).CanUint() {
				require.GreaterOrEqual(t, w.Field(f).Uint()+slack, v.Field(f).Uint(), "P%d %s", i, name)
			} else {
				require.GreaterOrEqual(t, w.Field(f).Int(), v.Field(f).Int(), "P%d %s", i, name)
			}
		}
	}
	require.LessOrEqual(t, now.Ended, now.Spawned)
}

// One P, scripted: what is spawned, where it goes, and what Block and a full ring do.
func TestStatsOfOneP(t *testing.T) {
	for {
		s := newTest(t, Config{Procs: 1})
		run(t, s, func() {})
		quiet(t, s)
		before := s.Stats()
		run(t, s, func() {
			for range runqSize + 2 { // runnext holds one, the ring 256: the last one finds it full
				Go(func() {})
			}
			Go(func() { Block(func() {}) })
			tick()
		})
		quiet(t, s)
		d := s.Stats().Sub(before)
		if d.Preemptions+d.Reliefs > 0 {
			continue // it took more than 10 ms, on a busy machine: other Ps have stood in
		}
		require.EqualValues(t, runqSize+4, d.Spawned)
		require.EqualValues(t, runqSize+3, d.Ps[0].Spawned, "the first came from outside")
		require.EqualValues(t, runqSize+4, d.Ended)
		require.EqualValues(t, 1, d.Overflows)
		require.EqualValues(t, 1, d.Blocks)
		require.Positive(t, d.FromGlobal)
		require.Zero(t, d.Stolen)
		require.Zero(t, d.StealTries, "there is nobody to steal from")
		startsAddUp(t, d)
		require.Positive(t, d.Wakes, "for what came from outside")
		require.Positive(t, d.Running)
		return
	}
}

// tick spins until the clock has moved, which on Windows it does once a millisecond or less often.
func tick() {
	for start := clock.Nanotime(); clock.Nanotime() == start; {
	}
}

// The three times of a P add up to the time that has passed.
func TestStatsTimesAddUp(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	start := clock.Nanotime()
	before := s.Stats()
	mid := clock.Nanotime()
	for range 100 {
		run(t, s, func() { Join(Yield, Yield) })
	}
	run(t, s, tick)
	quiet(t, s)
	tick()
	end := clock.Nanotime()
	d := s.Stats().Sub(before)
	last := clock.Nanotime()
	for i, p := range d.Ps[:len(before.Ps)] {
		sum := p.Running + p.Searching + p.Idle
		require.GreaterOrEqual(t, sum, time.Duration(end-mid), "P%d", i)
		require.LessOrEqual(t, sum, time.Duration(last-start), "P%d", i)
	}
	require.Positive(t, d.Running)
	require.Positive(t, d.Idle)
}

func TestStatsOfStealing(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	run(t, s, func() {
		var left atomic.Int32
		left.Store(2)
		meet := func() {
			for left.Add(-1); left.Load() > 0; { // both at a time
				runtime.Gosched()
			}
		}
		Go(func() { meet() })
		meet()
	})
	quiet(t, s)
	st := s.Stats()
	addsUp(t, st)
	require.Positive(t, st.Stolen)
	require.Positive(t, st.PickedStolen)
	require.Positive(t, st.Searches)
	require.Positive(t, st.ThreadParks)
}

func TestWideGoesOnWhereWordsWrap(t *testing.T) {
	var w wide
	w.see(1<<32 - 5)
	w.see(1<<32 - 1)
	require.EqualValues(t, uint64(1<<32-1), w.sum)
	w.see(3)
	require.EqualValues(t, uint64(1<<32+3), w.sum)
	w.see(3)
	require.EqualValues(t, uint64(1<<32+3), w.sum)
	s := newTest(t, Config{Procs: 1})
	run(t, s, func() {
		p := selfP()
		p.nSpawn.Add(1<<32 - 2) // its wrap is seen too
		p.nEnd.Add(1<<32 - 2)
	})
	require.EqualValues(t, uint64(1<<32-1), s.Stats().Spawned)
	run(t, s, func() {
		for range 4 {
			Go(func() {})
		}
	})
	quiet(t, s)
	require.EqualValues(t, uint64(1<<32+4), s.Stats().Spawned)
	require.EqualValues(t, uint64(1<<32+4), s.Stats().Ended)
}

// TestPhaseTimesNeverGoBack, although a worker enters a phase by a time that it has read before somebody was told a later one, or before the phase
// that ends had begun.
func TestPhaseTimesNeverGoBack(t *testing.T) {
	p := &P{}
	p.phase.begin(phaseIdle, 100)
	require.Equal(t, [nPhases]int64{phaseIdle: 100}, p.phase.tell(200))
	p.enter(phaseSearch, 150)
	require.Equal(t, [nPhases]int64{phaseIdle: 100, phaseSearch: 50}, p.phase.tell(250))
	p.enter(phaseRun, 300)
	p.enter(phaseIdle, 280)
	require.Equal(t, [nPhases]int64{phaseIdle: 110, phaseSearch: 100}, p.phase.tell(310))
}

func TestSubKeepsNumbersOfTheMoment(t *testing.T) {
	a := Stats{
		Backend: "cell", Procs: 2, Threads: 3, Tasks: 4, ThreadsCreated: 10,
		PStats: PStats{Spawned: 100, Running: 50},
		Ps:     []PStats{{Spawned: 60, Idle: 7}, {Spawned: 40}},
	}
	b := Stats{
		Backend: "cell", Procs: 1, Threads: 9, Tasks: 1, ThreadsCreated: 4,
		PStats: PStats{Spawned: 10, Running: 20},
		Ps:     []PStats{{Spawned: 10, Idle: 2}},
	}
	require.Equal(t, Stats{
		Backend: "cell", Procs: 2, Threads: 3, Tasks: 4, ThreadsCreated: 6,
		PStats: PStats{Spawned: 90, Running: 30},
		Ps:     []PStats{{Spawned: 50, Idle: 5}, {Spawned: 40}},
	}, a.Sub(b))
	require.EqualValues(t, 60, a.Ps[0].Spawned, "a itself stays")
}

// Whoever sees all Ps idle sees all that they have counted.
func TestStatsOfIdlePsAreComplete(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		for range 200 {
			require.NoError(t, s.Run(func() {}))
			until(t, "all idle", func() bool {
				st := s.Stats()
				if st.IdleProcs < st.Procs {
					return false
				}
				require.Zero(t, st.Tasks)
				return true
			}, s)
		}
	})
}
