package sched

import (
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
)

func TestTunablesRefused(t *testing.T) {
	for field, tun := range map[string]Tunables{
		"Tunables.TimeSlice":   {TimeSlice: -1},
		"Tunables.RunqSize":    {RunqSize: 257},
		"Tunables.StealRounds": {StealRounds: -1},
	} {
		_, err := New(Config{Tunables: tun})
		var bad *ConfigError
		require.ErrorAs(t, err, &bad)
		require.Equal(t, field, bad.Field)
	}
	_, err := New(Config{Tunables: Tunables{RunqSize: 1}})
	require.ErrorContains(t, err, "RunqSize")
}

// TestStressTunables: with any mechanism off, or any number at its least, everything still works.
func TestStressTunables(t *testing.T) {
	for name, tun := range map[string]Tunables{
		"FairTicks=1":      {FairTicks: 1},
		"FairTicks off":    {FairTicks: -1},
		"TimeSlice=1ns":    {TimeSlice: 1},
		"RunqSize=2":       {RunqSize: 2},
		"StealRounds=1":    {StealRounds: 1},
		"NoRunnext":        {NoRunnext: true},
		"NoStealing":       {NoStealing: true},
		"StealOne":         {StealOne: true},
		"NoSpinning":       {NoSpinning: true},
		"NoDirectSwitch":   {NoDirectSwitch: true},
		"NoStacklessStart": {NoStacklessStart: true},
		"NoPreemption":     {NoPreemption: true},
		"NoRelief":         {NoRelief: true},
		"NoPrefetch":       {NoPrefetch: true},
		"NoChildFirst":     {NoChildFirst: true},
		"NoKeeping":        {NoKeeping: true},
		"NoLending":        {NoLending: true},
		"NoPace":           {NoPace: true},
		"all": {
			FairTicks: math.MaxInt32, TimeSlice: time.Hour, RunqSize: 3, StealRounds: 2,
			NoRunnext: true, NoStealing: true, StealOne: true, NoSpinning: true, NoDirectSwitch: true,
			NoStacklessStart: true, NoPreemption: true, NoRelief: true, NoPrefetch: true, NoChildFirst: true, NoKeeping: true, NoLending: true, NoPace: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, procs := range []int{1, 2, 8} {
				s := newTest(t, Config{Procs: procs, Tunables: tun})
				for range 5 {
					work(t, s)
				}
				run(t, s, func() {
					var a, b door
					Go(func() {
						for range 1000 {
							a.wait()
							b.signal()
						}
					})
					for range 1000 {
						a.signal()
						b.wait()
					}
					Sleep(time.Microsecond)
					Block(runtime.Gosched)
				})
			}
		})
	}
}

func TestNoRunnextIsFIFO(t *testing.T) {
	s := newTest(t, Config{Procs: 1, Tunables: Tunables{NoRunnext: true}})
	var order []int
	run(t, s, func() {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}
		for i := range 5 {
			Go(func() {
				if hb.On {
					hb.Enter()
					defer hb.Leave()
				}
				order = append(order, i)
			})
		}
		Yield()
		order = append(order, 9)
	})
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	require.Equal(t, []int{0, 1, 2, 3, 4, 9}, order)
}

func TestRunqSizeOverflowsSooner(t *testing.T) {
	for size, overflows := range map[int]bool{0: false, 4: true} {
		s := newTest(t, Config{Procs: 1, Tunables: Tunables{RunqSize: size}})
		run(t, s, func() {
			for range 20 {
				Go(func() {})
			}
		})
		s.lock.Lock()
		require.Equal(t, overflows, (*s.allp.Load())[0].nOverflow > 0)
		s.lock.Unlock()
	}
}

func TestStealOneTakesOne(t *testing.T) {
	for one, left := range map[bool]uint32{false: 5, true: 9} {
		s := newTest(t, Config{Procs: 2, Tunables: Tunables{StealOne: one}})
		all := *s.allp.Load()
		gs := newGs(10)
		for _, gp := range gs {
			require.True(t, all[0].runq.put(gp))
		}
		require.NotNil(t, all[0].stealHalf(all[1]))
		require.Equal(t, left, all[0].runq.size())
		for _, p := range all {
			for p.runq.get() != nil { // they were no tasks
			}
		}
		runtime.KeepAlive(gs)
	}
}

func TestNoStealingLeavesTasksWhereTheyAre(t *testing.T) {
	var stolen atomic.Int32
	s := newTest(t, Config{
		Procs: 8, Tunables: Tunables{NoStealing: true, NoRelief: true},
		Hooks: Hooks{TaskStolen: func(uint64, int, int) { stolen.Add(1) }},
	})
	for range 20 {
		work(t, s)
	}
	require.Zero(t, stolen.Load())
}

// TestNoStacklessStart: a new task usually runs on the stack of the one before; not with this.
func TestNoStacklessStart(t *testing.T) {
	for off, same := range map[bool]bool{false: true, true: false} {
		s := newTest(t, Config{Procs: 1, Tunables: Tunables{NoStacklessStart: off}})
		var stacks [2]atomic.Pointer[stack]
		run(t, s, func() {
			var gates [4]door
			for i := range gates { // leave some stacks in the pool
				Go(gates[i].wait)
			}
			Yield()
			for i := range gates {
				gates[i].signal()
			}
			Yield()
			var ended door
			Go(func() { stacks[1].Store(selfStack()); ended.signal() })
			Go(func() { stacks[0].Store(selfStack()) }) // runs first
			ended.wait()
		})
		require.Equal(t, same, stacks[0].Load() == stacks[1].Load())
	}
}
