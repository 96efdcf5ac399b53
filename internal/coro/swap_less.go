//go:build (386 || riscv64 || ((amd64 || arm64) && race)) && !userrt_goroutine && !userrt_nogetg

package coro

// learnMore has nothing to do here; see swap_straight.go.
func learnMore(uintptr) {}
