// Select: what is chosen, what is left behind, and that nothing is lost.

package hchan

import (
	"context"
	"math"
	"regexp"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

func TestSelectReady(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var v int
		var w string
		var ok bool
		a, b := Make[int](1), Make[string](1)
		var none *Chan[int]
		cs.Do(func() {
			b.Send("x")
			require.Equal(t, 1, Select(OnRecv(a, &v, &ok), OnRecv(b, &w, &ok)))
			require.True(t, ok)
			require.Equal(t, "x", w)
			require.Equal(t, 2, Select(OnRecv(none, &v, nil), OnRecv(b, nil, nil), OnSend(a, 7), Case{}))
			require.Equal(t, 1, Select(OnSend(a, 8), Default(), OnSend(none, 1)), "full")
			require.Equal(t, 0, Select(OnRecv(a, &v, nil)))
			require.Equal(t, 7, v)
			a.Close()
			require.Equal(t, 0, Select(OnRecv(a, &v, &ok), Default()))
			require.Zero(t, v)
			require.False(t, ok)
			require.Equal(t, 0, Select(Default()))
			require.Equal(t, 1, Select(OnRecv(none, nil, nil), Default()))
		})
	})
}

// A Sender or Receiver that holds no channel at all is as a nil channel to Select, whether it has to wait or not.
func TestSelectNilInterfaces(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var in Receiver[int]
		var out Sender[string]
		var v int
		a := Make[int](0)
		cs.Do(func() { require.Equal(t, 2, Select(OnRecv(in, &v, nil), OnSend(out, "x"), Default())) })
		chosen := make(chan int)
		cs.Go(func() { chosen <- Select(OnSend(out, "x"), OnRecv(in, &v, nil), OnRecv(a, &v, nil)) })
		cs.Do(func() { a.Send(7) })
		require.Equal(t, 2, <-chosen)
		require.Equal(t, 7, v)
	})
}

func TestSelectOrdered(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		a, b, c := Make[int](1), Make[int](1), Make[int](1)
		ctx, cancel := context.WithCancel(t.Context())
		cs.Do(func() {
			for range 100 {
				b.Send(1)
				c.Send(1)
				require.Equal(t, 1, SelectOrdered(OnRecv(a, nil, nil), OnRecv(b, nil, nil), OnRecv(c, nil, nil)))
				require.Equal(t, 2, SelectOrdered(OnRecv(a, nil, nil), OnRecv(b, nil, nil), OnRecv(c, nil, nil)))
				require.Equal(t, 2, SelectOrdered(OnRecv(a, nil, nil), OnDone(ctx), Default()))
			}
			cancel()
			c.Send(1)
			require.Equal(t, 1, SelectOrdered(OnRecv(a, nil, nil), OnDone(ctx), OnRecv(c, nil, nil)))
			require.Equal(t, 0, SelectOrdered(OnRecv(c, nil, nil), OnDone(ctx)))
		})
	})
}

// TestSelectWaits: each kind of case can end a wait, and the other queues are left.
func TestSelectWaits(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		recv, full, send := Make[int](0), Make[int](1), Make[int](0)
		full.Send(0)
		for i := range 12 {
			ctx, cancel := context.WithCancel(t.Context())
			var v int
			var ok bool
			chosen := make(chan int)
			cs.Go(func() {
				chosen <- Select(OnRecv(recv, &v, &ok), OnSend(full, i), OnSend(send, i), OnDone(ctx), OnRecv(recv, &v, &ok))
			})
			untilWaiting(t, recv, 2, 0)
			untilWaiting(t, full, 0, 1)
			untilWaiting(t, send, 0, 1)
			switch i % 4 {
			case 0:
				cs.Do(func() { recv.Send(i) })
				require.Contains(t, []int{0, 4}, <-chosen)
				require.Equal(t, i, v)
				require.True(t, ok)
			case 1:
				cs.Do(func() { full.Recv() })
				require.Equal(t, 1, <-chosen)
				var last int
				cs.Do(func() { last, _ = full.Recv() })
				require.Equal(t, i, last)
				full.Send(0)
			case 2:
				var got int
				cs.Do(func() { got, _ = send.Recv() })
				require.Equal(t, 2, <-chosen)
				require.Equal(t, i, got)
			case 3:
				cancel()
				require.Equal(t, 3, <-chosen)
			}
			cancel()
			cs.Wait()
			for _, c := range []*Chan[int]{recv, full, send} {
				r, s := c.waiting()
				require.Zero(t, r+s, "left in a queue")
			}
		}
	})
}

