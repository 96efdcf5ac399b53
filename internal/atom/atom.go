// Package atom holds atomic words with the one operation that sync/atomic lacks: a store with
// release order only.
//
// sync/atomic's stores are sequentially consistent, which on amd64 means an XCHG that drains the
// store buffer, about 20 cycles. Publishing a queue slot needs less: what was written before must
// be seen before (release). amd64 and 386 keep stores in order by themselves and Go's compiler
// keeps stores in program order, so there a plain store of an aligned word is a release store. (Of two to
// the same word with no load or atomic operation between them it keeps the second only.) The runtime does the
// same (internal/runtime/atomic, StoreRel). Elsewhere, and wherever the race detector watches, StoreRel is the
// sequentially consistent one.
//
// Loads and read-modify-write operations are sync/atomic's.
package atom

import (
	"sync/atomic"
	"unsafe"
)

// Uint32 is an atomic uint32.
type Uint32 struct{ v uint32 }

// Load is an acquire load.
func (x *Uint32) Load() uint32 { return atomic.LoadUint32(&x.v) }

// Peek is Load for who has come by x without any order, through a plain pointer that is checked afterwards. To
// the race detector even the word's first zero would be a race with a Load.
func (x *Uint32) Peek() uint32 { return peek32(&x.v) }

// Store is sequentially consistent: a later Load of another word cannot pass it.
func (x *Uint32) Store(v uint32) { atomic.StoreUint32(&x.v, v) }

// StoreRel has release order: a later load may pass it.
func (x *Uint32) StoreRel(v uint32) { storeRel32(&x.v, v) }

// CompareAndSwap is a full barrier when it succeeds.
func (x *Uint32) CompareAndSwap(old, new uint32) bool {
	return atomic.CompareAndSwapUint32(&x.v, old, new)
}

// Swap is a full barrier.
func (x *Uint32) Swap(v uint32) uint32 { return atomic.SwapUint32(&x.v, v) }

// Add returns the new value and is a full barrier.
func (x *Uint32) Add(d uint32) uint32 { return atomic.AddUint32(&x.v, d) }

// Or sets bits and returns the old value; it is a full barrier.
func (x *Uint32) Or(bits uint32) (old uint32) { return atomic.OrUint32(&x.v, bits) }

// And keeps only the given bits and returns the old value; it is a full barrier.
func (x *Uint32) And(bits uint32) (old uint32) { return atomic.AndUint32(&x.v, bits) }

// Addr returns the word's address, for a futex.
func (x *Uint32) Addr() *uint32 { return &x.v }

// Int32 is an atomic int32. A plain access is a conversion away, or none: for who knows why it will do, and for who is short of the
// compiler's budget for what it inlines, of which a method's name takes 5 and more.
type Int32 int32

// Load is an acquire load.
func (x *Int32) Load() int32 { return atomic.LoadInt32((*int32)(x)) }

// Store is sequentially consistent.
func (x *Int32) Store(v int32) { atomic.StoreInt32((*int32)(x), v) }

// CompareAndSwap is a full barrier when it succeeds.
func (x *Int32) CompareAndSwap(old, new int32) bool {
	return atomic.CompareAndSwapInt32((*int32)(x), old, new)
}

// Add returns the new value and is a full barrier.
func (x *Int32) Add(d int32) int32 { return atomic.AddInt32((*int32)(x), d) }

// Or sets bits and returns the old value; it is a full barrier.
func (x *Int32) Or(bits int32) (old int32) { return atomic.OrInt32((*int32)(x), bits) }

// And keeps only the given bits and returns the old value; it is a full barrier.
func (x *Int32) And(bits int32) (old int32) { return atomic.AndInt32((*int32)(x), bits) }

// Uintptr is an atomic uintptr, as wide as an int.
type Uintptr struct{ v uintptr }

// Load is an acquire load.
func (x *Uintptr) Load() uintptr { return atomic.LoadUintptr(&x.v) }

// Store is sequentially consistent.
func (x *Uintptr) Store(v uintptr) { atomic.StoreUintptr(&x.v, v) }

// StoreRel has release order.
func (x *Uintptr) StoreRel(v uintptr) { storeRelPtr(&x.v, v) }

// Ptr is an atomic pointer to a T that the garbage collector does not see: whoever uses it keeps
// the T alive by other means. Without a write barrier its operations are single instructions, where
// those of atomic.Pointer are three nested calls. The runtime has the same in guintptr
// (runtime/runtime2.go) and keeps all Gs in allgs; so does a Scheduler.
type Ptr[T any] struct{ v uintptr }

func toUintptr[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }
func toPointer[T any](u uintptr) *T { return *(**T)(unsafe.Pointer(&u)) }

// Load is an acquire load.
func (x *Ptr[T]) Load() *T { return toPointer[T](atomic.LoadUintptr(&x.v)) }

// StoreRel has release order.
func (x *Ptr[T]) StoreRel(p *T) { storeRelPtr(&x.v, toUintptr(p)) }

// Swap is a full barrier.
func (x *Ptr[T]) Swap(p *T) *T { return toPointer[T](atomic.SwapUintptr(&x.v, toUintptr(p))) }

// CompareAndSwap is a full barrier when it succeeds.
func (x *Ptr[T]) CompareAndSwap(old, new *T) bool {
	return atomic.CompareAndSwapUintptr(&x.v, toUintptr(old), toUintptr(new))
}

// PeekPointer reads a pointer that others write under a lock, without it: a hint, to be checked under the lock. The race detector does
// not see it.
func PeekPointer(p *unsafe.Pointer) unsafe.Pointer { return peekPointer(p) }
