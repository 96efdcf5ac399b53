// Memory: nothing is allocated on the steady path, nothing is kept that was received.

package hchan

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"unsafe"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestUncontendedAllocatesNothing, in a task and in a goroutine.
func TestUncontendedAllocatesNothing(t *testing.T) {
	if hb.On {
		t.Skip("telling the race detector of a call allocates")
	}
	s := testsched.New(t, 2)
	for _, kind := range []string{"task", "goroutine"} {
		t.Run(kind, func(t *testing.T) {
			ints, bigs := Make[int](4), Make[large](1)
			var allocs float64
			measure := func() {
				allocs = testing.AllocsPerRun(500, func() {
					ints.Send(1)
					ints.TrySend(2)
					ints.TryRecv()
					ints.TryRecv()
					ints.TryRecv() // refused
					bigs.Send(large{})
					bigs.TrySend(large{}) // refused
					bigs.Recv()
				})
			}
			if kind == "task" {
				require.NoError(t, s.Run(measure))
			} else {
				measure()
			}
			require.Zero(t, allocs)
		})
	}
	testsched.Close(t, s)
}

// TestParkingAllocatesNothing counts the allocations of the process over many round trips in which
// nearly every operation parks.
func TestParkingAllocatesNothing(t *testing.T) {
	if hb.On {
		t.Skip("telling the race detector of a call allocates")
	}
	const rounds = 4_000
	task := func(s *sched.Scheduler) func(func()) { return s.Go }
	goroutine := func(*sched.Scheduler) func(func()) { return func(fn func()) { go fn() } }
	for _, procs := range []int{1, 2} {
		for name, echoer := range map[string]func(*sched.Scheduler) func(func()){"task": task, "goroutine": goroutine} {
			rounds := rounds
			if name == "goroutine" { // each way goes through the native scheduler
				rounds /= 10
			}
			t.Run(fmt.Sprintf("%s/procs=%d", name, procs), func(t *testing.T) {
				s := testsched.New(t, procs)
				ping, pong := Make[int](0), Make[int](0)
				echoer(s)(func() {
					for v := range ping.All() {
						pong.Send(v + 1)
					}
					pong.Close()
				})
				var mallocs uint64
				wrong := 0
				testsched.Within(t, func() {
					require.NoError(t, s.Run(func() {
						mallocs = testsched.LeastMallocs(func() {
							for i := range rounds {
								ping.Send(i)
								if v, _ := pong.Recv(); v != i+1 {
									wrong++
								}
							}
						})
						ping.Close()
						pong.Recv()
					}))
					require.NoError(t, s.Close())
				})
				require.Zero(t, wrong)
				require.Less(t, mallocs, uint64(rounds/20))
			})
		}
	}
}

// TestCrowdAllocatesNothing: a crowd of waiters that comes back finds its sudogs again.
func TestCrowdAllocatesNothing(t *testing.T) {
	if hb.On {
		t.Skip("telling the race detector of a call allocates")
	}
	const crowd, rounds = 50, 100
	s := testsched.New(t, 1)
	c := Make[int](0)
	for range crowd {
		s.Go(func() {
			for range c.All() {
			}
		})
	}
	var mallocs uint64
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			mallocs = testsched.LeastMallocs(func() {
				for i := range rounds {
					for range crowd {
						c.Send(i)
					}
					sched.Yield()
				}
			})
			c.Close()
		}))
		require.NoError(t, s.Close())
	})
	require.Less(t, mallocs, uint64(crowd*rounds/20))
}

// TestExchangeAllocatesNothing: whatever the crowds on both sides and the buffer, and although some of those that have been woken do not get to
// run for long, since two others ready each other all the time.
func TestExchangeAllocatesNothing(t *testing.T) {
	if hb.On {
		t.Skip("telling the race detector of a call allocates")
	}
	const values = 20_000
	for _, shape := range []struct{ senders, receivers, slots int }{{1, 1, 128}, {4, 4, 128}, {8, 8, 0}, {100, 1, 0}, {1, 100, 0}} {
		for _, procs := range []int{1, 2} {
			t.Run(fmt.Sprintf("%+v/procs=%d", shape, procs), func(t *testing.T) {
				s := testsched.New(t, procs)
				c, begin, end := Make[int](shape.slots), Make[int](0), Make[int](0)
				share := values / shape.senders
				for range shape.senders {
					s.Go(func() {
						for n := range begin.All() {
							for i := range n {
								c.Send(i)
							}
						}
					})
				}
				var received atomic.Int64
				for range shape.receivers {
					s.Go(func() {
						for range c.All() {
							if received.Add(1)%int64(share*shape.senders) == 0 {
								end.Send(0)
							}
						}
					})
				}
				var mallocs uint64
				testsched.Within(t, func() {
					require.NoError(t, s.Run(func() {
						mallocs = testsched.LeastMallocs(func() {
							for range shape.senders {
								begin.Send(share)
							}
							end.Recv()
						})
						begin.Close()
						c.Close()
					}))
				})
				testsched.Close(t, s)
				require.Less(t, mallocs, uint64(values/100))
			})
		}
	}
}