// TestSelectClosed: Close wakes a select, whose sends panic and whose receives get zero.
func TestSelectClosed(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		a, b, c := Make[int](0), Make[int](0), Make[int](0)
		v, ok := 1, true
		chosen := make(chan int, 1)
		cs.Go(func() { chosen <- Select(OnRecv(a, &v, &ok), OnRecv(b, nil, nil)) })
		untilWaiting(t, a, 1, 0)
		untilWaiting(t, b, 1, 0)
		cs.Do(a.Close)
		require.Equal(t, 0, <-chosen)
		require.Zero(t, v)
		require.False(t, ok)

		panicked := make(chan any, 1)
		cs.Go(func() { panicked <- testsched.PanicOf(func() { Select(OnSend(c, 1), OnRecv(b, nil, nil)) }) })
		untilWaiting(t, c, 0, 1)
		cs.Do(c.Close)
		requireRuntimeError(t, "send on closed channel", <-panicked)
		cs.Do(func() {
			for range 20 { // in either pass
				requireRuntimeError(t, "send on closed channel", testsched.PanicOf(func() { Select(OnSend(c, 1), OnRecv(b, nil, nil)) }))
				requireRuntimeError(t, "send on closed channel", testsched.PanicOf(func() { SelectOrdered(OnRecv(b, nil, nil), OnSend(c, 1)) }))
			}
		})
		r, s := b.waiting()
		require.Zero(t, r+s)
	})
}

// TestSelectSelf: a select with both ends of one channel does not meet itself (runtime/chan_test.go, TestSelfSelect).
func TestSelectSelf(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, size := range []int{0, 10} {
			c := Make[int](size)
			const rounds = 500
			var sum atomic.Int64
			for me := range 2 {
				cs.Go(func() {
					for i := range rounds {
						v := me
						a, b := OnSend(c, me), OnRecv(c, &v, nil)
						if i%2 == 0 {
							a, b = b, a
						}
						if (Select(a, b) == 0) == (i%2 != 0) {
							sum.Add(int64(me))
							continue
						}
						sum.Add(-int64(v))
						if size == 0 && v == me {
							t.Error("received its own value")
						}
					}
				})
			}
			cs.Wait()
			for v, _, got := c.TryRecv(); got; v, _, got = c.TryRecv() {
				sum.Add(-int64(v))
			}
			require.Zero(t, sum.Load())
		}
	})
}

// TestSelectUniform: of the cases that are ready each is chosen as often as the others, in both passes, within the bound of
// Go's own test (runtime/chan_test.go, TestSelectFairness: a deviation of one in five hundred thousand runs).
func TestSelectUniform(t *testing.T) {
	const rounds = 20_000
	s := testsched.New(t, 2)
	count := func(sel func(cases ...Case) int) {
		var n [4]int
		var cs [4]*Chan[int]
		for i := range cs {
			cs[i] = Make[int](1)
			cs[i].Send(i)
		}
		dead := Make[int](0)
		for range rounds {
			i := sel(OnRecv(cs[0], nil, nil), OnRecv(cs[1], nil, nil), OnRecv(dead, nil, nil), OnRecv(cs[2], nil, nil), OnRecv(cs[3], nil, nil))
			require.NotEqual(t, 2, i)
			if i > 2 {
				i--
			}
			n[i]++
			cs[i].Send(i)
		}
		for i := range n { // mean 5,000, standard deviation 61
			require.InDelta(t, rounds/4, n[i], 300, "case %d of %v", i, n)
		}
	}
	all := func(cases ...Case) int { // the second pass alone
		found := survey{other: -1}
		for i := range cases {
			found.add(cases, i)
		}
		return selectAll(hide(cases), false, found)
	}
	count(Select)
	count(all)
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			count(Select)
			count(all)
		}))
	})
	testsched.Close(t, s)
}

