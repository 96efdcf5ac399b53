package atom

import (
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/patience"
)

// TestStoreRelPublishes: whoever loads a word that StoreRel has written sees what its writer wrote before, in
// plain memory. Two goroutines hand a record to and fro with each kind of word; -race looks for the edge too.
func TestStoreRelPublishes(t *testing.T) {
	const rounds = 20000
	type record struct{ a, b, c int }
	records := make([]record, rounds+1) // Ptr's word does not keep them alive
	var word Uint32
	var wide Uintptr
	var ptr Ptr[record]
	for name, kind := range map[string]struct {
		store func(i int)
		load  func() int // the last i stored, 0 for none
	}{
		"Uint32":  {func(i int) { word.StoreRel(uint32(i)) }, func() int { return int(word.Load()) }},
		"Uintptr": {func(i int) { wide.StoreRel(uintptr(i)) }, func() int { return int(wide.Load()) }},
		"Ptr": {func(i int) { ptr.StoreRel(&records[i]) }, func() int {
			if r := ptr.Load(); r != nil {
				return int((uintptr(unsafe.Pointer(r)) - uintptr(unsafe.Pointer(&records[0]))) / unsafe.Sizeof(*r))
			}
			return 0
		}},
	} {
		t.Run(name, func(t *testing.T) {
			clear(records)
			wrong, took := make(chan int, 1), make(chan struct{})
			go func() {
				defer close(took)
				for seen := 0; seen < rounds; {
					i := kind.load()
					if r := records[i]; i > 0 && r != (record{i, 2 * i, 3 * i}) {
						wrong <- i
						return
					}
					if seen == i {
						runtime.Gosched()
					}
					seen = i
				}
			}()
			for i := 1; i <= rounds; i++ {
				records[i] = record{i, 2 * i, 3 * i}
				kind.store(i)
				if i%64 == 0 {
					runtime.Gosched()
				}
			}
			select {
			case <-took:
			case <-time.After(patience.Times(time.Minute)):
				require.FailNow(t, "the last store is not seen")
			}
			require.Empty(t, wrong, "a record was seen before it was written")
		})
	}
	runtime.KeepAlive(records)
}

// TestWords: what each operation returns and leaves.
func TestWords(t *testing.T) {
	var u Uint32
	u.Store(5)
	require.Equal(t, uint32(5), u.Peek())
	require.Equal(t, uint32(8), u.Add(3))
	require.Equal(t, uint32(8), u.Or(6))
	require.Equal(t, uint32(14), u.And(3))
	require.Equal(t, uint32(2), u.Swap(9))
	require.False(t, u.CompareAndSwap(2, 1))
	require.True(t, u.CompareAndSwap(9, 1))
	require.Equal(t, uint32(1), *u.Addr())

	one, two := new(int), new(int)
	var p Ptr[int]
	require.Nil(t, p.Load())
	p.StoreRel(one)
	require.Same(t, one, p.Swap(two))
	require.False(t, p.CompareAndSwap(one, nil))
	require.True(t, p.CompareAndSwap(two, one))
	require.Same(t, one, p.Load())
}
