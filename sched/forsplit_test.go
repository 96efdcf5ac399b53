// Thieves that come upon a For's loop at any moment: between two pieces, in the last one, and between two loops.

package sched

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/patience"
	"github.com/userrt/userrt/internal/procyield"
)

// TestStressForIsSplitOnce: loops of a few pieces follow each other in the same frames, in slots that other forks use in between, while
// a thief comes: each index is run once, by whoever has it. A thief that missed what the owner has stored, or put two loops' bounds together,
// would run one twice, or one that there is not.
func TestStressForIsSplitOnce(t *testing.T) {
	needsForks(t)
	const rounds, most = 100_000, 60
	q, s := bareForkq()
	var ran [most]atomic.Int32
	mark := func(lo, hi int) {
		for i := lo; i < hi; i++ {
			ran[i].Add(1)
		}
	}
	var split atomic.Int64
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		p := thief(s)
		for n := 0; !stop.Load(); n++ {
			if f := visitLoop(q, p); f != nil {
				l := (*forFrame)(unsafe.Pointer(f))
				l.fn(l.at, int(l.hi.Load()))
				split.Add(1)
			}
			procyield.Pause(forkPause)
			if n%1000 == 0 {
				runtime.Gosched()
			}
		}
	})
	seed := rand.Uint64()
	wg.Go(func() {
		defer stop.Store(true)
		r := rand.New(rand.NewPCG(seed, 0))
		var kids int64
		loop := func(lo, hi, grain int) {
			l := q.pushFor(q.bottom.Load(), lo, hi, grain, mark)
			l.pieces(q)
			for k := l.close(q); k != nil; k = k.link {
				kids++
			}
			for split.Load() < kids {
				runtime.Gosched()
			}
			for i := range ran {
				want := int32(0)
				if lo <= i && i < hi {
					want = 1
				}
				if got := ran[i].Swap(0); got != want {
					panic(fmt.Sprintf("seed %d: %d of [%d, %d) by %d was run %d times", seed, i, lo, hi, grain, got))
				}
			}
		}
		for n := 0; n < rounds || split.Load() == 0; n++ {
			lo := r.IntN(most)
			hi, grain := lo+r.IntN(most-lo)+1, 1+r.IntN(3)
			if r.IntN(4) > 0 {
				loop(lo, hi, grain)
				continue
			}
			q.pushFunc(0, func() {}, 0)
			if r.IntN(2) == 0 {
				loop(lo, hi, grain)
			}
			if !q.pop(0) {
				q.await(0)
			}
		}
	})
	within(t, wg.Wait)
	require.NotZero(t, split.Load())
}

// visitLoop is steal without what it does when the loop has nothing to take: that would be the forks, and a fence at most visits.
func visitLoop(q *forkq, p *P) *frame {
	if !q.lock.TryLock() {
		return nil
	}
	q.limit.Store(noLimit)
	f := q.takeOfLoop(p)
	q.limit.Store(q.openLimit())
	q.lock.Unlock()
	return f
}

// TestStressForAddsUp: what an owner has run and what thieves have split off makes up each range, where thieves come between two
// loops above all: by turns at the beginning and the end of a hundred.
func TestStressForAddsUp(t *testing.T) {
	needsForks(t)
	rounds := 1_000_000
	if raceEnabled {
		rounds = 50_000
	}
	q, s := bareForkq()
	var stop atomic.Bool
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop.Store(true)
	wg.Go(func() {
		p := thief(s)
		for n := uint32(0); !stop.Load(); n++ {
			visitLoop(q, p)
			procyield.Pause(1 + n%7)
			if n%1000 == 0 {
				runtime.Gosched()
			}
		}
	})
	own := 0
	mark := func(lo, hi int) { own += hi - lo }
	for n := range rounds {
		lo, hi := 0, 10
		if n%2 == 1 {
			lo, hi = 90, 100
		}
		own = 0
		procyield.Pause(uint32(1 + n/2%4))
		l := q.pushFor(0, lo, hi, 10, mark)
		l.pieces(q)
		taken := 0
		for k := l.close(q); k != nil; k = k.link {
			f := (*forFrame)(unsafe.Pointer(k))
			taken += int(f.hi.Load()) - f.at
		}
		if own+taken != hi-lo {
			t.Fatalf("round %d, [%d, %d): the owner ran %d, thieves have %d", n, lo, hi, own, taken)
		}
	}
}

// TestRangeIsShutMeanwhile: between two ranges there is a moment at which lo is MaxInt. A compiler may leave out a store that is followed by another
// one to the same word.
func TestRangeIsShutMeanwhile(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("on one processor nobody sees it")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0))))
	l := newForFrame()
	var stop atomic.Bool
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop.Store(true)
	wg.Go(func() {
		for k := 0; !stop.Load(); k++ {
			l.setRange(k, k+1)
		}
	})
	seen := false
	for end := time.Now().Add(patience.Times(10 * time.Second)); !seen && time.Now().Before(end); {
		for range 1000 {
			seen = seen || l.lo.Load() == math.MaxInt
		}
	}
	require.True(t, seen)
}

// TestLastPieceOffersWhatItForks: what is forked in the last piece lies beyond a loop of which nothing is left, and is taken there.
func TestLastPieceOffersWhatItForks(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	for range 50 {
		run(t, s, func() {
			var in atomic.Int32
			both := func() {
				in.Add(1)
				for in.Load() < 2 { // no call: it keeps its P
				}
			}
			For(1, 1, func(int, int) { Join(both, both) })
		})
	}
}

// TestThievesPassByALastPiece: a loop of which nothing is left keeps no worker from its sleep, however long the last piece takes.
func TestThievesPassByALastPiece(t *testing.T) {
	needsForks(t)
	s := newTest(t, Config{Procs: 2, Tunables: unhelped})
	for range 10 {
		run(t, s, func() {
			For(1, 1, func(int, int) {
				q, deadline := self().forks, time.Now().Add(patience.Times(10*time.Second))
				for q.top.Load() == 0 && time.Now().Before(deadline) { // a thief has gone by
				}
				require.EqualValues(t, 1, q.top.Load())
				for s.nmspinning.Load() != 0 && time.Now().Before(deadline) {
				}
				require.Zero(t, s.nmspinning.Load())
			})
		})
	}
}

// TestForkAfterALoopIsTakenAtOnce: what lies in slot 0 after a loop is not taken for the loop, of which nothing is left.
func TestForkAfterALoopIsTakenAtOnce(t *testing.T) {
	needsForks(t)
	awaitFence()
	q, s := bareForkq()
	l := q.pushFor(0, 0, 2, 1, func(int, int) {})
	l.pieces(q)
	require.Nil(t, l.close(q))
	ran := false
	q.pushFunc(0, func() { ran = true }, 0)
	gp := q.steal(thief(s))
	require.NotNil(t, gp, "at the first visit")
	gp.fn()
	require.False(t, q.pop(0))
	q.await(0)
	require.True(t, ran)
}
