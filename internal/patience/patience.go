// Package patience tells tests how long to wait before something counts as hanging. On a processor that is
// emulated, or under a debugger, all takes ten or a hundred times as long; docs/platforms.md has examples.
package patience

import (
	"os"
	"strconv"
	"time"
)

// Var is the environment variable that makes tests more patient: a factor, as in USERRT_PATIENCE=10.
const Var = "USERRT_PATIENCE"

// Times returns d times the factor, or d where none is set. It panics when the variable holds anything but a
// whole number of at least 1: a typing error must not look like a test that hangs.
func Times(d time.Duration) time.Duration {
	text := os.Getenv(Var)
	if text == "" {
		return d
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		panic("patience: " + Var + " is " + strconv.Quote(text) + ", want a whole number from 1 to 65535")
	}
	return d * time.Duration(n)
}
