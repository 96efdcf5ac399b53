//go:build (amd64 || arm64 || 386 || riscv64) && !userrt_nogetg

package getg

// hasG tells that Get is the address of a g.
const hasG = true

// Get returns the calling goroutine's key; never 0.
func Get() uintptr
