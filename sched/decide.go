package sched

import "github.com/userrt/userrt/internal/clock"

// The choices that a driver which records or explores schedules takes into its own hands, one small
// function each. The runtime has no counterpart.

// nanotime is the scheduler's clock, in ns.
func (s *Scheduler) nanotime() int64 { return clock.Nanotime() }