// TestSelectDuplicates: of equal cases of a select that waits each is served as often as the others; SelectOrdered's first always.
func TestSelectDuplicates(t *testing.T) {
	const rounds, dups = 1200, 3
	s := testsched.New(t, 1)
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			for _, size := range []int{dups, 15} { // as many as a selection has room for, and more
				c, other := Make[int](0), Make[int](0)
				var n [15]int
				for range rounds {
					done := Make[int](1)
					sched.Go(func() {
						cases := []Case{OnRecv(other, nil, nil)}
						for range size {
							cases = append(cases, OnRecv(c, nil, nil))
						}
						done.Send(Select(cases...) - 1)
					})
					untilWaiting(t, c, size, 0)
					c.Send(1)
					i, _ := done.Recv()
					n[i]++
				}
				mean := float64(rounds) / float64(size)
				for i := range size { // six standard deviations
					require.InDelta(t, mean, n[i], 6*math.Sqrt(mean), "%v", n)
				}
				for range 20 {
					done := Make[int](1)
					sched.Go(func() {
						cases := []Case{OnRecv(other, nil, nil)}
						for range size {
							cases = append(cases, OnRecv(c, nil, nil))
						}
						done.Send(SelectOrdered(cases...))
					})
					untilWaiting(t, c, size, 0)
					c.Send(1)
					i, _ := done.Recv()
					require.Equal(t, 1, i)
				}
			}
		}))
	})
	testsched.Close(t, s)
}

// TestSelectMany: more cases than a selection has room for, on few channels.
func TestSelectMany(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var chans [7]*Chan[int]
		for i := range chans {
			chans[i] = Make[int](i % 2)
		}
		const each = 200
		var got [7]atomic.Int64
		for i := range chans {
			cs.Go(func() {
				for range each {
					chans[i].Send(1)
				}
			})
		}
		cs.Go(func() {
			vs := make([]int, 30)
			cases := make([]Case, len(vs))
			for i := range cases {
				cases[i] = OnRecv(chans[i%len(chans)], &vs[i], nil)
			}
			for range each * len(chans) {
				i := Select(cases...)
				got[i%len(chans)].Add(int64(vs[i]))
				vs[i] = 0
			}
		})
		cs.Wait()
		for i := range got {
			require.EqualValues(t, each, got[i].Load())
		}
	})
}

// TestSelectCasesAreTheCallers: cases in memory of the caller's may be changed from one select to the next; for the race
// detector, too, nobody else has looked at them.
func TestSelectCasesAreTheCallers(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		c, full := Make[int](2), Make[int](0)
		cases := make([]Case, 3)
		for i := range 40 {
			cs.Do(func() {
				v := -1
				cases[i%3] = OnSend(c, i)
				cases[(i+1)%3] = OnSend(full, i)
				cases[(i+2)%3] = Case{}
				if i%2 == 0 {
					require.Equal(t, i%3, Select(cases...))
				} else {
					require.Equal(t, i%3, SelectOrdered(cases...))
				}
				cases[i%3] = OnRecv(c, &v, nil)
				require.Equal(t, i%3, Select(cases...))
				require.Equal(t, i, v)
			})
		}
	})
}

// TestSelectStress: values wander between many selects on few channels; each is counted once.
func TestSelectStress(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		const tasks, rounds = 8, 150
		a, b := [3]*Chan[int]{Make[int](0), Make[int](1), Make[int](3)}, Make[int](0)
		var sent, received atomic.Int64
		for k := range tasks {
			cs.Go(func() {
				for i := range rounds {
					Select(OnSend(a[0], i), OnSend(a[1], i), OnSend(a[2], i), OnSend(b, i), OnRecv((*Chan[int])(nil), nil, nil))
					sent.Add(int64(i))
				}
				_ = k
			})
			cs.Go(func() {
				for range rounds {
					var v int
					var ok bool
					if k%2 == 0 {
						Select(OnRecv(b, &v, &ok), OnRecv(a[2], &v, &ok), OnRecv(a[1], &v, &ok), OnRecv(a[0], &v, &ok))
					} else {
						SelectOrdered(OnRecv(a[0], &v, &ok), OnRecv(a[1], &v, &ok), OnRecv(a[2], &v, &ok), OnRecv(b, &v, &ok))
					}
					if ok {
						received.Add(int64(v))
					}
				}
			})
		}
		cs.Wait()
		require.Equal(t, sent.Load(), received.Load())
		for _, c := range append(a[:], b) {
			r, s := c.waiting()
			require.Zero(t, r+s+c.Len())
		}
	})
}

