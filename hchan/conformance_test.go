// What Go's own tests of channels check, on hchan: runtime/chan_test.go, and the programs of test/chan. The table in
// docs/reliability.md says which test there is which here.

package hchan

import (
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestConformanceCapacities: many to many for each small capacity, all of the buffer's slots in use.
func TestConformanceCapacities(t *testing.T) {
	s := testsched.New(t, 2)
	cs := testsched.NewCallers(s.Go, testsched.OnGoroutine)
	testsched.Within(t, func() {
		for size := range 40 {
			const senders, each = 4, 60
			c := Make[int](size)
			var counts [each]atomic.Int32
			for range senders {
				cs.Go(func() {
					for i := range each {
						c.Send(i)
					}
				})
				cs.Go(func() {
					for range each {
						v, ok := c.Recv()
						if !ok {
							t.Error("closed")
						}
						counts[v].Add(1)
					}
				})
			}
			cs.Wait()
			for i := range counts {
				require.EqualValues(t, senders, counts[i].Load(), "size %d, value %d", size, i)
			}
		}
	})
	testsched.Close(t, s)
}

// TestConformanceNonblockRecvRace: a receive that does not wait finds a value that stands beside a Close.
func TestConformanceNonblockRecvRace(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for range 150 {
			c := Make[int](1)
			c.Send(1)
			var received bool
			cs.Go(func() { _, _, received = c.TryRecv() })
			c.Close()
			c.Recv()
			cs.Wait()
			require.True(t, received)
		}
	})
}

// TestConformanceNonblockSelectRace: a select with a default acts at one moment. While it looks, one channel becomes ready
// before the other ceases to be, so its default may not be chosen.
func TestConformanceNonblockSelectRace(t *testing.T) {
	s := testsched.New(t, 2)
	s2 := testsched.New(t, 1)
	try := func(name string, sel func(...Case) int, kinds ...func(func())) {
		for _, closes := range []bool{false, true} {
			var rounds, wrong atomic.Int64
			testsched.Within(t, func() {
				cs := testsched.NewCallers(kinds...)
				a, b := make([]*Chan[int], 3000), make([]*Chan[int], 3000)
				for i := range a {
					sizes := [2]int{1, 1}
					if closes { // what is closed has no buffer
						sizes[(i+1)%2] = 0
					}
					a[i], b[i] = Make[int](sizes[0]), Make[int](sizes[1])
					if i%2 != 0 { // in either order of addresses
						a[i], b[i] = b[i], a[i]
					}
					a[i].Send(1)
				}
				var turn atomic.Int64
				cs.Go(func() {
					for i := range a {
						for turn.Store(int64(i + 1)); rounds.Load() < int64(i); {
							sched.Yield()
						}
						one, two := OnRecv(a[i], nil, nil), OnRecv(b[i], nil, nil)
						if i/2%2 == 0 { // in either order of looking
							one, two = two, one
						}
						for range i % 64 { // so that the other task meets each moment of the select
							wrong.Load()
						}
						if sel(one, two, Default()) == 2 {
							wrong.Add(1)
						}
					}
				})
				cs.Go(func() {
					for i := range a {
						for turn.Load() <= int64(i) {
							sched.Yield()
						}
						rounds.Add(1)
						if closes {
							b[i].Close()
						} else {
							b[i].Send(1)
						}
						Select(OnRecv(a[i], nil, nil), Default())
					}
				})
				cs.Wait()
			})
			require.Zero(t, wrong.Load(), "%s, closes: %v", name, closes)
		}
	}
	for name, sel := range map[string]func(...Case) int{"Select": Select, "SelectOrdered": SelectOrdered} {
		try(name, sel, s.Go, s2.Go)
		try(name, sel, s.Go, testsched.OnGoroutine)
		try(name, sel, testsched.OnGoroutine)
	}
	testsched.Close(t, s, s2)
}

// TestConformanceFairness: the select is in a task of its own, with channels that are never ready before those that always are.
func TestConformanceFairness(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		const trials = 2000
		ones, twos := Make[byte](trials+1), Make[byte](trials+1)
		for range trials + 1 {
			ones.Send(1)
			twos.Send(2)
		}
		dead, deader, out, done := Make[byte](0), Make[byte](0), Make[byte](0), Make[byte](0)
		cs.Go(func() {
			for {
				var b byte
				Select(OnRecv(dead, &b, nil), OnRecv(deader, &b, nil), OnRecv(ones, &b, nil), OnRecv(twos, &b, nil))
				if Select(OnSend(out, b), OnRecv(done, nil, nil)) == 1 {
					return
				}
			}
		})
		var n [3]int
		cs.Do(func() {
			for range trials {
				b, _ := out.Recv()
				n[b]++
			}
			done.Close()
		})
		require.Zero(t, n[0])
		require.InDelta(t, trials/2, n[1], 10*math.Sqrt(trials/4.0), "%v", n) // ten standard deviations, as Go has it
	})
}

