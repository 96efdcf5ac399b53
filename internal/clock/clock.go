// Package clock is the one place below bench that reads the clock.
package clock

import (
	"time"
	_ "unsafe" // for go:linkname
)

var start = nanotime()

// Nanotime returns monotonic nanoseconds since the program began. It is the runtime's own clock
// (runtime/time_nofake.go, nanotime), which is left open to other packages. time.Since would do, but its two frames, with a
// check of the stack each, cost a task that looks at the clock while it parks the last of its 2 KiB, and in a synctest bubble its time is not ours.
func Nanotime() int64 { return nanotime() - start }

//go:linkname nanotime runtime.nanotime
func nanotime() int64

// Now is time.Now.
func Now() time.Time { return time.Now() }

// Until returns how long it is until t; negative when t is over.
func Until(t time.Time) time.Duration { return time.Until(t) }