// TestSizes: with a field more the allocator takes half a line more, which a hundred thousand channels feel.
func TestSizes(t *testing.T) {
	if hb.On || unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("the fields have other sizes here")
	}
	require.LessOrEqual(t, unsafe.Sizeof(Chan[int]{}), uintptr(128))
	require.LessOrEqual(t, unsafe.Sizeof(sudogOf[struct{}]{}), uintptr(32), "of a waiter: it would be 48 then")
}

// TestReceivedIsNotRetained: on each way through a channel, the channel and its spare sudogs forget
// what they carried.
func TestReceivedIsNotRetained(t *testing.T) {
	type object struct{ _ [64]byte }
	drop := func(c *Chan[*object]) { c.Recv() }
	for name, carry := range map[string]func(cs *testsched.Callers, c *Chan[*object], p *object){
		"buffer": func(cs *testsched.Callers, c *Chan[*object], p *object) {
			cs.Do(func() { c.Send(p) })
			cs.Do(func() { drop(c) })
		},
		"buffer, TryRecv": func(cs *testsched.Callers, c *Chan[*object], p *object) {
			cs.Do(func() { c.TrySend(p) })
			cs.Do(func() { c.TryRecv() })
		},
		"waiting receiver": func(cs *testsched.Callers, c *Chan[*object], p *object) {
			cs.Go(func() { drop(c) })
			testsched.Until(t, func() bool { r, _ := c.waiting(); return r == 1 }, "one receiver")
			cs.Do(func() { c.Send(p) })
		},
		"waiting sender": func(cs *testsched.Callers, c *Chan[*object], p *object) {
			n := c.Cap() + 1
			for range n {
				cs.Go(func() { c.Send(p) })
			}
			testsched.Until(t, func() bool { _, s := c.waiting(); return s == 1 }, "one sender")
			cs.Do(func() {
				for range n {
					drop(c)
				}
			})
		},
		"unwound sender": func(_ *testsched.Callers, c *Chan[*object], p *object) {
			s := testsched.New(t, 1)
			n := c.Cap() + 1
			for range n {
				s.Go(func() { c.Send(p) })
			}
			testsched.Until(t, func() bool { _, s := c.waiting(); return s == 1 }, "one sender")
			require.NoError(t, s.Close())
			for range n - 1 {
				drop(c)
			}
		},
		"sender at close": func(cs *testsched.Callers, c *Chan[*object], p *object) {
			n := c.Cap() + 1
			for range n {
				cs.Go(func() { _ = testsched.PanicOf(func() { c.Send(p) }) })
			}
			testsched.Until(t, func() bool { _, s := c.waiting(); return s == 1 }, "one sender")
			cs.Do(c.Close)
			for range n {
				drop(c)
			}
		},
	} {
		for _, size := range []int{0, 2} {
			if size == 0 && (name == "buffer" || name == "buffer, TryRecv") {
				continue
			}
			t.Run(fmt.Sprintf("%s/size=%d", name, size), func(t *testing.T) {
				if hb.On && name == "sender at close" {
					t.Skip("a race, of which the detector is told as it is of native ones")
				}
				s := testsched.New(t, 2)
				cs := testsched.NewCallers(s.Go, testsched.OnGoroutine)
				c := Make[*object](size)
				var w weak.Pointer[object]
				testsched.Within(t, func() {
					p := new(object)
					w = weak.Make(p)
					carry(cs, c, p)
					cs.Wait()
				})
				testsched.Until(t, func() bool {
					runtime.GC()
					return w.Value() == nil
				}, "the element is collected")
				runtime.KeepAlive(c)
				testsched.Close(t, s)
			})
		}
	}
}
