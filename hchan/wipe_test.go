// What is cleared of elements that were received, and what need not be.

package hchan

import (
	"reflect"
	"runtime"
	"testing"
	"time"
	"unsafe"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
)

func TestHasPointers(t *testing.T) {
	type inner struct {
		_ [3]uint8
		_ complex128
	}
	for _, v := range []any{
		false, 0, int8(0), uint64(0), uintptr(0), 1.5, float32(0), 1i,
		[4]inner{},
		struct{}{},
		[0]*int{},
		time.Duration(0),
		struct {
			a inner
			b [0]string
		}{},
	} {
		require.False(t, hasPointers(reflect.TypeOf(v)), "%T", v)
	}
	for _, v := range []any{
		"",
		[]int{},
		new(int),
		map[int]int{},
		make(chan int), func() {}, unsafe.Pointer(nil),
		time.Time{},
		[2]any{},
		[1]error{},
		struct {
			a inner
			b [2]struct{ p *int }
		}{},
	} {
		require.True(t, hasPointers(reflect.TypeOf(v)), "%T", v)
	}
	require.True(t, hasPointers(reflect.TypeFor[any]()))
}

// crate is a large element with a pointer at its end.
type crate struct {
	filling [200]byte
	p       *parcel
}

// TestLargeElementsAreNotRetained: those with pointers are cleared, from the buffer and from hand to hand.
func TestLargeElementsAreNotRetained(t *testing.T) {
	s := testsched.New(t, 2)
	require.True(t, Make[large](1).stale)
	require.False(t, Make[crate](1).stale)
	require.False(t, Make[int](1).stale, "nothing is gained")
	for size := range 3 {
		c := Make[crate](size)
		var ws []weak.Pointer[parcel]
		testsched.Within(t, func() {
			cs := testsched.NewCallers(s.Go, testsched.OnGoroutine)
			for i := range size + 2 {
				p := new(parcel)
				ws = append(ws, weak.Make(p))
				cs.Go(func() { c.Send(crate{[200]byte{199: byte(i)}, p}) })
				testsched.Until(t, func() bool { _, s := c.waiting(); return c.Len()+s == i+1 }, "it is sent, or waits")
			}
			for i := range size + 2 {
				v, ok := c.Recv()
				require.True(t, ok)
				require.EqualValues(t, i, v.filling[199])
				require.NotNil(t, v.p)
			}
			cs.Go(func() { c.Recv() })
			testsched.Until(t, func() bool { r, _ := c.waiting(); return r == 1 }, "a receiver")
			p := new(parcel)
			ws = append(ws, weak.Make(p))
			c.Send(crate{p: p})
			cs.Wait()
		})
		for i, w := range ws {
			testsched.Until(t, func() bool {
				runtime.GC()
				return w.Value() == nil
			}, "element %d is collected", i)
		}
		runtime.KeepAlive(c)
	}
	testsched.Close(t, s)
}

// TestStaleElementsAreNotSeen: what is left where it was is neither received again nor in the place of a zero value.
func TestStaleElementsAreNotSeen(t *testing.T) {
	c, alt := Make[large](2), Make[int](0)
	for i := range uint64(5) {
		c.Send(makeLarge(i))
		c.Send(makeLarge(^i))
		var v large
		if i%2 == 0 {
			v, _ = c.Recv()
		} else {
			Select(OnRecv(c, &v, nil), OnRecv(alt, nil, nil))
		}
		require.Equal(t, makeLarge(i), v)
		v, _, _ = c.TryRecv()
		require.Equal(t, makeLarge(^i), v)
	}
	c.Close()
	v, ok := c.Recv()
	require.False(t, ok)
	require.Zero(t, v)
	v = makeLarge(1)
	Select(OnRecv(c, &v, &ok))
	require.False(t, ok)
	require.Zero(t, v)
}

// TestCloseGivesZeroToReceiverThatWaits: what its sudog was given in an earlier life is not seen by a receiver that Close wakes.
func TestCloseGivesZeroToReceiverThatWaits(t *testing.T) {
	s := testsched.New(t, 2)
	for kind, spawn := range map[string]func(func()){"task": s.Go, "goroutine": testsched.OnGoroutine} {
		for size := range 3 {
			for _, sends := range []bool{false, true} { // who had the sudog before: a receiver, or a sender
				c := Make[large](size)
				var v large
				var ok bool
				testsched.Within(t, func() {
					cs := testsched.NewCallers(spawn)
					if sends {
						for i := range size {
							c.Send(makeLarge(uint64(i)))
						}
						cs.Go(func() { c.Send(makeLarge(7)) })
						testsched.Until(t, func() bool { _, s := c.waiting(); return s == 1 }, "a sender waits")
						for range size + 1 {
							c.Recv()
						}
					} else {
						cs.Go(func() { c.Recv() })
						testsched.Until(t, func() bool { r, _ := c.waiting(); return r == 1 }, "a receiver waits")
						c.Send(makeLarge(7))
					}
					cs.Wait()
					cs.Go(func() { v, ok = c.Recv() })
					testsched.Until(t, func() bool { r, _ := c.waiting(); return r == 1 }, "a receiver waits")
					c.Close()
					cs.Wait()
				})
				require.False(t, ok)
				require.Zero(t, v, "%s, size %d, sends %v", kind, size, sends)
			}
		}
	}
	testsched.Close(t, s)
}

// TestSelectReceivesHugeElements: of a size at which local variables lie on the heap. Under the race detector nothing may be reported.
func TestSelectReceivesHugeElements(t *testing.T) {
	type huge [200 << 10]byte
	s := testsched.New(t, 2)
	for size := range 2 {
		c, alt := Make[huge](size), Make[huge](0)
		testsched.Within(t, func() {
			cs := testsched.NewCallers(s.Go)
			cs.Go(func() {
				for range 20 {
					c.Send(huge{})
				}
				c.Close()
			})
			cs.Go(func() {
				for ok := true; ok; {
					var v huge
					Select(OnRecv(c, &v, &ok), OnRecv(alt, nil, nil))
				}
			})
			cs.Wait()
		})
	}
	testsched.Close(t, s)
}
