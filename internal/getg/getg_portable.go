//go:build !(amd64 || arm64 || 386 || riscv64) || userrt_nogetg

package getg

// hasG tells that Get is the address of a g.
const hasG = false

// Get returns the calling goroutine's key; never 0.
//
// Without assembly the key is the goroutine's id. It takes about a microsecond.
func Get() uintptr { return uintptr(parseGoid()) }
