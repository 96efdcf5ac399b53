package sched

import (
	"time"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rng"
)

// The choices that a driver which records or explores schedules takes into its own hands, one small
// function each. The runtime has no counterpart.

// nanotime is the scheduler's clock, in ns.
func (s *Scheduler) nanotime() int64 { return clock.Nanotime() }

// Now is the wall clock, for what is shown to users.
func (s *Scheduler) Now() time.Time { return clock.Now() }

// Nanotime is s's clock, for primitives: monotonic nanoseconds since the program began.
func (s *Scheduler) Nanotime() int64 {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return s.nanotime()
}

// Nanotime is the clock of gp's scheduler, for primitives: monotonic nanoseconds since the program began.
func (gp *G) Nanotime() int64 {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if s := gp.s; s != nil {
		return s.nanotime()
	}
	return clock.Nanotime()
}

// Procs returns how many tasks of gp's scheduler may run at the same time, or the number of processors if gp is a plain
// goroutine's entry.
func (gp *G) Procs() int {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if s := gp.s; s != nil {
		return int(s.procs.Load())
	}
	return cores
}

// Rand returns 64 random bits for a primitive's choice, from the random source of the calling task's P, which
// Config.Seed sets; on a plain goroutine from the process's. The same in Go: runtime/rand.go, cheaprand64.
func Rand() uint64 {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	st := self()
	if st == nil || st.m.p == nil {
		return rng.Seed()
	}
	return st.m.p.rng.Uint64()
}
