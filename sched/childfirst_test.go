package sched

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
)

// childFirst is BeginChild and the rest on the calling task; false means that there was nothing to begin.
func childFirst() bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	gp := Self()
	leave := gp.BeginChild()
	if leave == nil {
		return false
	}
	leave()
	gp.EndChild()
	return true
}

// anyPace puts children first however long the tasks take.
func anyPace(t *testing.T) {
	set := func(ns int64) int64 {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}
		old := childPaceNS
		childPaceNS = ns
		return old
	}
	old := set(unknownPace)
	t.Cleanup(func() { set(old) })
}

// trusting makes the caller's P forget its doubts.
func trusting() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	self().m.p.guess = guess{}
}

func childFailed() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	Self().ChildFailed()
}

// most asserts that f is true most of the time: now and then it is another's turn.
func most(t *testing.T, f func() bool, what string) {
	const n = 200
	have := 0
	for range n {
		if f() {
			have++
		}
	}
	require.Greater(t, have, n*3/4, what)
}

// TestChildFirst: only a task of the caller's own that is next and has not begun is run, up to its end or until it parks.
func TestChildFirst(t *testing.T) {
	anyPace(t)
	require.False(t, childFirst(), "a plain goroutine")
	var panics atomic.Int32
	s := newTest(t, Config{Procs: 1, Tunables: unhelped, PanicHandler: func(*PanicError) { panics.Add(1) }})
	run(t, s, func() {
		var order []string
		var mu sync.Mutex // nobody waits for it; the tasks are in no order to the race detector
		note := func(name string) { mu.Lock(); order = append(order, name); mu.Unlock() }
		for _, c := range []struct {
			name  string
			child func()
		}{
			{"returns", func() { note("child") }},
			{"goes on", func() { note("child"); Yield(); note("later") }},
			{"exits", func() { defer note("child"); runtime.Goexit() }},
			{"panics", func() { defer note("child"); panic("a panic") }},
		} {
			most(t, func() bool {
				trusting()
				mu.Lock()
				order = nil
				mu.Unlock()
				Go(func() { note("other") })
				Go(c.child) // is next; the other has the place behind
				first := childFirst()
				mu.Lock()
				seen := order
				mu.Unlock()
				for range 3 {
					Yield()
				}
				return first && slices.Equal(seen, []string{"child"})
			}, c.name)
		}
		require.NotZero(t, panics.Load())
	})
}

// TestNotTheChild: nothing that the caller hasn't made itself, or that has begun, or waits in the ring.
func TestNotTheChild(t *testing.T) {
	anyPace(t)
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	run(t, s, func() {
		for range 200 {
			require.False(t, childFirst(), "none")
		}
		for range 200 {
			var parked atomic.Pointer[G]
			Go(func() {
				parked.Store(Self())
				Park(WaitReasonZero, nil, nil)
			})
			for parked.Load() == nil {
				Yield()
			}
			parked.Load().Ready()
			require.False(t, childFirst(), "one that has begun")
			Yield()
		}
		for range 200 {
			var ran atomic.Bool
			Go(func() { Go(func() { ran.Store(true) }) })
			Go(Yield) // the first is in the ring now, and is to make its child while this one goes to the ring's end
			Yield()
			if !ran.Load() {
				require.False(t, childFirst(), "another's")
			}
			Yield()
		}
	})
	for what, tun := range map[string]Tunables{"without runnext": {NoRunnext: true}, "switched off": {NoChildFirst: true}} {
		tun.NoRelief, tun.NoPreemption = true, true
		never := newTest(t, Config{Procs: 1, Tunables: tun})
		run(t, never, func() {
			Go(func() {})
			require.False(t, childFirst(), what)
		})
	}
}

// TestLongTasksGoFirstNowhere: where tasks take long a parent queues up, and is there for whoever ends its wait.
func TestLongTasksGoFirstNowhere(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	run(t, s, func() {
		for range 300 {
			Go(func() {
				for end := s.nanotime() + 4_000; s.nanotime() < end; {
				}
			})
			Yield()
		}
		for range 50 {
			Go(func() {
				for end := s.nanotime() + 4_000; s.nanotime() < end; {
				}
			})
			require.False(t, childFirst())
			Yield()
		}
	})
}

// TestGuess: who is always wrong is asked seldom, and who is right again is soon believed.
func TestGuess(t *testing.T) {
	anyPace(t)
	s := newTest(t, Config{Procs: 1, Tunables: unhelped})
	run(t, s, func() {
		tries := func(n int, fails bool) (tried int) {
			for range n {
				Go(func() {})
				if childFirst() {
					tried++
					if fails {
						childFailed()
					}
				}
				Yield()
			}
			return tried
		}
		require.Greater(t, tries(200, false), 100, "it is right")
		require.Less(t, tries(2000, true), 30, "it is wrong")
		tries(1000, false)
		require.Greater(t, tries(200, false), 100, "it is right again")
	})
}
