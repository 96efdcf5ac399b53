package sched

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// All features at once, at random: what one leaves behind is what the next one finds.

var mixedFor = flag.Duration("mixed", 2*time.Second, "how long TestMixedStress goes on")

// mix is one scheduler with its load.
type mix struct {
	s     *Scheduler
	wired atomic.Int32 // tasks that are wired, fewer than there may be threads
	todo  atomic.Int64 // acts left
	fired atomic.Int64

	spawned, started, ended, parked, readied atomic.Int64
}

// hooks counts.
func (x *mix) hooks() Hooks {
	return Hooks{
		TaskSpawned: func(_, _ uint64) { x.spawned.Add(1) },
		TaskStarted: func(uint64, int) { x.started.Add(1) },
		TaskParked:  func(uint64, WaitReason) { x.parked.Add(1) },
		TaskReadied: func(uint64) { x.readied.Add(1) },
		TaskEnded:   func(uint64) { x.ended.Add(1) },
	}
}

// mixedConfig draws a Config.
func mixedConfig(r *rand.Rand, x *mix) Config {
	maybe := func() bool { return r.IntN(5) == 0 }
	c := Config{
		Procs:          []int{1, 2, 8}[r.IntN(3)],
		MaxThreads:     []int{0, 0, 5, 12}[r.IntN(4)],
		IdleThread:     []time.Duration{0, 30 * time.Microsecond, time.Millisecond}[r.IntN(3)],
		DetectDeadlock: r.IntN(2) == 0,
		Seed:           r.Uint64() | 1,
		PanicHandler:   func(*PanicError) {},
		Tunables: Tunables{
			FairTicks: []int{0, 0, 1, 3, -1}[r.IntN(5)],
			RunqSize:  []int{0, 0, 2, 16}[r.IntN(4)],
			TimeSlice: []time.Duration{0, 100 * time.Microsecond}[r.IntN(2)],
			NoRunnext: maybe(), StealOne: maybe(), NoSpinning: maybe(), NoStealing: maybe(),
			NoDirectSwitch: maybe(), NoStacklessStart: maybe(), NoPrefetch: maybe(), NoChildFirst: maybe(), NoKeeping: maybe(), NoLending: maybe(), NoPace: maybe(), NoPreemption: maybe(),
		},
	}
	if r.IntN(2) == 0 {
		c.Hooks = x.hooks()
	}
	return c
}

// act does something at random, which may do more of it.
func (x *mix) act(depth int) {
	if depth > 4 || x.todo.Add(-1) < 0 {
		return
	}
	next := func() { x.act(depth + 1) }
	switch rand.IntN(15) {
	case 0:
		Sleep(time.Duration(rand.IntN(200)) * time.Microsecond)
		next()
	case 1:
		Yield()
		next()
	case 2:
		Go(next)
		GoWith(next, TaskOptions{Name: "named"})
	case 3:
		Join(next, next, next)
	case 4:
		Both(func(int) int { next(); return 1 }, 1, 2)
	case 5:
		For(20, 1, func(lo, _ int) {
			if lo%5 == 0 {
				next()
			}
		})
	case 6:
		Block(func() {
			if rand.IntN(2) == 0 {
				time.Sleep(50 * time.Microsecond)
			}
			if rand.IntN(4) == 0 {
				x.s.Go(next)
			}
		})
		next()
	case 7:
		if x.wired.Add(1) > 2 {
			x.wired.Add(-1)
			return
		}
		LockOSThread()
		defer func() {
			if rand.IntN(3) > 0 {
				UnlockOSThread()
			}
			x.wired.Add(-1)
		}()
		next()
		Sleep(time.Duration(rand.IntN(50)) * time.Microsecond)
		next()
	case 8:
		_ = Scoped(context.Background(), func(sc *Scope) error {
			sc.SetLimit(2)
			for range 3 {
				sc.Go(func(context.Context) error { next(); return nil })
			}
			return nil
		})
	case 9:
		tm := AfterFunc(time.Duration(rand.IntN(300))*time.Microsecond, func() { x.fired.Add(1) })
		next()
		if rand.IntN(2) == 0 {
			tm.Stop()
		} else {
			tm.Reset(time.Duration(rand.IntN(100)) * time.Microsecond)
		}
	case 10:
		_, _ = Spawn(func() (int, error) { next(); return 1, nil }).Wait()
	case 11:
		switch rand.IntN(6) {
		case 0: // long, without a call of ours
			for end := time.Now().Add(time.Duration(rand.IntN(3)) * time.Millisecond); time.Now().Before(end); {
			}
		case 1:
			time.Sleep(time.Duration(rand.IntN(2)) * time.Millisecond)
		}
		next()
	case 12:
		defer func() { _ = recover() }()
		Join(next, func() { panic("mixed") }, next)
	case 13:
		if rand.IntN(2) == 0 {
			defer next()
			Exit()
		}
		panic("mixed")
	case 14: // with a plain goroutine, which may be lent a P
		var r rally
		var over atomic.Bool
		go func() {
			for {
				r.ping.wait()
				if over.Load() {
					return
				}
				r.pong.signal()
			}
		}()
		defer func() {
			over.Store(true)
			r.ping.signal()
		}()
		for i := range 60 {
			r.ask()
			if i == 40 {
				next()
			}
		}
	}
}

