// Cond: no Wait returns without a Signal or Broadcast that is for it. The same in Go: sync/cond_test.go, TestCondBroadcast and
// TestCondSignalGenerations.

package locks

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
)

// broadcasts has n callers wait once a round, without a condition that would swallow a Wait which returns too early, or twice.
func broadcasts(t *testing.T, cs *testsched.Callers, c *Cond, n, rounds int) {
	round, awake := 0, 0
	var wrong atomic.Int32
	for range n {
		cs.Go(func() {
			c.L.Lock()
			defer c.L.Unlock()
			for mine := range rounds {
				c.Wait()
				awake++
				if round != mine+1 {
					wrong.Add(1)
				}
			}
		})
	}
	for i := range rounds {
		c.untilParked(t, n)
		cs.Do(func() {
			c.L.Lock()
			defer c.L.Unlock()
			if awake != i*n {
				wrong.Add(1)
			}
			round++
			c.Broadcast()
		})
	}
	cs.Wait()
	require.Zero(t, wrong.Load())
	require.Equal(t, n*rounds, awake)
	c.Broadcast() // nobody
}

// TestBroadcastWakesAll, each once a round, with all kinds of Locker.
func TestBroadcastWakesAll(t *testing.T) {
	forLockers(t, func(t *testing.T, cs *testsched.Callers, c *Cond) { broadcasts(t, cs, c, 20, 6) })
}

// TestStressBroadcast is a crowd over many rounds.
func TestStressBroadcast(t *testing.T) {
	n, rounds := 200, 50
	if hb.On {
		n, rounds = 100, 20
	}
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		broadcasts(t, cs, NewCond(&Mutex{}), n, rounds)
	})
}

// TestSignalIsForThoseBefore: who signals and then begins to wait, without the lock free in between, leaves the Signal to the one that has
// waited before, although that one has not run since.
func TestSignalIsForThoseBefore(t *testing.T) {
	const n = 30
	forLockers(t, func(t *testing.T, cs *testsched.Callers, c *Cond) {
		awake := make(chan int, n)
		for i := range n {
			cs.Go(func() {
				c.L.Lock()
				if i > 0 {
					c.Signal()
				}
				c.Wait()
				awake <- i
				c.L.Unlock()
			})
			if i == 0 {
				c.untilParked(t, 1)
			} else {
				require.Equal(t, i-1, <-awake)
			}
		}
		cs.Do(func() { c.L.Lock(); c.Signal(); c.L.Unlock() })
		require.Equal(t, n-1, <-awake)
		cs.Wait()
	})
}
