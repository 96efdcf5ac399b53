//go:build go1.26 && !go1.28 && (amd64 || arm64) && !userrt_goroutine && !userrt_nogetg && !race

package coro

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/getg"
)

// TestFetchAheadKnowsWhereStacksEnd: in the native g of a stack that has left stands an address just below its last frame. Were it another
// word, nothing but time would be lost, and nobody would notice.
func TestFetchAheadKnowsWhereStacksEnd(t *testing.T) {
	onG0(t, func(g0 *Stack) {
		st := &Stack{}
		var here uintptr
		New(st, func(*Stack) {
			var local int
			for !Marked(st) { // for good
				here = addressOf(&local)
				Switch(st, g0)
			}
		})
		Switch(g0, st)
		require.NotZero(t, st.key)
		require.NotEqual(t, getg.Get(), st.key)
		sp := *(*uintptr)(unsafe.Add(*(*unsafe.Pointer)(unsafe.Pointer(&st.key)), gSP)) // a g is never moved
		require.Less(t, sp, here)
		require.Less(t, here-sp, uintptr(1024))

		seen := *st
		FetchAhead(unsafe.Pointer(g0), nil, nil, nil)
		FetchAhead(nil, st, nil, nil)
		FetchAhead(nil, nil, st, nil)
		FetchAhead(nil, nil, nil, st)
		FetchAhead(nil, g0, nil, nil) // lies in no cell
		require.Equal(t, seen, *st, "nothing but time is changed")
		Switch(g0, st)
	})
}

// addressOf lets local stay on the stack also with -asan and -d=checkptr=2, where what becomes an unsafe.Pointer moves to the heap.
//
//go:noinline
//go:nocheckptr
func addressOf(local *int) uintptr { return uintptr(unsafe.Pointer(local)) }
