package sched

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Random trees of forks whose nodes wait, fail and end in all ways.

// forkTree counts its leaves; a node's seed decides what it does.
type forkTree struct {
	leaves atomic.Int64
	fails  bool // nodes may panic and exit
}

type forkNode struct {
	depth int
	seed  uint64
}

func (n forkNode) child(i uint64) forkNode {
	return forkNode{n.depth - 1, (n.seed+i)*0x9e3779b97f4a7c15 ^ n.seed>>31}
}

func (t *forkTree) visit(n forkNode) int {
	r := rand.New(rand.NewPCG(n.seed, 1))
	if n.depth == 0 {
		t.leaves.Add(1)
		if r.IntN(8) == 0 {
			Yield()
		}
		return 1
	}
	a, b := n.child(1), n.child(2)
	switch r.IntN(10) {
	case 0:
		Join(func() { t.visit(a) }, func() { Yield(); t.visit(b) })
	case 1: // the first half waits for the second, or for a task
		var d door
		if r.IntN(2) == 0 {
			Go(d.signal)
			Both(t.visit, a, b)
			d.wait()
		} else {
			Join(func() { t.visit(a); d.wait() }, func() { d.signal(); t.visit(b) })
		}
	case 2:
		For(2, 1, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				t.visit(n.child(uint64(i) + 1))
			}
		})
	case 3:
		Block(func() { runtime.Gosched() })
		Both(t.visit, a, b)
	case 4, 5:
		t.failing(r, n)
	case 6:
		runtime.Gosched()
		fallthrough
	default:
		Both(t.visit, a, b)
	}
	return 1
}

// failing visits the children, one of which panics or exits when it is done, or does so itself.
func (t *forkTree) failing(r *rand.Rand, n forkNode) {
	if !t.fails {
		Both(t.visit, n.child(1), n.child(2))
		return
	}
	bad := uint64(1 + r.IntN(3))
	exits := r.IntN(2) == 0
	visit := func(i uint64) int {
		t.visit(n.child(i))
		if i == bad && exits {
			Exit()
		} else if i == bad {
			panic(i)
		}
		return 1
	}
	fork := func() { Both(visit, 1, 2) }
	if r.IntN(2) == 0 {
		fork = func() { For(2, 1, func(lo, hi int) { visit(uint64(lo) + 1) }) }
	}
	if !exits {
		func() {
			defer func() { must(bad == 3, recover() == nil) }()
			fork()
		}()
		return
	}
	err := Current().Run(fork)
	must(bad == 3, err == nil)
	must(bad != 3, errors.Is(err, ErrExited) || errors.Is(err, ErrClosed))
}

func must(want, got bool) {
	if want != got {
		panic("a failure was lost or invented")
	}
}

func TestStressForkTree(t *testing.T) {
	const depth, trees = 8, 4
	forProcs(t, func(t *testing.T, s *Scheduler) {
		stop := make(chan struct{})
		var helpers, wg sync.WaitGroup
		helpers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					if i%4 == 0 {
						runtime.GC()
					}
					s.SetProcs(1 + i%8)
					runtime.Gosched()
				}
			}
		})
		tree := forkTree{fails: true}
		seed := rand.Uint64()
		for i := range trees {
			wg.Go(func() {
				require.NoError(t, s.Run(func() { tree.visit(forkNode{depth, seed + uint64(i)}) }))
			})
		}
		wg.Wait()
		close(stop)
		helpers.Wait()
		require.EqualValues(t, trees<<depth, tree.leaves.Load(), "seed %d", seed)
	})
}

// TestStressForkTreeClose closes the scheduler under running trees: all end, and no goroutine stays.
func TestStressForkTreeClose(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		for round := range 6 {
			before := plainGoroutines()
			s, err := New(Config{Procs: procs, PanicHandler: func(*PanicError) {}})
			require.NoError(t, err)
			tree := forkTree{fails: round%2 == 0}
			var wg sync.WaitGroup
			for i := range 4 {
				wg.Go(func() {
					err := s.Run(func() {
						for k := uint64(0); ; k++ {
							tree.visit(forkNode{6, k<<8 + uint64(i)})
							Yield()
						}
					})
					if err == nil {
						t.Error("an endless task has returned")
					}
				})
			}
			until(t, "the trees grow", func() bool { return tree.leaves.Load() > 100*int64(round) }, s)
			within(t, func() { require.NoError(t, s.Close()) }, s)
			within(t, wg.Wait, s)
			goroutinesBack(t, before)
		}
	}
}
