//go:build unix

// How many descriptors this process may have. The runtime raises its limit to the highest that is allowed, and so does the
// client's.

package main

import (
	"math"

	"golang.org/x/sys/unix"
)

// fileLimit returns it; if the system doesn't say, there is none.
func fileLimit() uint64 {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return math.MaxUint64
	}
	return uint64(limit.Cur)
}
