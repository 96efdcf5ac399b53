// Make, Len, Cap, All, nil channels, and elements of all sizes.

package hchan

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

func TestMakeRefusesWhatTheRuntimeRefuses(t *testing.T) {
	for _, size := range []int{-1, -1 << 31} {
		requirePanicAs(t, func() { _ = make(chan int, size) }, func() { Make[int](size) }, size)
		requirePanicAs(t, func() { _ = make(chan struct{}, size) }, func() { Make[struct{}](size) }, size)
	}
	// More bytes than an address space has; with 32 bits the count alone would be fine.
	tooMany := 1 << 30
	if unsafe.Sizeof(uintptr(0)) == 8 {
		tooMany = int(int64(tooMany) << 32)
	}
	requirePanicAs(t, func() { _ = make(chan int64, tooMany) }, func() { Make[int64](tooMany) })
}

// TestMakeOfEmptyElements: the count of a channel whose elements take no room is bounded here, at 2^31-1, and natively is not.
func TestMakeOfEmptyElements(t *testing.T) {
	const most = 1<<31 - 1
	c := Make[struct{}](most)
	require.Equal(t, most, c.Cap())
	require.True(t, c.TrySend(struct{}{}))
	require.Equal(t, 1, c.Len())
	if beyond := most; unsafe.Sizeof(beyond) == 8 {
		beyond++
		require.Equal(t, beyond, cap(make(chan struct{}, beyond)))
		requireRuntimeError(t, "makechan: size out of range", testsched.PanicOf(func() { Make[struct{}](beyond) }))
	}
}

func TestLenAndCap(t *testing.T) {
	c := Make[string](3)
	require.Equal(t, 3, c.Cap())
	for i := range 3 {
		require.Equal(t, i, c.Len())
		c.Send("x")
	}
	require.False(t, c.TrySend("no room"))
	require.Equal(t, 3, c.Len())
	c.Close()
	for i := 2; i >= 0; i-- {
		_, ok := c.Recv()
		require.True(t, ok)
		require.Equal(t, i, c.Len())
	}
	unbuffered := Make[string](0)
	require.Zero(t, unbuffered.Cap())
	require.Zero(t, unbuffered.Len())
}

// TestNilChannel: what does not block refuses, what blocks does so for ever.
func TestNilChannel(t *testing.T) {
	var c *Chan[int]
	require.Zero(t, c.Len())
	require.Zero(t, c.Cap())
	require.False(t, c.TrySend(1))
	v, ok, received := c.TryRecv()
	require.Zero(t, v)
	require.False(t, ok)
	require.False(t, received)
}

var onNil = map[string]func(*Chan[int]){
	"send":    func(c *Chan[int]) { c.Send(1) },
	"receive": func(c *Chan[int]) { c.Recv() },
	"range": func(c *Chan[int]) {
		for range c.All() {
			panic("an element of a nil channel")
		}
	},
}

// TestNilChannelBlocksGoroutine wins the right to wake the goroutine, which only works on one that has
// parked, and uses it: a waiter on a nil channel says that it must not have been woken.
func TestNilChannelBlocksGoroutine(t *testing.T) {
	for name, op := range onNil {
		t.Run(name, func(t *testing.T) {
			self, got := make(chan *sched.G, 1), make(chan any, 1)
			go func() {
				self <- sched.Self()
				got <- testsched.PanicOf(func() { op(nil) })
			}()
			gp := <-self
			testsched.Until(t, gp.Claim, "parked")
			gp.Ready()
			testsched.Within(t, func() { require.Equal(t, "hchan: woken from an operation on a nil channel", <-got) })
		})
	}
}

func TestNilChannelBlocksTaskUntilClose(t *testing.T) {
	for name, op := range onNil {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			s := testsched.New(t, 2)
			self := make(chan *sched.G, 1)
			var returned, unwound bool
			s.Go(func() {
				defer func() { unwound = true }()
				self <- sched.Self()
				op(nil)
				returned = true
			})
			<-self
			testsched.Close(t, s)
			require.True(t, unwound)
			require.False(t, returned)
			testsched.GoroutinesBack(t, before)
		})
	}
}

