//go:build (amd64 || arm64 || 386 || riscv64) && !userrt_nogetg

package getg

// Get returns the calling goroutine's key; never 0.
func Get() uintptr
