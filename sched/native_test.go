package sched

import (
	"flag"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/getg"
	"github.com/userrt/userrt/internal/rawlock"
)

// crowds is how many goroutines TestCrowdsOfGoroutinesLeaveNothing makes, in 10,000s: 100 is a million.
var crowds = flag.Int("crowds", 10, "crowds of 10,000 in TestCrowdsOfGoroutinesLeaveNothing")

// crowd is a primitive for many: wait blocks, release wakes all who wait.
type crowd struct {
	lock    rawlock.Mutex
	waiting []*G
	n       atomic.Int32
}

func (c *crowd) wait() {
	gp := Self()
	c.lock.Lock()
	c.waiting = append(c.waiting, gp)
	c.n.Add(1)
	Park(WaitReasonTaskWait, func(_ *G, arg unsafe.Pointer) bool {
		(*rawlock.Mutex)(arg).Unlock()
		return true
	}, unsafe.Pointer(&c.lock))
}

func (c *crowd) release() {
	c.lock.Lock()
	all := c.waiting
	c.waiting = nil
	c.n.Store(0)
	c.lock.Unlock()
	for _, gp := range all {
		gp.Ready()
	}
}

// TestCrowdsOfGoroutinesLeaveNothing lets crowds block once each; the table of entries must stay in
// proportion to one crowd, and shrink to what lives when all have gone.
func TestCrowdsOfGoroutinesLeaveNothing(t *testing.T) {
	if !getg.Reused {
		t.Skip("nothing tells here when a goroutine has ended")
	}
	const size = 10_000
	coro.Sweep()
	before, _ := coro.Entries()
	for i := range *crowds {
		within(t, func() {
			var c crowd
			var wg sync.WaitGroup
			for range size {
				wg.Go(c.wait)
			}
			for c.n.Load() < size {
				runtime.Gosched()
			}
			c.release()
			wg.Wait()
		})
		if i%20 == 0 {
			runtime.GC()
		}
		n, room := coro.Entries()
		require.LessOrEqual(t, n, 2*size+2*before+100)
		require.LessOrEqual(t, room, 16*size)
	}
	// One after the other, so few are alive: in as many as there are entries, these go.
	within(t, func() {
		for range 2*size + 100 {
			done := make(chan bool)
			go func() {
				Self()
				close(done)
			}()
			<-done
		}
	})
	n, room := coro.Entries()
	require.LessOrEqual(t, n, 2*before+200)
	require.LessOrEqual(t, room, 16*(before+200))
}

// TestAGoroutineNeverGetsAnothersEntry compares the Gs of all that are alive, while gs are used again.
func TestAGoroutineNeverGetsAnothersEntry(t *testing.T) {
	const size, crowds = 200, 50
	within(t, func() {
		for range crowds {
			mine := make([]*G, size)
			var all, done sync.WaitGroup
			all.Add(size)
			for i := range size {
				done.Go(func() {
					gp := Self()
					all.Done()
					all.Wait()
					if i%50 == 0 {
						coro.Sweep()
					}
					mine[i] = gp
					if Self() != gp {
						mine[i] = nil
					}
				})
			}
			done.Wait()
			seen := map[*G]bool{}
			for _, gp := range mine {
				require.NotNil(t, gp, "an entry changed while its goroutine lived")
				require.False(t, seen[gp])
				seen[gp] = true
			}
		}
	})
}

// TestEntryIsReplacedWithItsGoroutine: the G of an ended goroutine is not handed on, so a late Ready of it
// reaches nobody.
func TestEntryIsReplacedWithItsGoroutine(t *testing.T) {
	if !getg.Reused {
		t.Skip("no key is seen again here")
	}
	seen := map[uintptr]*G{}
	within(t, func() {
		for reused := 0; reused < 10; {
			done := make(chan bool)
			go func() {
				key, gp := getg.Get(), Self()
				if old := seen[key]; old != nil {
					reused++
					if old == gp {
						reused = 1 << 30
					}
				}
				seen[key] = gp
				close(done)
			}()
			<-done
			if reused >= 1<<30 {
				t.Error("a new goroutine has an ended one's G")
			}
		}
	})
}

func BenchmarkSelfOnAPlainGoroutine(b *testing.B) {
	for b.Loop() {
		Self()
	}
}

func BenchmarkSelfOnANewGoroutine(b *testing.B) {
	var wg sync.WaitGroup
	for b.Loop() {
		wg.Add(1)
		go func() {
			Self()
			wg.Done()
		}()
		wg.Wait()
	}
}
