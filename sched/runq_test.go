package sched

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// starts are values of head and tail from which a ring's indexes wrap at different moments.
var starts = []uint32{0, 100, 1<<32 - 1, 1<<32 - 3, 1<<32 - 128, 1<<32 - 256}

func runqAt(start uint32) *runq {
	q := &runq{}
	q.head.Store(start)
	q.tail.Store(start)
	return q
}

// newGs returns n Gs with the ids 0 to n-1. A run queue does not keep them alive: the caller must.
func newGs(n int) []*G {
	gs := make([]*G, n)
	for i := range gs {
		gs[i] = &G{id: uint64(i)}
	}
	return gs
}

func TestRunqFIFO(t *testing.T) {
	gs := newGs(runqSize + 1)
	for _, start := range starts {
		q := runqAt(start)
		require.True(t, q.empty())
		require.Nil(t, q.get())
		for i := range runqSize {
			require.EqualValues(t, i, q.size())
			require.True(t, q.put(gs[i]))
			require.False(t, q.empty())
		}
		require.False(t, q.put(gs[runqSize]), "full, start %d", start)
		require.EqualValues(t, runqSize, q.size())
		for i := range runqSize {
			require.Same(t, gs[i], q.get(), "start %d", start)
		}
		require.Nil(t, q.get())
		require.True(t, q.empty())
	}
	runtime.KeepAlive(gs)
}

func TestRunqPutAndGetInTurn(t *testing.T) {
	gs := newGs(7)
	for _, start := range starts {
		q := runqAt(start)
		in, out := 0, 0
		for range 1000 { // three in, two out, as long as there is room; then all out
			for range 3 {
				if q.put(gs[in%7]) {
					in++
				}
			}
			for range 2 {
				require.Same(t, gs[out%7], q.get())
				out++
			}
		}
		for gp := q.get(); gp != nil; gp = q.get() {
			require.Same(t, gs[out%7], gp)
			out++
		}
		require.Equal(t, in, out)
	}
	runtime.KeepAlive(gs)
}

func TestRunqGrabTakesTheOlderHalf(t *testing.T) {
	gs := newGs(runqSize)
	for _, n := range []int{0, 1, 2, 3, 7, 128, 255, 256} {
		for i, start := range starts {
			q, thief := runqAt(start), runqAt(starts[len(starts)-1-i])
			for _, gp := range gs[:n] {
				require.True(t, q.put(gp))
			}
			tail := thief.tail.Load()
			got := int(q.grab(thief, tail, runqSize/2))
			require.Equal(t, n-n/2, got, "of %d", n)
			require.True(t, thief.empty(), "grab itself publishes nothing")
			thief.tail.Store(tail + uint32(got))
			for k := range got {
				require.Same(t, gs[k], thief.get())
			}
			require.Nil(t, thief.get())
			for k := got; k < n; k++ {
				require.Same(t, gs[k], q.get())
			}
			require.Nil(t, q.get())
		}
	}
	runtime.KeepAlive(gs)
}

// TestStressRunq has one owner and three thieves: every task is taken exactly once.
func TestStressRunq(t *testing.T) {
	const total, thieves = 60_000, 3
	gs := newGs(total)
	for _, start := range starts {
		q := runqAt(start)
		taken := make([]atomic.Int32, total)
		var left atomic.Int64
		left.Store(total)
		take := func(gp *G) {
			taken[gp.id].Add(1)
			left.Add(-1)
		}
		var wg sync.WaitGroup
		for k := range thieves {
			wg.Go(func() {
				mine := runqAt(start + uint32(k))
				for left.Load() > 0 {
					tail := mine.tail.Load()
					mine.tail.StoreRel(tail + q.grab(mine, tail, runqSize/2))
					for gp := mine.get(); gp != nil; gp = mine.get() {
						take(gp)
					}
					runtime.Gosched()
				}
			})
		}
		wg.Go(func() {
			for i, gp := range gs {
				for !q.put(gp) {
					for range runqSize / 4 {
						if got := q.get(); got != nil {
							take(got)
						}
					}
				}
				if i%5 == 0 {
					if got := q.get(); got != nil {
						take(got)
					}
				}
			}
			for gp := q.get(); gp != nil; gp = q.get() {
				take(gp)
			}
		})
		within(t, wg.Wait)
		for i := range taken {
			require.EqualValues(t, 1, taken[i].Load(), "task %d, start %d", i, start)
		}
	}
	runtime.KeepAlive(gs)
}

func TestRunqputNext(t *testing.T) {
	p := (*newTest(t, Config{Procs: 1, Tunables: unhelped}).allp.Load())[0]
	gs := newGs(3)
	for _, gp := range gs {
		p.runqput(gp, true)
	}
	for _, want := range []int{2, 0, 1} { // who was to be next goes to the end of the ring
		require.Same(t, gs[want], p.runqget())
	}
	require.Nil(t, p.runqget())
	runtime.KeepAlive(gs)
}

func TestRunqOverflowGoesToTheGlobalQueue(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	p := (*s.allp.Load())[0]
	gs := newGs(runqSize + 1)
	for _, gp := range gs {
		p.runqput(gp, false)
	}
	require.EqualValues(t, 1, p.nOverflow)
	require.EqualValues(t, runqSize/2, p.runq.size())
	require.EqualValues(t, runqSize/2+1, s.globqsize.Load())
	order := append(append([]*G{}, gs[runqSize/2:runqSize]...), gs[:runqSize/2]...)
	order = append(order, gs[runqSize])
	for i, want := range order {
		gp := p.runqget()
		if gp == nil {
			s.lock.Lock()
			gp = s.globrunqget(p, 1)
			s.lock.Unlock()
		}
		require.Same(t, want, gp, "at %d", i)
	}
	require.Zero(t, s.globqsize.Load())
	runtime.KeepAlive(gs)
}

