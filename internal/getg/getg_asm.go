//go:build (amd64 || arm64 || 386 || riscv64) && !userrt_nogetg

package getg

// hasG tells that Get is the address of a g.
const hasG = true

// Reused tells that keys may be seen again when their goroutines have ended.
const Reused = true

// Get returns the calling goroutine's key; never 0.
func Get() uintptr
