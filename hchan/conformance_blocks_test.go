// More of what Go's own tests of channels check: what blocks, who meets whom, and pointers on their way beside the collector.

package hchan

import (
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestConformanceEachCapacityBlocks: an empty channel blocks who receives, a full one who sends, and a Close wakes all who receive
// (runtime/chan_test.go, TestChan).
func TestConformanceEachCapacityBlocks(t *testing.T) {
	s := testsched.New(t, 2)
	cs := testsched.NewCallers(s.Go, testsched.OnGoroutine)
	testsched.Within(t, func() {
		for size := range 40 {
			c := Make[int](size)
			got := Make[int](8)
			recv := func(how func() int) func() { return func() { got.Send(how()) } }
			plain := func() int {
				v, ok := c.Recv()
				if !ok {
					v = -1
				}
				return v
			}
			inSelect := func() int {
				v, ok := 0, false
				Select(OnRecv(c, &v, &ok))
				if !ok {
					v = -1
				}
				return v
			}
			cs.Go(recv(plain))
			untilWaiting(t, c, 1, 0)
			cs.Go(recv(inSelect))
			untilWaiting(t, c, 2, 0)
			for i := range 2 {
				require.True(t, c.TrySend(7+i))
				v, _ := got.Recv()
				require.Equal(t, 7+i, v, "first come, first served")
			}

			for i := range size {
				require.True(t, c.TrySend(i))
			}
			require.False(t, c.TrySend(-2), "full")
			require.Equal(t, 1, Select(OnSend(c, -2), Default()))
			cs.Go(func() { c.Send(size) })
			untilWaiting(t, c, 0, 1)
			cs.Go(func() { Select(OnSend(c, size+1)) })
			untilWaiting(t, c, 0, 2)
			for i := range size + 2 {
				v, ok, received := c.TryRecv()
				require.True(t, ok && received)
				require.Equal(t, i, v, "size %d", size)
			}
			_, _, received := c.TryRecv()
			require.False(t, received, "empty")

			for i := range 4 {
				cs.Go(recv([]func() int{plain, inSelect}[i/2]))
			}
			untilWaiting(t, c, 4, 0)
			c.Close()
			for range 4 {
				v, _ := got.Recv()
				require.Equal(t, -1, v)
			}
			cs.Wait()
		}
	})
	testsched.Close(t, s)
}

// TestConformanceWaysMeet: each way to send meets each way to receive (test/chan/select7.go). Of those that don't wait, the other side
// does.
func TestConformanceWaysMeet(t *testing.T) {
	until := func(try func() bool) {
		for !try() {
			sched.Yield()
		}
	}
	none, never := Make[int](0), Make[int](0) // never ready: one for each side
	senders := []func(c *Chan[int], v int){
		func(c *Chan[int], v int) { c.Send(v) },
		func(c *Chan[int], v int) { Select(OnSend(c, v)) },
		func(c *Chan[int], v int) { Select(OnSend(c, v), OnRecv(none, nil, nil)) },
		func(c *Chan[int], v int) { SelectOrdered(OnSend(none, v), OnSend(c, v)) },
		func(c *Chan[int], v int) { until(func() bool { return c.TrySend(v) }) },
		func(c *Chan[int], v int) { until(func() bool { return Select(OnSend(c, v), Default()) == 0 }) },
		func(c *Chan[int], v int) {
			until(func() bool { return Select(Default(), OnRecv(none, nil, nil), OnSend(c, v)) == 2 })
		},
	}
	receivers := []func(c *Chan[int]) (v int){
		func(c *Chan[int]) (v int) { v, _ = c.Recv(); return v },
		func(c *Chan[int]) (v int) { Select(OnRecv(c, &v, nil)); return v },
		func(c *Chan[int]) (v int) { Select(OnSend(never, 1), OnRecv(c, &v, nil)); return v },
		func(c *Chan[int]) (v int) { SelectOrdered(OnRecv(c, &v, nil), OnRecv(never, &v, nil)); return v },
		func(c *Chan[int]) (v int) {
			until(func() (ok bool) { v, ok, _ = c.TryRecv(); return ok })
			return v
		},
		func(c *Chan[int]) (v int) {
			until(func() bool { return Select(OnRecv(c, &v, nil), Default()) == 0 })
			return v
		},
		func(c *Chan[int]) (v int) {
			until(func() bool { return Select(OnSend(never, 1), Default(), OnRecv(c, &v, nil)) == 2 })
			return v
		},
	}
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, size := range []int{0, 1, 10} {
			for i, send := range senders {
				for k, recv := range receivers {
					if size == 0 && i >= 4 && k >= 4 {
						continue // neither waits for the other
					}
					c := Make[int](size)
					cs.Go(func() { send(c, 10*i+k) })
					var v int
					cs.Go(func() { v = recv(c) })
					cs.Wait()
					require.Equal(t, 10*i+k, v, "size %d, sender %d, receiver %d", size, i, k)
				}
			}
		}
		for _, c := range []*Chan[int]{none, never} {
			r, s := c.waiting()
			require.Zero(t, r+s)
		}
	})
}

// TestConformanceSelectAloneBlocks: a select with both ends of a channel does not meet itself, and waits for ever when it is alone
// (test/chan/select3.go).
func TestConformanceSelectAloneBlocks(t *testing.T) {
	s, err := sched.New(sched.Config{Procs: 1, DetectDeadlock: true})
	require.NoError(t, err)
	for _, sel := range []func(...Case) int{Select, SelectOrdered} {
		var dead *sched.DeadlockError
		c := Make[int](0)
		testsched.Within(t, func() {
			require.ErrorAs(t, s.Run(func() { sel(OnSend(c, 1), OnRecv(c, nil, nil)) }), &dead)
		})
		require.Equal(t, "select", dead.Tasks[0].Reason.String())
	}
	testsched.Close(t, s)
}

