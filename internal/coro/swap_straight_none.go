//go:build (386 || riscv64 || ((amd64 || arm64) && race)) && !userrt_goroutine && !userrt_nogetg

package coro

// learnMore has nothing to do where coroswitch stays in between: on other processors, and under the race detector, which has to be told
// of each switch. See swap_straight.go.
func learnMore(uintptr) {}
