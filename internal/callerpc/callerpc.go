// Package callerpc tells where a function will return to: one program counter in its caller. It is
// how a task learns where it was made, for a crash or a dump to show.
//
// The runtime has the same from its compiler (internal/runtime/sys/intrinsics.go, GetCallerPC). A
// library finds it through the frame pointer, which the compiler keeps on amd64 and arm64: two loads
// and a call, 1.3 ns, where runtime.Callers with its unwinder takes 175 ns. On 386 and riscv64
// there is no frame pointer, and Get says so by 0. Elsewhere a spawn is slow already, and Get unwinds.
//
// The function that asks must not be inlined, or the answer is about its caller: mark it go:noinline.
package callerpc
