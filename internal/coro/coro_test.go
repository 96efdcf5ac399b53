package coro

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/getg"
	"github.com/userrt/userrt/internal/patience"
)

// onG0 runs f on a goroutine of its own that is bound as a g0, and waits for it.
func onG0(t *testing.T, f func(g0 *Stack)) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		g0 := &Stack{}
		Bind(g0)
		defer Unbind(g0)
		f(g0)
	}()
	select {
	case <-done:
	case <-time.After(patience.Times(time.Minute)):
		buf := make([]byte, 1<<20)
		t.Fatalf("hangs\n%s", buf[:runtime.Stack(buf, true)])
	}
}

// backTo waits until the number of goroutines is n again.
func backTo(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(patience.Times(10 * time.Second)); runtime.NumGoroutine() > n; runtime.Gosched() {
		if time.Now().After(end) {
			require.FailNow(t, "goroutines left", "%d, want %d", runtime.NumGoroutine(), n)
		}
	}
}

func TestSelfFindsTheRunningStack(t *testing.T) {
	require.Nil(t, Self(), "a plain goroutine is no stack")
	onG0(t, func(g0 *Stack) {
		require.Same(t, g0, Self())
		st := &Stack{}
		var seen *Stack
		New(st, func(*Stack) {
			for !Marked(st) { // for good
				seen = Self()
				Switch(st, g0)
			}
		})
		Switch(g0, st)
		require.Same(t, st, seen)
		require.Same(t, g0, Self())
		seen = nil
		Switch(g0, st)
		require.Same(t, st, seen)
	})
	require.Nil(t, Self())
}

func TestAdoptedEntryIsFoundAndReplaced(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		a, b := &Stack{}, &Stack{}
		Adopt(a)
		require.Same(t, a, Self())
		Adopt(b)
		require.Same(t, b, Self())
		unregister(b)
		require.Nil(t, Self())
	}()
	<-done
}

func TestSwitchGoesStraightFromTaskToTask(t *testing.T) {
	onG0(t, func(g0 *Stack) {
		var order []int
		st := make([]*Stack, 3)
		for i := range st {
			st[i] = &Stack{}
		}
		for i := range st {
			New(st[i], func(*Stack) {
				for round := range 3 {
					order = append(order, 10*round+i)
					if i < 2 {
						Switch(st[i], st[i+1])
					} else {
						Switch(st[i], g0)
					}
				}
				Switch(st[i], g0) // returns when it is buried
			})
		}
		for range 3 {
			Switch(g0, st[0])
		}
		require.Equal(t, []int{0, 1, 2, 10, 11, 12, 20, 21, 22}, order)
	})
}

func TestLabelsOfTheMakerOnly(t *testing.T) {
	onG0(t, func(g0 *Stack) {
		st := &Stack{}
		fresh, after := true, true
		New(st, func(*Stack) {
			fresh = getg.Labels() == nil
			pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("a", "b")))
			Switch(st, g0)
			after = getg.Labels() != nil
			Switch(st, g0)
		})
		Switch(g0, st)
		require.True(t, fresh)
		require.Nil(t, getg.Labels(), "a stack's labels must not come along")
		Switch(g0, st)
		require.True(t, after, "and stay with it")
	})
}

//go:noinline
func grow(depth, id int) int {
	var pad [128]byte
	pad[depth%128] = byte(depth)
	if depth == 0 {
		return id
	}
	return grow(depth-1, id) + int(pad[depth%128])/depth
}

// TestStressMigration moves stacks at random between workers while they grow and shrink and the
// collector runs.
func TestStressMigration(t *testing.T) {
	for _, workers := range []int{1, 2, 8} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) { migrate(t, workers, 300, 60_000) })
	}
}

