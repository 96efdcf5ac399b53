//go:build amd64 || arm64

// The processor's own pause. The same in Go: runtime/stubs.go, procyield.

package procyield

// Pause runs n > 0 instructions that tell the processor that this is a waiting loop.
//
//go:noescape
func Pause(n uint32)
