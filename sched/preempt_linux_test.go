package sched

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A system call that sleeps, made without Block, stands also for a call of C by cgo: either holds the thread in code that
// knows nothing of us, and the runtime gives away its own P only. This module has no cgo to test with.
func init() {
	hogs["system call"] = func(stop *atomic.Bool, _ chan struct{}) {
		for !stop.Load() {
			_ = unix.Nanosleep(&unix.Timespec{Nsec: 20_000_000}, nil) // EINTR: the loop goes on
		}
	}
}
