package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/fence"
)

// bareForkq is a queue without a scheduler that runs: its owner is a plain goroutine.
func bareForkq() (*forkq, *Scheduler) {
	fence.Start()
	s := &Scheduler{}
	q := newForkq(&stack{m: &M{s: s}, g: newNativeG()})
	return q, s
}

// thief returns a P for a thief's spoils.
func thief(s *Scheduler) *P { return &P{s: s} }

func TestForkqThievesTakeTheOldest(t *testing.T) {
	q, s := bareForkq()
	p := thief(s)
	require.Nil(t, q.steal(p))
	const n = 2*forkSlots + 1 // it grows
	var ran []int
	for i := range n {
		q.pushFunc(uint32(i), func() { ran = append(ran, i) }, 0)
	}
	for range n - 1 {
		gp := q.steal(p)
		require.NotNil(t, gp)
		gp.fn()
	}
	require.True(t, q.pop(n-1), "the last one is still there")
	require.Nil(t, q.steal(p))
	for i := n - 2; i >= 0; i-- {
		require.False(t, q.pop(uint32(i)))
		require.Equal(t, joinResult{}, q.await(uint32(i)))
	}
	require.Len(t, ran, n-1)
	for i := range ran {
		require.Equal(t, i, ran[i])
	}
	require.True(t, q.empty())
	require.Zero(t, q.top.Load())
}

func TestForkqKeepsFramesOfEachType(t *testing.T) {
	q, _ := bareForkq()
	use := func(i uint32) (own [3]*frame) {
		for k, tag := range []unsafe.Pointer{joinTag, forTag, typeOf((*bothFrame[int, int])(nil))} {
			f := q.fit(i, tag)
			if f.tag != tag {
				require.Same(t, &noFrame, f)
				f = &frame{}
				f.init(tag, func() {}, func() {})
				q.slots[i] = f
			}
			own[k] = f
		}
		return own
	}
	first := [2][3]*frame{use(0), use(1)}
	for range 3 { // which of two of a kind lies in which slot may change
		for _, f := range [2][3]*frame{use(0), use(1)} {
			for k := range f {
				require.True(t, f[k] == first[0][k] || f[k] == first[1][k])
			}
		}
	}
}

func TestForkqForgetsWhatItHeld(t *testing.T) {
	needsForks(t)
	s := newTest(t, Config{Procs: 2})
	type big struct{ p *int }
	var deep func(b big) *int
	deep = func(b big) *int {
		if *b.p == 0 {
			return b.p
		}
		n := *b.p - 1
		Both(deep, big{&n}, big{&n})
		Join(func() {}, func() { _ = b }, func() {})
		return b.p
	}
	run(t, s, func() {
		n := 7
		deep(big{&n})
		For(10, 1, func(int, int) { _ = n })
		Join(func() {}, func() { _ = n })
		q := self().forks
		require.Zero(t, q.bottom.Load())
		frames := append([]*frame(nil), q.slots...)
		for _, s := range q.spare {
			for f := s.head; f != nil; f = f.link {
				frames = append(frames, f)
			}
		}
		held := 0
		for _, f := range frames {
			require.False(t, f.used)
			switch f.tag {
			case nil:
				continue
			case joinTag:
				require.Nil(t, (*joinFrame)(unsafe.Pointer(f)).fn)
			case forTag:
				require.Nil(t, (*forFrame)(unsafe.Pointer(f)).fn)
			default:
				b := (*bothFrame[big, *int])(unsafe.Pointer(f))
				require.Nil(t, b.f)
				require.Nil(t, b.y.p)
				require.Nil(t, b.r)
			}
			held++
		}
		require.Greater(t, held, 7)
	})
}

