package sched

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// A synctest bubble is a set of goroutines that the runtime lets use no channel or timer of another.
// A Scheduler's workers must belong to none, whoever calls.

func TestUseFromInsideABubble(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		use := func() {
			var g door
			s.Go(func() { Go(g.signal) })
			g.wait()
			require.NoError(t, s.Run(func() {
				Join(Yield, Yield)
				var g door
				go g.signal()
				g.wait()
			}))
			Join(func() {}, func() {})
		}
		for round := range 3 { // the workers start inside, then serve outside and inside again
			synctest.Test(t, func(*testing.T) { use() })
			if round > 0 {
				use()
			}
		}
	})
}

func TestSchedulerOfABubble(t *testing.T) {
	before := plainGoroutines()
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			s, err := New(Config{Procs: 2})
			require.NoError(t, err)
			var ran atomic.Bool
			require.NoError(t, s.Run(func() { ran.Store(true) }))
			s.Go(parkForever)
			require.NoError(t, s.Close())
			require.True(t, ran.Load())
		})
	}
	goroutinesBack(t, before)
}

// TestGoroutineOfABubbleIsFollowedByAnother: the entry of a goroutine that has waited is found by
// the next one to which the runtime gives the same descriptor, inside of a bubble or not.
func TestGoroutineOfABubbleIsFollowedByAnother(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	wait := func() {
		var g door
		s.Go(g.signal)
		g.wait()
	}
	for range 200 {
		synctest.Test(t, func(*testing.T) {
			done := make(chan struct{})
			go func() {
				wait()
				close(done)
			}()
			<-done
		})
		done := make(chan struct{})
		go func() {
			wait()
			close(done)
		}()
		<-done
	}
}
