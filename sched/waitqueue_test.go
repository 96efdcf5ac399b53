package sched

import (
	"context"
	"math/rand"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rawlock"
)

// TestWaitQueueAgainstModel: a slice does the same.
func TestWaitQueueAgainstModel(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	var q, other WaitQueue
	var model []*Waiter
	stranger := &Waiter{}
	other.PushBack(stranger)
	all := make([]*Waiter, 8)
	for i := range all {
		all[i] = &Waiter{G: &G{}}
		all[i].G.state.Store(gWaiting)
	}
	for range 20_000 {
		w := all[r.Intn(len(all))]
		switch op := r.Intn(4); {
		case op == 3:
			got := q.Claim()
			if len(model) == 0 {
				require.Nil(t, got)
				break
			}
			require.Same(t, model[0], got)
			model = model[1:]
			require.EqualValues(t, gClaimed, got.G.state.Load())
			got.G.state.Store(gWaiting)
		case op == 2:
			i := slices.Index(model, w)
			require.Equal(t, i >= 0, w.Remove())
			if i >= 0 {
				model = slices.Delete(model, i, i+1)
			}
		case w.Queued():
		case op == 1:
			q.PushFront(w)
			model = append([]*Waiter{w}, model...)
		default:
			q.PushBack(w)
			model = append(model, w)
		}
		require.Equal(t, len(model) == 0, q.Empty())
		at := q.First()
		for _, w := range model {
			require.Same(t, w, at)
			require.True(t, w.Queued())
			at = at.Next()
		}
		require.Nil(t, at)
	}
	require.Same(t, stranger, other.First())
}

// TestClaimPassesOverUnwound: Gs that somebody else has won are taken out, and not returned.
func TestClaimPassesOverUnwound(t *testing.T) {
	var q WaitQueue
	states := []uint32{gRunnable, gWaiting, gRunnable, gWaiting, gRunnable}
	ws := make([]*Waiter, len(states))
	fill := func() {
		for i, state := range states {
			ws[i] = &Waiter{G: &G{}}
			ws[i].G.state.Store(state)
			q.PushBack(ws[i])
		}
	}
	fill()
	require.Same(t, ws[1], q.Claim())
	require.Same(t, ws[3], q.Claim())
	require.Nil(t, q.Claim())
	fill()
	won, lost := q.ClaimAll()
	require.Equal(t, 3, lost)
	require.True(t, q.Empty())
	require.Same(t, ws[1], won.First())
	require.Same(t, ws[3], won.First().Next())
	require.Nil(t, won.First().Next().Next())
	for _, w := range ws {
		require.False(t, w.Remove(), "in no queue")
	}
}

// TestWaiterStaysWithItsG, and a goroutine has one too.
func TestWaiterStaysWithItsG(t *testing.T) {
	require.Same(t, Self().Waiter(), Self().Waiter())
	require.Same(t, Self(), Self().Waiter().G)
	s := newTest(t, Config{Procs: 1})
	run(t, s, func() {
		require.Same(t, Self().Waiter(), Self().Waiter())
		require.Same(t, Self(), Self().Waiter().G)
	})
}

// TestCancelOn: the end of a context ends a wait, or is found before it begins; after stop it does nothing.
func TestCancelOn(t *testing.T) {
	s := newTest(t, Config{Procs: 2, DetectDeadlock: true})
	var lock rawlock.Mutex
	var q WaitQueue
	for _, when := range []string{"during", "before", "after"} {
		ctx, cancel := context.WithCancel(context.Background())
		within(t, func() {
			run(t, s, func() {
				if hb.On { // what follows is a primitive's inside
					hb.Enter()
					defer hb.Leave()
				}
				w := &Waiter{G: Self()}
				stop := w.CancelOn(ctx, &lock)
				require.EqualValues(t, 1, s.expected.Load(), "no deadlock is reported")
				switch when {
				case "during":
					lock.Lock()
					q.PushBack(w)
					Go(cancel)
					leave := w.G.BeginPark(WaitReasonZero, &lock)
					leave()
					require.True(t, w.G.EndPark())
					require.True(t, w.Cancelled)
					require.False(t, w.Queued())
				case "before":
					cancel()
					for cancelled := false; !cancelled; Yield() {
						lock.Lock()
						cancelled = w.Cancelled
						lock.Unlock()
					}
				}
				stop()
				if when == "after" {
					cancel()
					require.False(t, w.Cancelled)
				}
				require.Zero(t, s.expected.Load())
			})
		}, s)
	}
}

// TestCedeLetsTheReadiedRun, and the caller comes back, not unwound by a Close meanwhile.
func TestCedeLetsTheReadiedRun(t *testing.T) {
	for _, wired := range []bool{false, true} {
		s := newTest(t, Config{Procs: 1})
		var order []string
		within(t, func() {
			run(t, s, func() {
				if wired {
					LockOSThread()
					defer UnlockOSThread()
				}
				var parked atomic.Pointer[G]
				var mu sync.Mutex
				note := func(who string) {
					mu.Lock()
					defer mu.Unlock()
					order = append(order, who)
				}
				Go(func() {
					parked.Store(Self())
					Park(WaitReasonZero, nil, nil)
					note("readied")
				})
				for parked.Load() == nil || parked.Load().state.Load() != gWaiting {
					Yield()
				}
				Go(func() { note("other") })
				parked.Load().Ready()
				Cede()
				note("caller")
			})
		}, s)
		require.Equal(t, "readied", order[0])
		require.Contains(t, order, "caller")
	}
	Cede() // nothing, on a goroutine
}

// TestMovedWaiterIsNotReadHalf: a dump sees what a task waits for before or after it is moved.
func TestMovedWaiterIsNotReadHalf(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	var a, b rawlock.Mutex
	var qa, qb WaitQueue
	s.Go(func() {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}
		gp := Self()
		a.Lock()
		qa.PushBack(gp.Waiter())
		leave := gp.BeginPark(WaitReasonCondWait, &a)
		leave()
		gp.EndPark()
	})
	var w *Waiter
	until(t, "it is parked", func() bool {
		a.Lock()
		defer a.Unlock()
		w = qa.First()
		return w != nil && w.G.state.Load() == gWaiting
	}, s)
	const rounds = 20_000
	var over atomic.Bool
	go func() {
		defer over.Store(true)
		for range rounds {
			a.Lock()
			b.Lock()
			moved := w.MoveTo(&qb, WaitReasonMutexLock, &b) && w.MoveTo(&qa, WaitReasonCondWait, &a)
			b.Unlock()
			a.Unlock()
			if !moved {
				t.Error("it was unwound")
			}
		}
	}()
	seen := 0
	for !over.Load() {
		v, ok := w.G.lookOnce()
		if !ok || !v.steady {
			continue
		}
		seen++
		require.Equal(t, v.reason == WaitReasonMutexLock, v.on == unsafe.Pointer(&b))
	}
	t.Logf("%d looks", seen)
	a.Lock()
	w.Remove()
	a.Unlock()
	w.G.Ready()
}
