package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func joinqAt(start uint32) *joinq {
	q := &joinq{}
	q.top.Store(start)
	q.bottom.Store(start)
	return q
}

func offered(n int) []*frame {
	fs := make([]*frame, n)
	for i := range fs {
		fs[i] = newFrame()
		fs[i].state.Store(frameOffered)
	}
	return fs
}

func TestJoinqThievesTakeTheOldest(t *testing.T) {
	for _, start := range starts {
		q := joinqAt(start)
		require.True(t, q.empty())
		require.Nil(t, q.steal())
		fs := offered(joinqSize + 1)
		for _, f := range fs {
			q.push(f) // the last one finds no room and stays with its owner
		}
		for _, f := range fs[:joinqSize] {
			require.Same(t, f, q.steal(), "start %d", start)
			require.EqualValues(t, frameStolen, f.state.Load())
		}
		require.Nil(t, q.steal())
		require.True(t, q.empty())
		require.EqualValues(t, frameOffered, fs[joinqSize].state.Load())
	}
}

func TestJoinqForgetsTheNewestOnly(t *testing.T) {
	for _, start := range starts {
		q := joinqAt(start)
		fs := offered(3)
		q.forget(fs[0]) // it holds nothing
		require.True(t, q.empty())
		for _, f := range fs {
			q.push(f)
		}
		q.forget(fs[0])
		q.forget(fs[2])
		require.Same(t, fs[0], q.steal())
		require.Same(t, fs[1], q.steal())
		require.Nil(t, q.steal())
	}
}

func TestJoinqPassesOverWhatWasTakenBack(t *testing.T) {
	for _, start := range starts {
		q := joinqAt(start)
		fs := offered(4)
		for _, f := range fs {
			q.push(f)
		}
		fs[0].state.Store(frameFree)
		fs[2].state.Store(frameFree)
		require.Same(t, fs[1], q.steal())
		require.Same(t, fs[3], q.steal())
		require.Nil(t, q.steal())
	}
}

// TestStressJoinq has an owner that offers frames and takes them back, newest first, and three
// thieves: every offer is taken by exactly one of them.
func TestStressJoinq(t *testing.T) {
	const rounds, depth, thieves = 15_000, 5, 3
	for _, start := range starts {
		q := joinqAt(start)
		fs := offered(depth)
		var own, stolen atomic.Int64
		var stop atomic.Bool
		var wg sync.WaitGroup
		for range thieves {
			wg.Go(func() {
				for !stop.Load() {
					if f := q.steal(); f != nil {
						stolen.Add(1)
						f.state.Store(frameDone)
					}
					runtime.Gosched()
				}
			})
		}
		wg.Go(func() {
			defer stop.Store(true)
			for range rounds {
				for _, f := range fs {
					f.state.Store(frameOffered)
					q.push(f)
				}
				for i := depth - 1; i >= 0; i-- {
					f := fs[i]
					if f.state.CompareAndSwap(frameOffered, frameFree) {
						q.forget(f)
						own.Add(1)
						continue
					}
					for f.state.Load() != frameDone {
						runtime.Gosched()
					}
				}
			}
		})
		within(t, wg.Wait)
		require.EqualValues(t, rounds*depth, own.Load()+stolen.Load())
		require.Nil(t, q.steal())
	}
}
