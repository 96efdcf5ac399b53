//go:build !(race && linux && amd64 && go1.26 && !go1.28 && !userrt_nogetg && !userrt_nohb)

package hb

import "unsafe"

// On reports whether this build tells the race detector of tasks. Here it does not, and no function does anything; the
// other file has what they are for.
const On = false

// Enter does nothing.
func Enter() {}

// Leave does nothing.
func Leave() {}

// Out does nothing.
func Out() {}

// Back does nothing.
func Back() {}

// OutFor does nothing.
func OutFor(addr unsafe.Pointer) {}

// OutAfter does nothing.
func OutAfter(addr unsafe.Pointer) {}

// BackFor does nothing.
func BackFor() {}

// ByUser is false.
func ByUser() bool { return false }

// Fresh does nothing.
func Fresh(addr unsafe.Pointer, size uintptr) {}

// Tell does nothing.
func Tell() {}

// Register does nothing.
func Register() {}

// Unregister does nothing.
func Unregister() {}

// Task does nothing.
func Task(pc uintptr, from unsafe.Pointer, tell bool) {}

// TaskOver does nothing.
func TaskOver() {}

// TaskGone does nothing.
func TaskGone(at unsafe.Pointer) {}

// Acquire does nothing.
func Acquire(addr unsafe.Pointer) {}

// Release does nothing.
func Release(addr unsafe.Pointer) {}

// ReleaseStore does nothing.
func ReleaseStore(addr unsafe.Pointer) {}

// Read does nothing.
func Read(addr unsafe.Pointer) {}

// Write does nothing.
func Write(addr unsafe.Pointer) {}

// Ctx is nothing.
type Ctx struct{}

// User returns nothing.
func User() Ctx { return Ctx{} }

// Acquire does nothing.
func (Ctx) Acquire(addr unsafe.Pointer) {}

// Release does nothing.
func (Ctx) Release(addr unsafe.Pointer) {}

// ReleaseStore does nothing.
func (Ctx) ReleaseStore(addr unsafe.Pointer) {}

// Word is nothing.
type Word struct{}

// Addr returns nil.
func (*Word) Addr() unsafe.Pointer { return nil }
