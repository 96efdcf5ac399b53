package sched

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rawlock"
)

// parkPairs is how many park/ready pairs TestStressParkReady makes in each of its nine runs.
var parkPairs = flag.Int64("parkpairs", 60_000, "park/ready pairs a run of TestStressParkReady")

// mixedPairs is the most that the one pair of task and goroutine makes: each takes tens of times as long.
const mixedPairs = 10_000

// door lets two Gs take turns: each parks until the other has readied it.
type door struct {
	lock   rawlock.Mutex
	open   bool
	waiter *G
}

func (g *door) wait() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		defer g.passed()
	}
	g.lock.Lock()
	if g.open {
		g.open = false
		g.lock.Unlock()
		return
	}
	gp := Self()
	g.waiter = gp
	leave := gp.BeginPark(WaitReasonZero, &g.lock)
	leave()
	if !gp.EndPark() {
		g.lock.Lock()
		g.waiter = nil
		g.lock.Unlock()
		runtime.Goexit()
	}
}

// passed makes what the one who signals has done happen before.
func (g *door) passed() { hb.Acquire(unsafe.Pointer(g)) }

func (g *door) signal() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Release(unsafe.Pointer(g))
	}
	g.lock.Lock()
	gp := g.waiter
	g.waiter = nil
	if gp == nil || !gp.Claim() {
		g.open = true
		gp = nil
	}
	g.lock.Unlock()
	if gp != nil {
		gp.Ready()
	}
}

// TestStressParkReady makes many pairs of tasks, and of a task and a plain goroutine, wake each
// other. A single lost wake-up makes it hang.
func TestStressParkReady(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const pairs = 16
		var wg sync.WaitGroup
		var count atomic.Int64
		stopTelling := tellProgress(&count, *parkPairs)
		mixed := min(*parkPairs/pairs, mixedPairs)
		others := (*parkPairs - mixed) / (pairs - 1)
		for i := range pairs {
			var a, b door
			n := others
			if i == 0 {
				n = mixed
			}
			wg.Add(2)
			first := func() {
				defer wg.Done()
				for range n {
					a.signal()
					b.wait()
					count.Add(1)
				}
			}
			second := func() {
				defer wg.Done()
				for k := range n {
					a.wait()
					if int(k%64) == i {
						Yield()
					}
					b.signal()
				}
			}
			s.Go(first)
			if i == 0 {
				go second()
			} else {
				s.Go(second)
			}
		}
		wg.Wait()
		stopTelling()
		require.Equal(t, mixed+others*(pairs-1), count.Load())
	})
}

// tellProgress keeps a run that takes long from counting as hanging while count moves, and prints it every 10 s.
func tellProgress(count *atomic.Int64, total int64) (stop func()) {
	done := make(chan struct{})
	ticks := time.NewTicker(time.Second)
	go func() {
		last := int64(0)
		for k := 1; ; k++ {
			select {
			case <-done:
				return
			case <-ticks.C:
			}
			n := count.Load()
			if n != last {
				heartbeat.Add(1)
			}
			last = n
			if k%10 == 0 {
				fmt.Fprintf(os.Stderr, "%d of %d pairs, %.1f %%\n", n, total, 100*float64(n)/float64(total))
			}
		}
	}()
	return func() {
		ticks.Stop()
		close(done)
	}
}

// TestStressEverything lets tasks spawn, yield, park, join, exit and grow their stacks at random
// while the collector runs and the number of Ps changes.
func TestStressEverything(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const tasks = 3000
		var left sync.WaitGroup
		left.Add(tasks)
		var body func(r *rand.Rand, depth int)
		var sum atomic.Int64
		body = func(r *rand.Rand, depth int) {
			defer left.Done()
			for range 5 {
				switch r.IntN(6) {
				case 0:
					Yield()
				case 1:
					sum.Add(int64(deep(r.IntN(60))))
				case 2:
					a, b := 0, 0
					Join(func() { a = deep(3) }, func() { Yield(); b = deep(4) })
					sum.Add(int64(a + b))
				case 3: // woken by a task
					var g door
					Go(g.signal)
					g.wait()
				case 4: // woken by a goroutine
					var g door
					go g.signal()
					g.wait()
				case 5:
					if depth > 0 && r.IntN(10) == 0 {
						Exit()
					}
				}
			}
		}
		stop := make(chan struct{})
		var bg sync.WaitGroup
		bg.Go(func() {
			old := s.SetProcs(0)
			for k := 0; ; k++ {
				select {
				case <-stop:
					s.SetProcs(old)
					return
				default:
					runtime.GC()
					s.SetProcs(1 + k%8)
				}
			}
		})
		s.Go(func() {
			for i := range tasks / 2 {
				Go(func() { body(rand.New(rand.NewPCG(uint64(i), 7)), 1) })
			}
		})
		for i := range tasks / 2 {
			s.Go(func() { body(rand.New(rand.NewPCG(uint64(i), 8)), 1) })
		}
		left.Wait()
		close(stop)
		bg.Wait()
	})
}

//go:noinline
func deep(n int) int {
	var pad [256]byte
	pad[n] = byte(n)
	if n == 0 {
		return 0
	}
	return deep(n-1) + int(pad[n])/n
}

// TestStressWakersFromOutside has several goroutines wake tasks of one P at once: of two wakers, the one
// that finds no idle P must not make the other believe that a worker searches.
func TestStressWakersFromOutside(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const pairs = 6
		n := min(*parkPairs, 60_000) / pairs / 10
		var wg sync.WaitGroup
		for range pairs {
			var there, back door
			wg.Add(1)
			s.Go(func() {
				defer wg.Done()
				for range n {
					there.wait()
					back.signal()
				}
			})
			wg.Go(func() {
				for range n {
					there.signal()
					back.wait()
				}
			})
		}
		wg.Wait()
	})
}