func TestGQueue(t *testing.T) {
	gs := newGs(6)
	var a, b gQueue
	require.Nil(t, a.pop())
	a.pushBackAll(&b) // nothing to nothing
	require.Nil(t, a.pop())
	for _, gp := range gs[:3] {
		a.pushBack(gp)
	}
	b.pushBackAll(&a) // to an empty one
	require.Zero(t, a.n)
	require.Nil(t, a.pop())
	for _, gp := range gs[3:] {
		a.pushBack(gp)
	}
	b.pushBackAll(&a)
	b.pushBackAll(&a) // nothing to something
	for i, gp := range gs {
		require.EqualValues(t, len(gs)-i, b.n)
		require.Same(t, gp, b.pop())
		require.Nil(t, gp.schedlink)
	}
	require.Nil(t, b.pop())
	b.pushBack(gs[5]) // and it is as new
	require.Same(t, gs[5], b.pop())
}

// TestGlobQueue fills and empties it in waves over the limits of its chunks.
func TestGlobQueue(t *testing.T) {
	gs := newGs(5 * gChunkSize * gChunkFree)
	var q globQueue
	require.Nil(t, q.pop())
	in, out := 0, 0
	for wave := 1; in < len(gs); wave++ {
		for range min(wave*7, len(gs)-in) {
			q.pushBack(gs[in])
			in++
		}
		require.EqualValues(t, in-out, q.n)
		require.Equal(t, gs[out:in], slices.Collect(q.all()))
		for range wave * 5 {
			require.Same(t, gs[out], q.pop())
			out++
		}
	}
	for ; out < in; out++ {
		require.Same(t, gs[out], q.pop())
	}
	require.Nil(t, q.pop())
	require.Zero(t, q.n)
	require.Nil(t, q.head)
	require.Nil(t, q.tail)
	require.EqualValues(t, gChunkFree, q.nFree)
	require.Zero(t, testing.AllocsPerRun(10, func() {
		for _, gp := range gs[:gChunkFree*gChunkSize] {
			q.pushBack(gp)
		}
		for q.pop() != nil {
		}
	}))
	runtime.KeepAlive(gs)
}

// TestGlobQueueAndRing moves tasks between the two, over the ends of chunks and of the ring, beside plain slices.
func TestGlobQueueAndRing(t *testing.T) {
	gs := newGs(20 * runqSize)
	for _, start := range starts {
		r := rand.New(rand.NewPCG(uint64(start), 1))
		q, ring := globQueue{}, runqAt(start)
		var inQueue, inRing []*G
		for next := 0; next < len(gs) || len(inQueue)+len(inRing) > 0; {
			switch r.IntN(4) {
			case 0: // new ones, to either
				for range min(r.IntN(200), len(gs)-next) {
					if gp := gs[next]; ring.put(gp) {
						inRing = append(inRing, gp)
					} else {
						q.pushBack(gp)
						inQueue = append(inQueue, gp)
					}
					next++
				}
			case 1: // overflow
				h, n := ring.head.Load(), r.IntN(len(inRing)+1)
				ring.head.Store(h + uint32(n))
				q.pushRing(ring, h, uint32(n))
				inQueue, inRing = append(inQueue, inRing[:n]...), inRing[n:]
			case 2: // a share
				n := r.IntN(min(len(inQueue), int(ring.room())) + 1)
				q.popRing(ring, uint32(n))
				inRing, inQueue = append(inRing, inQueue[:n]...), inQueue[n:]
			default: // some are run
				for range min(r.IntN(250), len(inRing)) {
					require.Same(t, inRing[0], ring.get())
					inRing = inRing[1:]
				}
			}
			require.EqualValues(t, len(inQueue), q.n)
			require.EqualValues(t, len(inRing), ring.size())
		}
		require.Nil(t, q.pop())
		require.Nil(t, ring.get())
		require.Nil(t, q.tail)
	}
	runtime.KeepAlive(gs)
}

func TestGlobalQueueGivesShares(t *testing.T) {
	for _, c := range []struct{ procs, queued, max, want int }{
		{1, 0, 0, 0},
		{1, 1, 0, 1},
		{1, 100, 0, 100},
		{1, 1000, 0, runqSize / 2},
		{2, 100, 0, 51},
		{8, 100, 0, 13},
		{8, 3, 0, 1},
		{2, 100, 1, 1},
		{1, 2, 5, 2},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			s := newTest(t, Config{Procs: c.procs})
			p := (*s.allp.Load())[0]
			gs := newGs(c.queued)
			var q gQueue
			for _, gp := range gs {
				q.pushBack(gp)
			}
			s.lock.Lock()
			s.globrunqput(&q)
			gp := s.globrunqget(p, int32(c.max))
			rest := s.globq.n
			s.globq = globQueue{} // these Gs are none of s's
			s.globqsize.Store(0)
			s.lock.Unlock()
			require.EqualValues(t, c.queued-c.want, rest)
			for i := range c.want {
				require.Same(t, gs[i], gp)
				gp = p.runqget()
			}
			require.Nil(t, gp)
			runtime.KeepAlive(gs)
		})
	}
}
