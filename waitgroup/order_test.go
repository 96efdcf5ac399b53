package waitgroup

import (
	"sync"
	"testing"
	_ "unsafe" // for go:linkname

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestWaitSwapsToTheNewestChild: on one P a parent that waits is followed by the child that it has made last, then by the
// others, all on one pooled stack, and the end of the last child by the parent.
func TestWaitSwapsToTheNewestChild(t *testing.T) {
	s := testsched.New(t, 1)
	var order string
	var mu sync.Mutex // nobody waits for it; the children are in no order to the race detector
	note := func(name string) {
		mu.Lock()
		order += name
		mu.Unlock()
	}
	var stacks int
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			var wg WaitGroup
			for range 2 {
				order = ""
				before := s.Stats()
				for _, name := range []string{"a", "b", "c"} {
					wg.Go(func() { note(name) })
				}
				wg.Wait()
				note("parent")
				stacks = s.Stats().Stacks - before.Stacks
			}
		}))
		require.NoError(t, s.Close())
	})
	require.Zero(t, stacks, "the second time")
	require.Equal(t, "cabparent", order)
}

//go:linkname childPaceNS github.com/userrt/userrt/sched.childPaceNS
var childPaceNS int64

// withOnlyChildren runs f in a task of a Scheduler with one P that lets a parent's only child run first, however slow the machine is.
func withOnlyChildren(t *testing.T, f func()) {
	set := func(ns int64) int64 {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}
		old := childPaceNS
		childPaceNS = ns
		return old
	}
	old := set(1 << 40)
	s, err := sched.New(sched.Config{Procs: 1, Seed: 1, Tunables: sched.Tunables{NoPreemption: true, NoRelief: true}})
	set(old)
	require.NoError(t, err)
	testsched.Within(t, func() {
		require.NoError(t, s.Run(f))
		require.NoError(t, s.Close())
	})
}

// TestOnlyChildRunsFirst: before the parent is counted as a waiter. Now and then it is another's turn.
func TestOnlyChildRunsFirst(t *testing.T) {
	const rounds = 400
	first := 0
	withOnlyChildren(t, func() {
		var wg WaitGroup
		for range rounds {
			waiters := uint32(0)
			wg.Go(func() { waiters = uint32(wg.state.Load()) })
			wg.Wait()
			if waiters == 0 {
				first++
			}
		}
	})
	require.Greater(t, first, rounds*3/4)
}

// TestReuseBehindAChildPanics: a parent that lets its child run first is no waiter for the child's Add, but sees itself that a
// round has passed. A child that adds before it is done may do so.
func TestReuseBehindAChildPanics(t *testing.T) {
	if hb.On {
		t.Skip("a race, of which the detector is told as it is of native ones")
	}
	const rounds = 400
	first := 0
	withOnlyChildren(t, func() {
		for i := range rounds {
			var wg WaitGroup
			wg.Add(1)
			sched.Go(func() {
				if uint32(wg.state.Load()) == 0 {
					first++
				}
				if i%4 == 0 {
					wg.Done()
					wg.Add(1)
					return
				}
				wg.Add(1)
				wg.Done()
				sched.Go(wg.Done)
			})
			want := any(nil)
			if i%4 == 0 {
				want = "sync: WaitGroup is reused before previous Wait has returned"
			}
			if got := testsched.PanicOf(wg.Wait); got != want {
				t.Errorf("round %d: %v", i, got)
			}
		}
	})
	require.NotZero(t, first)
}