// TestSelectUnwound: a task that is unwound leaves all queues.
func TestSelectUnwound(t *testing.T) {
	unwindProcs(t, func(t *testing.T, procs int) {
		s := testsched.New(t, procs)
		a, b := Make[int](0), Make[int](0)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var deferred atomic.Int32
		for range 5 {
			s.Go(func() {
				defer deferred.Add(1)
				Select(OnRecv(a, nil, nil), OnSend(b, 1), OnDone(ctx))
				t.Error("came back")
			})
		}
		untilWaiting(t, a, 5, 0)
		untilWaiting(t, b, 0, 5)
		require.NoError(t, s.Close())
		require.EqualValues(t, 5, deferred.Load())
		untilWaiting(t, a, 0, 0)
		untilWaiting(t, b, 0, 0)
		require.False(t, a.TrySend(1))
	})
}

// TestSelectSendsFromHeap: a value may lie on the stack of who waits to send it, but what it points to, and a context, must
// not: the compiler has to see that they are kept. It shows in their being allocated.
func TestSelectSendsFromHeap(t *testing.T) {
	const rounds = 100
	c := Make[*[64]byte](1)
	f := Make[func() int](1)
	for name, send := range map[string]func(i int){
		"pointer": func(i int) {
			var x [64]byte
			x[0] = byte(i)
			Select(OnSend(c, &x), Default())
			c.TryRecv()
		},
		"closure": func(i int) {
			Select(OnSend(f, func() int { i++; return i }), Default())
			f.TryRecv()
		},
		"context": func(int) {
			own := ownContext{t.Context()}
			Select(OnDone(&own), Default())
		},
		"sender": func(i int) {
			var x [64]byte
			x[0] = byte(i)
			Select(OnSend(c.SendOnly(), &x), Default())
			c.TryRecv()
		},
	} {
		n := testsched.LeastMallocs(func() {
			for i := range rounds {
				send(i)
			}
		})
		require.GreaterOrEqual(t, n, uint64(rounds), name)
	}
}

// ownContext is one that package context does not know.
type ownContext struct{ context.Context }

func TestSelectPanics(t *testing.T) {
	require.Equal(t, "hchan: multiple defaults in select", testsched.PanicOf(func() { Select(Default(), Default()) }))
	require.Equal(t, "hchan: Select on a Chan that Make has not made", testsched.PanicOf(func() { Select(OnRecv(new(Chan[int]), nil, nil)) }))
	//lint:ignore SA1012 what it does with nil is the question
	require.Equal(t, "hchan: OnDone of nil Context", testsched.PanicOf(func() { OnDone(nil) }))
}

// nothings are selects without a case that can be ready.
var nothings = map[string]func(){
	"no cases":  func() { Select() },
	"nil":       func() { Select(OnRecv((*Chan[int])(nil), nil, nil), Case{}) },
	"never":     func() { Select(OnDone(context.Background())) },
	"one ready": func() { SelectOrdered(OnSend((*Chan[int])(nil), 1), OnDone(context.Background())) },
}

// TestSelectNothing: without a case that can be ready, Select never returns.
func TestSelectNothing(t *testing.T) {
	s, err := sched.New(sched.Config{Procs: 1, DetectDeadlock: true})
	require.NoError(t, err)
	for name, f := range nothings {
		var dead *sched.DeadlockError
		testsched.Within(t, func() { require.ErrorAs(t, s.Run(f), &dead, name) })
		require.Equal(t, "select (no cases)", dead.Tasks[0].Reason.String(), name)
	}
	testsched.Close(t, s)
}

// TestSelectNothingOnGoroutine: nor does it in a goroutine, which keeps no processor busy. These stay where they are.
func TestSelectNothingOnGoroutine(t *testing.T) {
	var returned atomic.Int32
	for _, f := range nothings {
		go func() {
			f()
			returned.Add(1)
		}()
	}
	blocked := regexp.MustCompile(`(?m)^goroutine \d+ \[semacquire[^]]*\]:\n(\S.*\n|\t.*\n)*?\S+hchan\.selectgo\(`)
	testsched.Until(t, func() bool {
		buf := make([]byte, 1<<20)
		return len(blocked.FindAll(buf[:runtime.Stack(buf, true)], -1)) >= len(nothings) // of the last -count too
	}, "%d that wait", len(nothings))
	require.Zero(t, returned.Load())
}
