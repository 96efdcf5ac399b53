//go:build unix

// How much processor time this process has taken.

package main

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns what all threads have taken so far, in the kernel too.
func cpuTime() (time.Duration, error) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, os.NewSyscallError("getrusage", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
