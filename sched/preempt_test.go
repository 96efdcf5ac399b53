package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
)

// TestMarkedTaskGivesWay: with one P, a task that runs on and on, but makes calls that look, is made to give
// way to the others, again and again.
func TestMarkedTaskGivesWay(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: Tunables{NoRelief: true}})
	gaveWay := func() (n uint32) {
		for _, p := range *s.allp.Load() {
			n += p.nPreempt.Load()
		}
		return n
	}
	run(t, s, func() {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}

		for gaveWay() < 3 {
			ran := false
			Go(func() {
				if hb.On {
					hb.Enter()
					defer hb.Leave()
				}
				ran = true
			})
			for before := gaveWay(); gaveWay() == before; {
				GiveWay()
			}
			for !ran { // the global queue is FIFO, so it has had its turn or has it now
				Yield()
			}
		}
	})
}

// hogs are tasks that make no call of ours and end when stop says so.
var hogs = map[string]func(stop *atomic.Bool, wake chan struct{}){
	"bare loop": func(stop *atomic.Bool, _ chan struct{}) {
		for !stop.Load() {
		}
	},
	"native channel": func(_ *atomic.Bool, wake chan struct{}) { <-wake },
	"native mutex": func(_ *atomic.Bool, wake chan struct{}) {
		var mu sync.Mutex
		mu.Lock()
		go func() { <-wake; mu.Unlock() }()
		mu.Lock()
	},
	"time.Sleep": func(stop *atomic.Bool, _ chan struct{}) {
		for !stop.Load() {
			time.Sleep(20 * time.Millisecond)
		}
	},
}

// TestStuckTaskIsRelieved: as many hogs as Ps, then more; other tasks go on, by handing a token round, and
// it is one of them that lets the hogs go. Afterwards the relief Ps retire.
func TestStuckTaskIsRelieved(t *testing.T) {
	for name, hog := range hogs {
		t.Run(name, func(t *testing.T) {
			forProcs(t, func(t *testing.T, s *Scheduler) {
				procs := int(s.procs.Load())
				if procs > 2 {
					return // eight bare loops on two processors take too long for a test
				}
				var stop atomic.Bool
				wake := make(chan struct{})
				var all sync.WaitGroup
				var started atomic.Int32
				for range procs + 1 {
					all.Add(1)
					s.Go(func() { defer all.Done(); started.Add(1); hog(&stop, wake) })
				}
				for started.Load() < int32(procs) {
					runtime.Gosched()
				}
				all.Add(1)
				s.Go(func() {
					defer all.Done()
					var a, b door
					Go(func() {
						for range 100 {
							a.wait()
							b.signal()
						}
					})
					for range 100 {
						a.signal()
						b.wait()
					}
					stop.Store(true)
					close(wake)
				})
				all.Wait()
				relieved := uint32(0)
				for _, p := range *s.allp.Load() {
					relieved += p.nRelief.Load()
				}
				require.NotZero(t, relieved)
				// Keep it alive, so that the monitor looks, until it has taken the relief Ps back.
				for int(s.procs.Load()) != procs {
					require.NoError(t, s.Run(func() { runtime.Gosched() }))
				}
				require.Equal(t, procs, s.SetProcs(procs), "as the user has set it")
			})
		})
	}
}
