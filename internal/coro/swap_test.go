//go:build (amd64 || arm64 || 386 || riscv64) && !userrt_goroutine && !userrt_nogetg

package coro

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A diver swaps at each depth of its stack.
type diver struct {
	h            *hole
	left, faults int
}

// dive has no argument but in a global, so that its frame ends with what it keeps.
//
//go:noinline
func dive() {
	a, b, c, d := diving.left, diving.left+1, diving.left+2, diving.left+3
	diving.h.enter()
	if a != diving.left || b-a != 1 || c-a != 2 || d-a != 3 {
		diving.faults++
	}
	if diving.left--; diving.left > 0 {
		dive()
	}
}

var diving diver

// TestSwitchSparesTheCallersFrame: also where the stack has to grow, or its goroutine is preempted, on the way into the switch. The
// runtime then saves arguments, for which a caller without arguments has left no room.
func TestSwitchSparesTheCallersFrame(t *testing.T) {
	require.NoError(t, learn())
	defer func(was uintptr) { code = was }(code)
	for _, code = range []uintptr{code, byCoroswitch()} {
		diving = diver{left: 10_000}
		diving.h = dig(func() {
			for diving.left > 0 {
				diving.h.enter()
			}
		})
		done := make(chan struct{})
		go func() { // whose stack is small
			defer close(done)
			dive()
			diving.h.enter() // it ends
		}()
		<-done
		require.Zero(t, diving.faults)
	}
}
