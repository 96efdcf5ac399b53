//go:build !amd64 && !arm64

// A short wait without the processor's help. The same in Go: runtime/stubs.go, procyield.

package procyield

// Pause counts to n, eight times, which takes about as long as n pause instructions where those are
// short.
//
//go:noinline
func Pause(n uint32) {
	for i := uint32(0); i < 8*n; i++ {
	}
}