// TestMixedStress runs tasks that do everything, on schedulers of all kinds, and ends them in all ways. What is left
// at rest must add up.
func TestMixedStress(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	before := plainGoroutines()
	r := rand.New(rand.NewPCG(seed, 0))
	for end, round := time.Now().Add(*mixedFor), 0; time.Now().Before(end); round++ {
		x := &mix{}
		cfg := mixedConfig(r, x)
		native := []int{1, 2, 8}[r.IntN(3)]
		t.Run(fmt.Sprintf("%d/gomaxprocs=%d/procs=%d/threads=%d", round, native, cfg.Procs, cfg.MaxThreads), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(native))
			var err error
			x.s, err = New(cfg)
			require.NoError(t, err)
			x.todo.Store(int64(50 + r.IntN(3000)))
			defer func() {
				if t.Failed() {
					t.Logf("seed %d, %+v", seed, cfg)
				}
			}()
			x.run(t, r.IntN(4), cfg.Hooks.any())
		})
		if t.Failed() {
			return
		}
	}
	goroutinesBack(t, before)
}

func (x *mix) run(t *testing.T, how int, hooked bool) {
	s := x.s
	stop := make(chan struct{})
	var outside sync.WaitGroup
	outside.Go(func() { // what others do meanwhile
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			switch n % 8 {
			case 1:
				s.SetProcs(1 + rand.IntN(8))
			case 3:
				_ = s.Dump(io.Discard)
			case 5:
				runtime.GC()
			case 6:
				s.AfterFunc(time.Duration(rand.IntN(1000))*time.Microsecond, func() { x.fired.Add(1) })
			default:
				s.Stats()
			}
			time.Sleep(200 * time.Microsecond)
		}
	})
	var starters sync.WaitGroup
	for range 4 {
		starters.Go(func() {
			for x.todo.Load() > 0 {
				err := s.Run(func() { x.act(0) })
				if dead := new(DeadlockError); errors.As(err, &dead) {
					t.Error(err)
					return
				}
				if errors.Is(err, ErrClosed) {
					return
				}
			}
		})
	}
	within(t, func() {
		switch how {
		case 0: // in the midst of it
			time.Sleep(time.Duration(rand.IntN(5)) * time.Millisecond)
			require.NoError(t, s.Close())
		case 1:
			time.Sleep(time.Duration(rand.IntN(5)) * time.Millisecond)
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rand.IntN(3))*time.Millisecond)
			_ = s.Shutdown(ctx)
			cancel()
		}
		starters.Wait()
		close(stop)
		outside.Wait()
		if how == 2 {
			require.NoError(t, s.Shutdown(context.Background()))
		}
	}, s)
	if how == 3 {
		until(t, "all tasks and timers are over", func() bool { return s.Stats().Tasks == 0 && s.nextTimer() == 0 }, s)
		addsUp(t, restStats(t, s))
		within(t, func() { require.NoError(t, s.Close()) }, s)
	}
	require.Zero(t, s.workersUp.Load())
	require.Zero(t, s.nStacks.Load())
	require.Zero(t, s.nWired.Load())
	st := s.Stats()
	require.Equal(t, st.Spawned, st.Ended)
	require.Zero(t, st.Threads)
	if hooked {
		require.EqualValues(t, st.Spawned, x.spawned.Load())
		require.EqualValues(t, st.Ended, x.ended.Load())
		require.LessOrEqual(t, x.started.Load(), x.ended.Load())
		require.Equal(t, x.parked.Load(), x.readied.Load())
	}
}