func TestAllEndsWithTheChannel(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, size := range []int{0, 1, 7} {
			c := Make[int](size)
			cs.Go(func() {
				for i := range 20 {
					c.Send(i)
				}
				c.Close()
			})
			var got []int
			cs.Do(func() { got = slices.Collect(c.All()) })
			require.Equal(t, 20, len(got))
			require.True(t, slices.IsSorted(got))
			cs.Do(func() {
				for range c.All() {
					got = nil
				}
			})
			require.NotNil(t, got, "a closed and empty channel has no elements")
		}
	})
}

// TestAllWithBreak: what was not received stays in the channel, and the sequence can be taken up again.
func TestAllWithBreak(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		c := Make[int](8)
		for i := range 8 {
			c.Send(i)
		}
		var got []int
		seq := c.All()
		for _, limit := range []int{3, 5} {
			cs.Do(func() {
				for v := range seq {
					if got = append(got, v); v == limit {
						break
					}
				}
			})
		}
		require.Equal(t, []int{0, 1, 2, 3, 4, 5}, got)
		require.Equal(t, 2, c.Len())
		v, ok := c.Recv()
		require.True(t, ok)
		require.Equal(t, 6, v)
	})
}

// TestZeroSizeElements counts them: there is nothing else to see.
func TestZeroSizeElements(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, size := range []int{0, 1, 3} {
			c := Make[struct{}](size)
			for range size {
				require.True(t, c.TrySend(struct{}{}))
			}
			require.False(t, c.TrySend(struct{}{}))
			require.Equal(t, size, c.Len())
			for range 5 {
				cs.Go(func() { c.Send(struct{}{}) })
			}
			untilWaiting(t, c, 0, 5)
			n := 0
			cs.Do(func() {
				for n < size+5 {
					c.Recv()
					n++
				}
			})
			require.Equal(t, size+5, n)
			_, _, received := c.TryRecv()
			require.False(t, received)
		}
	})
}

// large is 1 KiB in which every word tells whether it came through whole.
type large [128]uint64

func makeLarge(n uint64) (v large) {
	for i := range v {
		v[i] = n<<32 | uint64(i)
	}
	return v
}

// TestLargeElements on every way from a sender to a receiver: rendezvous with either side waiting,
// through the buffer, and from a waiting sender into the buffer.
func TestLargeElements(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, size := range []int{0, 1, 4} {
			c := Make[large](size)
			var first large
			cs.Go(func() { first, _ = c.Recv() })
			untilWaiting(t, c, 1, 0)
			cs.Do(func() { c.Send(makeLarge(7)) })
			cs.Wait()
			require.Equal(t, makeLarge(7), first)

			n := size + 3
			for i := range n {
				cs.Go(func() { c.Send(makeLarge(uint64(i))) })
				testsched.Until(t, func() bool { _, s := c.waiting(); return c.Len()+s == i+1 }, "%d in all", i+1)
			}
			for i := range n {
				var got large
				cs.Do(func() { got, _ = c.Recv() })
				require.Equal(t, makeLarge(uint64(i)), got)
			}
		}
	})
}

// TestAgainstNativeChannel makes the same random calls, none of which can block, on a native channel
// and on ours.
func TestAgainstNativeChannel(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		size := r.IntN(5)
		native, ours := make(chan int, size), Make[int](size)
		for i := range 60 {
			switch op := r.IntN(40); {
			case op == 0:
				want, got := testsched.PanicOf(func() { close(native) }), testsched.PanicOf(ours.Close)
				require.Equal(t, want == nil, got == nil, "seed %d step %d", seed, i)
				if want != nil {
					requireRuntimeError(t, want.(runtime.Error).Error(), got)
				}
			case op < 22:
				var want, got bool
				wantPanic := testsched.PanicOf(func() {
					select {
					case native <- i:
						want = true
					default:
					}
				})
				gotPanic := testsched.PanicOf(func() { got = ours.TrySend(i) })
				require.Equal(t, want, got, "seed %d step %d", seed, i)
				require.Equal(t, wantPanic == nil, gotPanic == nil, "seed %d step %d", seed, i)
			default:
				var want struct {
					v            int
					ok, received bool
				}
				got := want
				select {
				case want.v, want.ok = <-native:
					want.received = true
				default:
				}
				got.v, got.ok, got.received = ours.TryRecv()
				require.Equal(t, want, got, "seed %d step %d", seed, i)
			}
			require.Equal(t, len(native), ours.Len())
			require.Equal(t, cap(native), ours.Cap())
		}
	}
}
