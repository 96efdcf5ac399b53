// Package clock is the one place below bench that reads the clock.
package clock

import (
	"time"
	_ "unsafe" // for go:linkname
)

// started lies between start and after.
var (
	start   = nanotime()
	started = time.Now()
	after   = nanotime()
)

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

// Bubbled reports whether the caller is in a synctest bubble: time.Since goes by the bubble's clock there, which begins in the year 2000, so
// it lies outside what two looks at the real one leave it. No function tells that to other packages.
func Bubbled() bool {
	now := nanotime()
	since := int64(time.Since(started))
	return since < now-after || since > nanotime()-start
}