// TestForkqDeep nests more calls than an idle queue keeps slots.
func TestForkqDeep(t *testing.T) {
	needsForks(t)
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var leaves atomic.Int64
		var list func(n int) int
		list = func(n int) int {
			if n <= 0 {
				leaves.Add(1)
				return 1
			}
			a, b := Both(list, n-1, 0)
			return a + b
		}
		require.NoError(t, s.Run(func() {
			require.Equal(t, 3*forkKeep+1, list(3*forkKeep))
			require.LessOrEqual(t, len(self().forks.slots), forkKeep)
		}))
		require.EqualValues(t, 3*forkKeep+1, leaves.Load())
	})
}

// TestStressForkq has an owner that pushes frames and pops them, and three thieves: every frame is run
// once, by whoever has it.
func TestStressForkq(t *testing.T) {
	needsForks(t)
	const rounds, depth, thieves = 10_000, 5, 3
	q, s := bareForkq()
	var ran [depth]atomic.Int64
	var fns [depth]func()
	for i := range fns {
		fns[i] = func() { ran[i].Add(1) }
	}
	var stolen atomic.Int64
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range thieves {
		wg.Go(func() {
			p := thief(s)
			for !stop.Load() {
				if gp := q.steal(p); gp != nil {
					stolen.Add(1)
					gp.fn()
				}
				runtime.Gosched()
			}
		})
	}
	wg.Go(func() {
		defer stop.Store(true)
		for r := 0; r < rounds || stolen.Load() == 0; r++ {
			for i, fn := range fns {
				q.pushFunc(uint32(i), fn, 0)
			}
			for i := depth - 1; i >= 0; i-- {
				if q.pop(uint32(i)) {
					fns[i]()
				} else if (q.await(uint32(i)) != joinResult{}) {
					panic("a frame failed")
				}
			}
			for i := range ran {
				if ran[i].Load() != int64(r)+1 {
					panic("a frame was lost or run twice")
				}
			}
		}
	})
	within(t, wg.Wait)
	require.NotZero(t, stolen.Load())
	require.Nil(t, q.steal(thief(s)))
}

// TestForkListLosesNoQueue: a queue that thieves have taken out because it was empty comes back with the next push.
func TestForkListLosesNoQueue(t *testing.T) {
	q, s := bareForkq()
	for range 3 {
		q.pushFunc(0, func() {}, 0)
		require.EqualValues(t, 1, s.forks.n.Load())
		require.True(t, s.forks.visible())
		require.Same(t, q, s.forks.find(false))
		require.Nil(t, s.forks.find(true), "its owner runs")
		require.True(t, q.pop(0))
		require.False(t, s.forks.visible())
		until(t, "out of the list", func() bool { s.forks.find(false); return s.forks.n.Load() == 0 })
		require.Zero(t, q.listed.Load())
		require.Nil(t, s.forks.head)
		require.Nil(t, s.forks.tail)
	}
}

func TestStressForkList(t *testing.T) {
	needsForks(t)
	const owners, rounds = 3, 3_000
	_, s := bareForkq()
	var stop atomic.Bool
	var wg, thieves sync.WaitGroup
	for range 2 {
		thieves.Go(func() {
			for p := thief(s); !stop.Load(); runtime.Gosched() {
				if q := s.forks.find(false); q != nil {
					if gp := q.steal(p); gp != nil {
						gp.fn()
					}
				}
			}
		})
	}
	var ran atomic.Int64
	for range owners {
		wg.Go(func() {
			q := newForkq(&stack{m: &M{s: s}, g: newNativeG()})
			for i := range rounds {
				q.pushFunc(0, func() { ran.Add(1) }, 0)
				if i%8 == 0 { // it lies there until a thief has found it
					for !q.empty() {
						runtime.Gosched()
					}
				}
				if q.pop(0) {
					ran.Add(1)
				} else {
					q.await(0)
				}
				runtime.Gosched()
			}
		})
	}
	within(t, wg.Wait)
	stop.Store(true)
	within(t, thieves.Wait)
	require.EqualValues(t, owners*rounds, ran.Load())
}

// newNativeG returns a G as a plain goroutine has one.
func newNativeG() *G {
	n := &native{}
	n.init()
	return n.gp
}