// TestConformancePseudoRandomSend: two sends to one channel are chosen about equally often, also while the select waits each time.
func TestConformancePseudoRandomSend(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		const n = 200
		for _, size := range []int{0, n} {
			c := Make[int](size)
			var got [2]int
			cs.Go(func() {
				for range n {
					sched.Yield()
					v, _ := c.Recv()
					got[v]++
				}
			})
			cs.Go(func() {
				for range n {
					Select(OnSend(c, 1), OnSend(c, 0))
				}
			})
			cs.Wait()
			require.Greater(t, got[0], n/10, "size %d", size)
			require.Greater(t, got[1], n/10, "size %d", size)
		}
	})
}

// TestConformanceDuplicateChannel: a select that waits twice on one channel leaves it, and who waits behind it is served.
func TestConformanceDuplicateChannel(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		c, d := Make[int](0), Make[int](0)
		var first, second int
		cs.Go(func() { first = Select(OnRecv(c, nil, nil), OnRecv(c, nil, nil), OnRecv(d, nil, nil)) })
		untilWaiting(t, c, 2, 0)
		cs.Go(func() { second, _ = c.Recv() })
		untilWaiting(t, c, 3, 0)
		cs.Do(func() { d.Send(7) })
		untilWaiting(t, c, 1, 0)
		cs.Do(func() { c.Send(8) })
		cs.Wait()
		require.Equal(t, 2, first)
		require.Equal(t, 8, second)
	})
}

// TestConformanceLastInQueueLeaves: a select that is the last in a queue leaves it, and later ones wait and are served (test/chan/select6.go).
func TestConformanceLastInQueueLeaves(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		a, b := Make[bool](0), Make[bool](0)
		var served atomic.Int32
		recv := func() {
			a.Recv()
			served.Add(1)
		}
		cs.Go(recv)
		untilWaiting(t, a, 1, 0)
		cs.Go(func() { Select(OnRecv(a, nil, nil), OnRecv(b, nil, nil)) })
		untilWaiting(t, a, 2, 0)
		cs.Do(func() { b.Send(true) })
		untilWaiting(t, a, 1, 0)
		cs.Go(recv)
		untilWaiting(t, a, 2, 0)
		cs.Do(func() {
			a.Send(true)
			a.Send(true)
		})
		cs.Wait()
		require.EqualValues(t, 2, served.Load())
	})
}

// TestConformanceDoubleSelect: one select never does two of its cases (test/chan/doubleselect.go).
func TestConformanceDoubleSelect(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) { doubleSelect(t, cs, 400) })
}

func doubleSelect(t *testing.T, cs *testsched.Callers, n int) {
	var lanes [4]*Chan[int]
	all := Make[int](0)
	var open atomic.Int32
	open.Store(int32(len(lanes)))
	for i := range lanes {
		lanes[i] = Make[int](0)
		cs.Go(func() {
			for v := range lanes[i].All() {
				all.Send(v)
			}
			if open.Add(-1) == 0 {
				all.Close()
			}
		})
	}
	cs.Go(func() {
		for i := range n {
			Select(OnSend(lanes[0], i), OnSend(lanes[1], i), OnSend(lanes[2], i), OnSend(lanes[3], i))
		}
		for _, c := range lanes {
			c.Close()
		}
	})
	seen := make([]int, n)
	cs.Do(func() {
		for v := range all.All() {
			seen[v]++
		}
	})
	require.Equal(t, slices.Repeat([]int{1}, n), seen)
}

// TestConformanceSelectStress: plain senders and receivers beside selects that drop each channel when they are through with it.
func TestConformanceSelectStress(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		const n = 100
		c := [4]*Chan[int]{Make[int](0), Make[int](0), Make[int](2), Make[int](3)}
		for k := range c {
			cs.Go(func() {
				for i := range n {
					c[k].Send(i)
				}
			})
			cs.Go(func() {
				for range n {
					c[k].Recv()
				}
			})
		}
		inSelects := func(caseOf func(c *Chan[int]) Case) func() {
			return func() {
				left, did := c, [4]int{}
				for range n * len(c) {
					i := Select(caseOf(left[0]), caseOf(left[1]), caseOf(left[2]), caseOf(left[3]))
					if did[i]++; did[i] == n {
						left[i] = nil
					}
				}
			}
		}
		cs.Go(inSelects(func(c *Chan[int]) Case { return OnSend(c, 1) }))
		cs.Go(inSelects(func(c *Chan[int]) Case { return OnRecv(c, nil, nil) }))
		cs.Wait()
		for _, c := range c {
			require.Zero(t, c.Len())
			r, s := c.waiting()
			require.Zero(t, r+s)
		}
	})
}