func migrate(t *testing.T, workers, nstacks, moves int) {
	before := runtime.NumGoroutine()
	var mu sync.Mutex
	var queue []*task
	push := func(g *task) { mu.Lock(); queue = append(queue, g); mu.Unlock() }
	pop := func() *task {
		mu.Lock()
		defer mu.Unlock()
		if len(queue) == 0 {
			return nil
		}
		i := rand.IntN(len(queue))
		g := queue[i]
		queue[i] = queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		return g
	}
	var left, done atomic.Int64
	left.Store(int64(moves))
	stop := make(chan struct{})
	var gc sync.WaitGroup
	gc.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	})
	var ended []*task // all that is dead, for the last g0 to bury
	var all sync.WaitGroup
	var born sync.Once
	for range workers {
		all.Go(func() {
			w := &testWorker{}
			Bind(&w.g0.Stack)
			defer Unbind(&w.g0.Stack)
			w.g0.w = w
			born.Do(func() {
				for i := range nstacks {
					g := &task{id: i}
					New(&g.Stack, func(*Stack) {
						g.w.arrive()
						for k := 0; left.Add(-1) > 0; k++ {
							if grow(k%64, g.id) != g.id+k%64 || Self() != &g.Stack {
								panic("a stack was damaged")
							}
							if to := pop(); to != nil {
								g.switchTo(to, push)
							}
						}
						g.switchTo(g.w.g0At(), func(g *task) {
							mu.Lock()
							ended = append(ended, g)
							mu.Unlock()
							done.Add(1)
						})
					})
					push(g)
				}
			})
			for done.Load() < int64(nstacks) {
				if g := pop(); g != nil {
					w.g0.switchTo(g, nil)
				} else {
					runtime.Gosched()
				}
			}
			mu.Lock()
			for _, g := range ended {
				g.w = w
				Bury(&w.g0.Stack, &g.Stack)
			}
			ended = nil
			mu.Unlock()
		})
	}
	waitOrFail(t, &all)
	close(stop)
	gc.Wait()
	backTo(t, before)
}

func waitOrFail(t *testing.T, wg *sync.WaitGroup) {
	t.Helper()
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(patience.Times(2 * time.Minute)):
		buf := make([]byte, 1<<20)
		t.Fatalf("hangs\n%s", buf[:runtime.Stack(buf, true)])
	}
}

// task and testWorker are a scheduler's G and M, as small as can be.
type task struct {
	Stack
	w  *testWorker
	id int
}

type testWorker struct {
	g0     task
	left   *task
	commit func(*task)
}

func (w *testWorker) g0At() *task { return &w.g0 }

func (g *task) switchTo(to *task, commit func(*task)) {
	w := g.w
	to.w = w
	w.left, w.commit = g, commit
	Switch(&g.Stack, &to.Stack)
	g.w.arrive()
}

func (w *testWorker) arrive() {
	if f := w.commit; f != nil {
		w.commit = nil
		f(w.left)
	}
}

// TestEndingInAnyCell ends stacks, by return and by Goexit, in random order, after they have been
// permuted at random over their cells.
func TestEndingInAnyCell(t *testing.T) {
	before := runtime.NumGoroutine()
	for round := range 500 {
		onG0(t, func(g0 *Stack) {
			r := rand.New(rand.NewPCG(uint64(round), 1))
			n := 1 + r.IntN(8)
			st := make([]*Stack, n)
			ended := 0
			var way []*Stack // where control goes next, one after the other
			dying := false
			for i := range st {
				st[i] = &Stack{}
				New(st[i], func(*Stack) {
					defer func() {
						ended++
						Switch(st[i], g0) // dead; when it runs again it ends
					}()
					for !dying {
						next := way[0]
						way = way[1:]
						Switch(st[i], next)
					}
					if i%2 == 0 {
						runtime.Goexit()
					}
				})
			}
			for range 3 {
				first := -1
				way = nil
				for _, i := range r.Perm(n)[:1+r.IntN(n)] {
					if first < 0 {
						first = i
						continue
					}
					way = append(way, st[i])
				}
				way = append(way, g0)
				Switch(g0, st[first])
			}
			dying = true
			for _, i := range r.Perm(n) {
				Clear(g0, st[i])
				Switch(g0, st[i]) // it dies and comes back here
				Bury(g0, st[i])
			}
			require.Equal(t, n, ended)
		})
	}
	backTo(t, before)
}

func BenchmarkSwitch(b *testing.B) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		g0 := &Stack{}
		Bind(g0)
		defer Unbind(g0)
		var st [2]Stack
		left := b.N
		for i := range st {
			New(&st[i], func(*Stack) {
				for left > 0 {
					left--
					Switch(&st[i], &st[1-i])
				}
				Switch(&st[i], g0)
			})
		}
		b.ResetTimer()
		Switch(g0, &st[0])
	}()
	<-done
}

func BenchmarkSelf(b *testing.B) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		g0 := &Stack{}
		Bind(g0)
		defer Unbind(g0)
		for range b.N {
			if Self() == nil {
				panic("lost")
			}
		}
	}()
	<-done
}
