package hchan

import (
	"iter"
	"reflect"
	"sync"
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/sched"
)

// Chan is a channel of elements of type T, made by Make. A nil *Chan behaves as a nil channel.
type Chan[T any] struct {
	hchan // first: a pointer to a Chan is one to its hchan
	buf   []T
}

// hchan is what of a channel does not depend on T: everything but the elements. Select, which has channels
// of many types before it, works on hchans. The names of the fields are those of the runtime's hchan (runtime/chan.go).
//
// Invariants:
//
//	C1  at least one of sendq and recvq is empty (a select with both kinds of case on one
//	    unbuffered channel is the exception).
//	C2  with a buffer: qcount > 0 implies that recvq is empty, qcount < dataqsiz that sendq is.
//	C3  a slot of buf outside the queue holds no pointer, so that nothing received is retained. It is zero, but that
//	    an element of more than a cache line in which there can be no pointer is left there; see wipe.
type hchan struct {
	lock rawlock.Mutex // guards all below; taken before a G is made ready, never while holding it

	closing hb.Word // for the race detector: written by Close, read by sends

	// qcount and closed are written under lock and read without it by the fast refusals of TrySend
	// and TryRecv, by Len, and by the first pass of a select.
	qcount   word
	closed   word
	dataqsiz uint32 // len(buf); never changes
	sendx    uint32 // the slot that the next send fills
	recvx    uint32 // the slot that the next receive empties
	timer    bool   // of a Timer or Ticker, and begins a timerChan; never changes
	stale    bool   // elements, which are large and hold no pointers, may be left where they were; never changes
	recvq    waitq  // waiting receivers
	sendq    waitq  // waiting senders, each with its value
	ops      uint32 // counts calls of Send, Recv and their Try, not those of a select, for ClashedOn
	spare    spares
	elems    elems // the Chan, for who does not know its T
}

// maxAlloc bounds a buffer as the runtime does on 64-bit systems (runtime/malloc.go, maxAlloc).
const maxAlloc = 1 << (32 + 16*(^uintptr(0)>>63))

// Make returns a channel with room for size elements; 0 makes it unbuffered. It panics with
// "makechan: size out of range" as the runtime does; a size above 2^31-1 is refused in any case.
func Make[T any](size int) *Chan[T] {
	var zero T
	if size < 0 || size > 1<<31-1 || unsafe.Sizeof(zero) > 0 && uintptr(size) > (maxAlloc-1)/unsafe.Sizeof(zero) {
		panic(errMakeSize)
	}
	c := new(Chan[T])
	c.dataqsiz, c.elems = uint32(size), c
	c.stale = unsafe.Sizeof(zero) > smallElem && !holdsPointers(reflect.TypeFor[T]())
	if size > 0 {
		c.buf = make([]T, size)
	}
	return c
}

// Len returns how many elements are queued; 0 for a nil channel and for that of a Timer or Ticker.
func (c *Chan[T]) Len() int {
	if c == nil {
		return 0
	}
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return int(c.qcount.load())
}

// Cap returns the size of the buffer; 0 for a nil channel and for that of a Timer or Ticker.
func (c *Chan[T]) Cap() int {
	if c == nil {
		return 0
	}
	return int(c.dataqsiz)
}

// All returns a sequence of what is received until the channel is closed and empty, as range over a
// channel does. Each step may block.
func (c *Chan[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			var v T // a new one each time: while recv waits, the one before must not be kept
			if !c.recv(&v) || !yield(v) {
				return
			}
		}
	}
}

// tail returns the slot that the next send fills, which the caller does at once; there is room. Needs lock. A function that was
// given the value would copy it once more, which large elements feel.
func (c *Chan[T]) tail() *T {
	i := c.sendx
	if hb.On {
		c.passed(i, hb.User())
	}
	if c.sendx++; c.sendx == c.dataqsiz {
		c.sendx = 0
	}
	c.qcount.add(1)
	return &c.buf[i]
}

// head returns the slot with the oldest element, which the caller takes out at once, and wipes; there is one. Needs lock.
func (c *Chan[T]) head() *T {
	i := c.recvx
	if hb.On {
		c.passed(i, hb.User())
	}
	if c.recvx++; c.recvx == c.dataqsiz {
		c.recvx = 0
	}
	c.qcount.add(^uint32(0))
	return &c.buf[i]
}

// smallElem is up to how many bytes an element is cleared without asking whether it has to be: a cache line.
const smallElem = 64

// wipe clears the place of an element that was taken out, if it could retain something. To clear 1 KiB each time would be a fifth of what
// hchan/large moves. So who finds a place in which nothing was put must not read it.
func (c *Chan[T]) wipe(elem *T) {
	if unsafe.Sizeof(*elem) <= smallElem || !c.stale {
		*elem = *new(T)
	}
}

// holding keeps what hasPointers has found out, by type: a look at all fields of a large type takes microseconds, and a channel may be made for each request.
var holding sync.Map

// holdsPointers is hasPointers, remembered. That orders no callers: to the race detector the memory is ours.
func holdsPointers(t reflect.Type) bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	holds, ok := holding.Load(t)
	if !ok {
		holds, _ = holding.LoadOrStore(t, hasPointers(t))
	}
	return holds.(bool)
}

// hasPointers reports whether a value of type t may hold pointers. The same in Go: internal/abi/type.go, Pointers.
func hasPointers(t reflect.Type) bool {
	if t.Size() == 0 {
		return false
	}
	switch k := t.Kind(); k {
	case reflect.Array:
		return hasPointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if hasPointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	default:
		return k < reflect.Bool || k > reflect.Complex128
	}
}

// enter takes lock for an operation, which it counts.
func (c *hchan) enter() {
	if !c.lock.TryLock() {
		c.lockSlow()
	}
	c.ops++
}

// lockSlow is lock.Lock for who has found it held.
//
//go:noinline
func (c *hchan) lockSlow() {
	c.lock.Lock()
	sched.ClashedOn(uintptr(unsafe.Pointer(c)), c.ops)
}