// TestConformanceMultiConsumer: workers between two buffered channels, of which some give way now and then.
func TestConformanceMultiConsumer(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		const workers, n = 11, 1500
		primes := []int{2, 3, 7, 11, 13, 17, 19, 23, 27, 31}
		q, r := Make[int](workers*3), Make[int](workers*3)
		var open atomic.Int32
		open.Store(workers)
		for w := range workers {
			cs.Go(func() {
				for v := range q.All() {
					if primes[w%len(primes)] == v {
						sched.Yield()
					}
					r.Send(v)
				}
				if open.Add(-1) == 0 {
					r.Close()
				}
			})
		}
		want := 0
		for i := range n {
			want += primes[i%len(primes)]
		}
		cs.Go(func() {
			for i := range n {
				q.Send(primes[i%len(primes)])
			}
			q.Close()
		})
		count, sum := 0, 0
		cs.Do(func() {
			for v := range r.All() {
				count++
				sum += v
			}
		})
		require.Equal(t, n, count)
		require.Equal(t, want, sum)
	})
}

// deep uses some of the stack.
//
//go:noinline
func deep(n int) int {
	var pad [256]byte
	if n == 0 {
		return int(pad[n])
	}
	return deep(n-1) + int(pad[n])
}

// TestConformanceStacksMove: while one waits its stack shrinks, and before that it has grown. What a select receives
// goes to where the variable is then, and a variable that was not chosen keeps its pointer.
func TestConformanceStacksMove(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		c, d := Make[*int](0), Make[*int](0)
		for _, dup := range []bool{false, true} {
			cs.Go(func() {
				deep(60)
				v := 42
				got, other := &v, &v
				var c2, d2 *Chan[*int]
				if dup {
					c2, d2 = c, d
				}
				i := Select(OnRecv(c, &got, nil), OnRecv(c2, &got, nil), OnRecv(d, &other, nil), OnRecv(d2, &other, nil))
				*got++
				deep(60)
				if v != 43 || got != &v || i < 2 || *other != 7 {
					t.Errorf("v %d, case %d, received %d", v, i, *other)
				}
			})
			n := 1
			if dup {
				n = 2
			}
			untilWaiting(t, d, n, 0)
			runtime.GC()
			runtime.GC()
			cs.Do(func() {
				v := 7
				d.Send(&v)
			})
			cs.Wait()
		}
	})
}

// TestConformanceBlockedSendKeepsItsValue: a sender grows and shrinks its stack between and during its waits.
func TestConformanceBlockedSendKeepsItsValue(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		c := Make[large](0)
		cs.Go(func() {
			for i := range 10 {
				c.Send(makeLarge(uint64(i)))
				deep(30)
			}
		})
		for i := range 10 {
			untilWaiting(t, c, 0, 1)
			runtime.GC()
			var v large
			cs.Do(func() { v, _ = c.Recv() })
			require.Equal(t, makeLarge(uint64(i)), v)
		}
	})
}

// TestConformanceInterfaces: values of interface type, also in several sends of one select.
func TestConformanceInterfaces(t *testing.T) {
	type empty struct{}
	p := &empty{}
	c := Make[any](1)
	c.Send(p)
	require.Equal(t, 1, Select(OnSend(c, any(p)), Default()))
	require.Equal(t, 2, Select(OnSend(c, any(p)), OnSend(c, any(&empty{})), Default()))
	v, ok := c.Recv()
	require.True(t, ok)
	require.True(t, v == any(p))
	e := Make[error](2)
	e.Send(nil)
	e.Send(errSendClosed)
	got, ok := e.Recv()
	require.True(t, ok)
	require.NoError(t, got)
	got, _ = e.Recv()
	require.ErrorIs(t, got, errSendClosed)
}

// TestConformanceSizes: elements of no size and of 64 KiB in selects, on every way.
func TestConformanceSizes(t *testing.T) {
	type huge [1 << 16]byte
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		none, some := Make[struct{}](0), Make[huge](1)
		var got huge
		for i := range 3 {
			cs.Go(func() {
				Select(OnSend(none, struct{}{}), OnRecv((*Chan[huge])(nil), nil, nil))
				Select(OnSend(some, huge{0: byte(i), 1<<16 - 1: byte(i + 1)}), OnRecv(none, nil, nil))
			})
			cs.Do(func() {
				Select(OnRecv(none, nil, nil), OnSend(none, struct{}{}))
				Select(OnRecv(some, &got, nil))
			})
			cs.Wait()
			require.Equal(t, [2]byte{byte(i), byte(i + 1)}, [2]byte{got[0], got[1<<16-1]})
		}
	})
}

// TestConformanceFIFOChain: a chain of tasks in which each hands on to the next (test/chan/fifo.go, test/chan/goroutines.go).
func TestConformanceFIFOChain(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) { chain(t, cs, 300) })
}

func chain(t *testing.T, cs *testsched.Callers, links int) {
	first := Make[int](0)
	in := first
	for range links {
		from, out := in, Make[int](0)
		cs.Go(func() {
			v, _ := from.Recv()
			out.Send(v + 1)
		})
		in = out
	}
	first.Send(0)
	v, _ := in.Recv()
	require.Equal(t, links, v)
}