// TestConformanceFreshPointers: what is sent has just been allocated, nothing else holds it, and the sender is gone when it is looked at
// (runtime/chanbarrier_test.go).
func TestConformanceFreshPointers(t *testing.T) {
	type answer struct {
		err  error
		junk [3]*int
	}
	const callers, rounds = 4, 40
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, inSelect := range []bool{false, true} {
			requests := Make[*Chan[*answer]](0)
			for range callers {
				cs.Go(func() {
					var junk [][]byte
					for c := range requests.All() {
						a := &answer{err: &ownError{c}}
						if inSelect {
							Select(OnSend(c, a), OnRecv(Make[int](0), nil, nil))
						} else {
							c.Send(a)
						}
						junk = append(junk[:len(junk)%8], make([]byte, 1<<10))
					}
				})
			}
			left := Make[int](callers)
			for i := range callers {
				cs.Go(func() {
					for range rounds {
						c := Make[*answer](0)
						requests.Send(c)
						a, _ := c.Recv()
						sched.Yield()
						if own, ok := a.err.(*ownError); !ok || own.c != any(c) || a.junk[0] != nil {
							t.Errorf("received %v", a)
						}
					}
					left.Send(i)
				})
			}
			cs.Do(func() {
				for range callers {
					left.Recv()
				}
				requests.Close()
			})
			cs.Wait()
		}
	})
}

// ownError is an error that holds a pointer.
type ownError struct{ c any }

func (*ownError) Error() string { return "own" }

// TestConformanceParkingStacksShrink: who waits has just used much stack, so the collector wants to shrink it, at any moment of its parking
// (runtime/chan_test.go, TestNoShrinkStackWhileParking).
func TestConformanceParkingStacksShrink(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		const pairs, rounds = 3, 30
		none, never := Make[large](0), Make[large](0) // one for each side
		for p := range uint64(pairs) {
			c := Make[large](0)
			cs.Go(func() {
				for i := range uint64(rounds) {
					v := makeLarge(p*rounds + i)
					if i%2 == 0 {
						c.Send(v)
					} else {
						Select(OnSend(c, v), OnSend(none, v))
					}
					deep(30)
				}
			})
			cs.Go(func() {
				for i := range uint64(rounds) {
					var v large
					if i%3 == 0 {
						v, _ = c.Recv()
					} else {
						Select(OnRecv(never, &v, nil), OnRecv(c, &v, nil))
					}
					if v != makeLarge(p*rounds+i) {
						t.Errorf("pair %d, value %d: received %x", p, i, v[:2])
					}
					deep(30)
					if i%4 == 0 {
						runtime.Gosched()
					}
				}
			})
		}
		cs.Wait()
		for _, c := range []*Chan[large]{none, never} {
			r, s := c.waiting()
			require.Zero(t, r+s)
		}
	})
}

// TestConformanceChannelsOfChannels: a channel is sent over a channel by a select, which may be one of its own cases
// (test/chan/sendstmt.go), and elements that are arrays of no size (test/chan/zerosize.go).
func TestConformanceChannelsOfChannels(t *testing.T) {
	type link *Chan[any]
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, size := range []int{0, 1} {
			links, empty := Make[*Chan[*Chan[int]]](0), Make[[0]byte](size)
			inner := Make[*Chan[int]](size)
			cs.Go(func() {
				Select(OnSend(links, inner), OnRecv(empty, nil, nil))
				Select(OnSend(inner, Make[int](5)), OnSend((*Chan[*Chan[int]])(nil), nil))
				Select(OnRecv(links, nil, nil), OnSend(empty, [0]byte{}))
			})
			cs.Do(func() {
				var c *Chan[*Chan[int]]
				require.Equal(t, 1, Select(OnSend((*Chan[[0]byte])(nil), [0]byte{}), OnRecv(links, &c, nil)))
				require.True(t, c == inner)
				five, _ := c.Recv()
				require.Equal(t, 5, five.Cap())
				var none [0]byte
				var ok bool
				require.Equal(t, 0, SelectOrdered(OnRecv(empty, &none, &ok), OnRecv(links, &c, nil)))
				require.True(t, ok)
			})
			cs.Wait()

			self := Make[any](1)
			require.Equal(t, 0, Select(OnSend(self, any(link(self)))))
			v, _ := self.Recv()
			require.True(t, v == any(link(self)))
		}
	})
}

// TestStressLong: chains and selects as long as Go has them (test/chan/goroutines.go, test/chan/doubleselect.go).
func TestStressLong(t *testing.T) {
	links, n := 10_000, 100_000
	if hb.On { // it knows 8,128 tasks at most, and is slow
		links, n = 1_500, 3_000
	}
	for _, kinds := range [][]bool{{true}, {false}, {true, false}} {
		s := testsched.New(t, 2)
		var starts []func(func())
		for _, task := range kinds {
			starts = append(starts, map[bool]func(func()){true: s.Go, false: testsched.OnGoroutine}[task])
		}
		cs := testsched.NewCallers(starts...)
		testsched.Within(t, func() {
			chain(t, cs, links)
			cs.Wait()
		})
		if slices.Contains(kinds, true) && slices.Contains(kinds, false) {
			n /= 10 // each hand-over wakes a thread
		}
		testsched.Within(t, func() {
			doubleSelect(t, cs, n)
			cs.Wait()
		})
		testsched.Close(t, s)
	}
}
