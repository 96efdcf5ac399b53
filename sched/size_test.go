package sched

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/coro"
)

// A G takes two cache lines, and a task that never parks touches one of them only.
func TestSizeOfG(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("laid out for 64-bit words")
	}
	require.EqualValues(t, 2*lineSize, unsafe.Sizeof(G{}))
	s := newTest(t, Config{Procs: 1})
	run(t, s, func() {})
	for gp := range gsOf(s.slabs()) {
		first, last := uintptr(unsafe.Pointer(&gp.stk)), uintptr(unsafe.Pointer(&gp.parent))
		require.Equal(t, first/lineSize, last/lineSize)
	}
}

// A stack takes cache lines of its own: two with cells.
func TestSizeOfStack(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("laid out for 64-bit words")
	}
	require.Zero(t, unsafe.Sizeof(stack{})%lineSize)
	if coro.Backend == "cell" {
		require.EqualValues(t, 128, unsafe.Sizeof(stack{}))
	}
}
