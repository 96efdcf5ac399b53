// Package clock is the one place below bench that reads the clock.
package clock

import "time"

var start = time.Now()

// Nanotime returns monotonic nanoseconds since the program began (runtime/time_nofake.go, nanotime).
func Nanotime() int64 { return int64(time.Since(start)) }

// Now is time.Now.
func Now() time.Time { return time.Now() }

// Until returns how long it is until t; negative when t is over.
func Until(t time.Time) time.Duration { return time.Until(t) }
