// Memory: what was sent through a select, with a context, or not at all after all, is not kept; and what was received is
// where it should be.

package hchan

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// parcel is what is sent in the tests below.
type parcel struct{ _ [64]byte }

// retention is one way through a channel. carry must not keep p, and what it has started must end.
type retention struct {
	cs  *testsched.Callers
	c   *Chan[*parcel]
	alt *Chan[*parcel] // of selects
	ctx context.Context
	t   *testing.T
}

var retentions = map[string]func(r retention, p *parcel){
	"select sends at once": func(r retention, p *parcel) {
		wait := 1
		if r.c.Cap() > 0 {
			wait = 0
		}
		if wait > 0 {
			r.cs.Go(func() { r.c.Recv() })
		}
		untilWaiting(r.t, r.c, wait, 0)
		r.cs.Do(func() { Select(OnRecv(r.alt, nil, nil), OnSend(r.c, p)) })
		if wait == 0 {
			r.cs.Do(func() { r.c.Recv() })
		}
	},
	"select waits to send": func(r retention, p *parcel) {
		fill(r.c, p)
		r.cs.Go(func() { Select(OnSend(r.alt, p), OnSend(r.c, p)) })
		untilWaiting(r.t, r.c, 0, 1)
		r.cs.Do(func() { emptyOut(r.c, r.c.Cap()+1) })
	},
	"select receives at once": func(r retention, p *parcel) {
		fill(r.c, p)
		if r.c.Cap() == 0 {
			r.cs.Go(func() { r.c.Send(p) })
			untilWaiting(r.t, r.c, 0, 1)
		}
		r.cs.Do(func() {
			var got *parcel
			for range max(r.c.Cap(), 1) {
				Select(OnRecv(r.alt, nil, nil), OnRecv(r.c, &got, nil))
			}
		})
	},
	"select waits to receive": func(r retention, p *parcel) {
		r.cs.Go(func() {
			var got *parcel
			Select(OnRecv(r.alt, &got, nil), OnRecv(r.c, &got, nil))
			got = nil
			r.ctx.Err()
		})
		untilWaiting(r.t, r.c, 1, 0)
		r.cs.Do(func() { r.c.Send(p) })
	},
	"select receives and drops": func(r retention, p *parcel) {
		r.cs.Go(func() { Select(OnRecv(r.alt, nil, nil), OnRecv(r.c, nil, nil)) })
		untilWaiting(r.t, r.c, 1, 0)
		r.cs.Do(func() { r.c.Send(p) })
	},
	"select sends elsewhere": func(r retention, p *parcel) { // its value was in the queue of c
		for range r.c.Cap() {
			r.c.Send(nil)
		}
		r.cs.Go(func() { Select(OnSend(r.c, p), OnSend(r.alt, p)) })
		untilWaiting(r.t, r.c, 0, 1)
		r.cs.Do(func() { r.alt.Recv() })
	},
	"select takes default": func(r retention, p *parcel) {
		for range r.c.Cap() {
			r.c.Send(nil)
		}
		r.cs.Do(func() { Select(OnSend(r.c, p), OnSend(r.alt, p), Default()) })
	},
	"many cases": func(r retention, p *parcel) {
		for range r.c.Cap() {
			r.c.Send(nil)
		}
		r.cs.Go(func() {
			var cases []Case
			for range 20 {
				cases = append(cases, OnSend(r.c, p), OnSend(r.alt, p))
			}
			Select(cases...)
		})
		untilWaiting(r.t, r.alt, 0, 20)
		r.cs.Do(func() { r.alt.Recv() })
	},
	"cancelled send": func(r retention, p *parcel) {
		for range r.c.Cap() {
			r.c.Send(nil)
		}
		ctx, cancel := context.WithCancel(r.ctx)
		r.cs.Go(func() { _ = r.c.SendContext(ctx, p) })
		untilWaiting(r.t, r.c, 0, 1)
		cancel()
	},
	"send with a context": func(r retention, p *parcel) {
		fill(r.c, p)
		ctx, cancel := context.WithCancel(r.ctx)
		defer cancel()
		r.cs.Go(func() { _ = r.c.SendContext(ctx, p) })
		untilWaiting(r.t, r.c, 0, 1)
		r.cs.Do(func() { emptyOut(r.c, r.c.Cap()+1) })
		r.cs.Wait()
	},
	"receive with a context": func(r retention, p *parcel) {
		ctx, cancel := context.WithCancel(r.ctx)
		defer cancel()
		r.cs.Go(func() { _, _, _ = r.c.RecvContext(ctx) })
		untilWaiting(r.t, r.c, 1, 0)
		r.cs.Do(func() { r.c.Send(p) })
		r.cs.Wait()
	},
	"unwound select": func(r retention, p *parcel) {
		for range r.c.Cap() {
			r.c.Send(nil)
		}
		s := testsched.New(r.t, 1)
		s.Go(func() { Select(OnSend(r.c, p), OnSend(r.alt, p), OnDone(r.ctx)) })
		untilWaiting(r.t, r.alt, 0, 1)
		testsched.Close(r.t, s)
	},
	"range": func(r retention, p *parcel) {
		r.cs.Go(func() {
			for range r.c.All() {
				break
			}
		})
		untilWaiting(r.t, r.c, 1, 0)
		r.cs.Do(func() { r.c.Send(p) })
	},
	"panic at close": func(r retention, p *parcel) {
		for range r.c.Cap() {
			r.c.Send(nil)
		}
		r.cs.Go(func() { _ = testsched.PanicOf(func() { Select(OnSend(r.c, p), OnSend(r.alt, p)) }) })
		untilWaiting(r.t, r.c, 0, 1)
		r.cs.Do(r.c.Close)
	},
}

func fill(c *Chan[*parcel], p *parcel) {
	for range c.Cap() {
		c.Send(p)
	}
}

func emptyOut(c *Chan[*parcel], n int) {
	for range n {
		c.Recv()
	}
}

// TestNothingIsRetained: on each way, the channels, their spare sudogs and the pooled selections keep nothing.
func TestNothingIsRetained(t *testing.T) {
	for name, carry := range retentions {
		if raceEnabled && name == "panic at close" { // a race by the detector's rules
			continue
		}
		for _, size := range []int{0, 2} {
			t.Run(fmt.Sprintf("%s/size=%d", name, size), func(t *testing.T) {
				s := testsched.New(t, 2)
				cs := testsched.NewCallers(s.Go, testsched.OnGoroutine)
				c, alt := Make[*parcel](size), Make[*parcel](0)
				var w weak.Pointer[parcel]
				testsched.Within(t, func() {
					p := new(parcel)
					w = weak.Make(p)
					carry(retention{cs, c, alt, t.Context(), t}, p)
					cs.Wait()
				})
				for _, c := range []*Chan[*parcel]{c, alt} {
					r, s := c.waiting()
					require.Zero(t, r+s)
				}
				testsched.Until(t, func() bool {
					runtime.GC()
					return w.Value() == nil
				}, "the element is collected")
				runtime.KeepAlive(c)
				runtime.KeepAlive(alt)
				testsched.Close(t, s)
			})
		}
	}
}

// TestLoopsKeepNothingWhileTheyWait: neither a range over All nor Recv in a loop keeps the last element until the next one comes.
func TestLoopsKeepNothingWhileTheyWait(t *testing.T) {
	for name, loop := range map[string]func(c *Chan[*parcel], got func(p *parcel)){
		"All": func(c *Chan[*parcel], got func(p *parcel)) {
			for p := range c.All() {
				got(p)
			}
		},
		"Recv": func(c *Chan[*parcel], got func(p *parcel)) {
			for {
				p, ok := c.Recv()
				if !ok {
					return
				}
				got(p)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := testsched.New(t, 2)
			cs := testsched.NewCallers(s.Go, testsched.OnGoroutine)
			for range 2 { // on a task, on a goroutine
				c := Make[*parcel](0)
				var seen atomic.Int32
				cs.Go(func() {
					loop(c, func(p *parcel) {
						if p != nil {
							seen.Add(1)
						}
					})
				})
				send := func() weak.Pointer[parcel] {
					p := new(parcel)
					c.Send(p)
					return weak.Make(p)
				}
				w := send()
				testsched.Until(t, func() bool { r, _ := c.waiting(); return r == 1 && seen.Load() == 1 }, "it waits for the next one")
				testsched.Until(t, func() bool { runtime.GC(); return w.Value() == nil }, "the element is collected")
				c.Close()
				cs.Wait()
			}
			testsched.Close(t, s)
		})
	}
}

// TestWaitingKeepsAlive: what is under way is not collected, though nothing but a channel refers to it.
func TestWaitingKeepsAlive(t *testing.T) {
	s := testsched.New(t, 2)
	cs := testsched.NewCallers(s.Go, testsched.OnGoroutine)
	make7 := func() *large { v := makeLarge(7); return &v }
	for i := range 8 {
		c, alt := Make[*large](i%2), Make[*large](0)
		if i%2 == 1 {
			c.Send(make7())
		}
		switch i / 2 {
		case 0:
			cs.Go(func() { c.Send(make7()) })
		case 1:
			cs.Go(func() { Select(OnSend(c, make7()), OnRecv(alt, nil, nil)) })
		case 2:
			cs.Go(func() { _ = c.SendContext(t.Context(), make7()) })
		case 3:
			cs.Go(func() {
				var cases []Case
				for range 12 {
					cases = append(cases, OnSend(c, make7()))
				}
				Select(cases...)
			})
		}
		testsched.Until(t, func() bool { _, s := c.waiting(); return s > 0 }, "a sender")
		for range 3 {
			runtime.GC()
		}
		for range 1 + i%2 {
			v, ok := c.Recv()
			require.True(t, ok)
			require.Equal(t, makeLarge(7), *v)
		}
		cs.Wait()
	}
	testsched.Close(t, s)
}

// TestTimersAreNotRetained: a timer that nobody refers to is collected, be it running, stopped or fired; a ticker too, and
// so is its channel.
func TestTimersAreNotRetained(t *testing.T) {
	s := testsched.New(t, 1)
	var ws []weak.Pointer[Chan[time.Time]]
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			short, stopped, ticker := NewTimer(1), NewTimer(time.Hour), NewTicker(time.Millisecond)
			short.C.Recv()
			stopped.Stop()
			ticker.C.Recv()
			for _, c := range []*Chan[time.Time]{short.C, stopped.C, ticker.C, After(time.Millisecond)} {
				ws = append(ws, weak.Make(c))
			}
		}))
	})
	for i, w := range ws {
		testsched.Until(t, func() bool {
			runtime.GC()
			return w.Value() == nil
		}, "channel %d is collected", i)
	}
	testsched.Close(t, s)
}

// TestChannelsAreCollected with all that they hold: nothing global refers to one.
func TestChannelsAreCollected(t *testing.T) {
	s := testsched.New(t, 1)
	var ws []weak.Pointer[Chan[int]]
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			for range 20 {
				c, d := Make[int](1), Make[int](0)
				sched.Go(func() { Select(OnSend(d, 1), OnRecv(c, nil, nil)) })
				d.Recv()
				c.Send(1)
				ws = append(ws, weak.Make(c), weak.Make(d))
			}
		}))
	})
	for _, w := range ws {
		testsched.Until(t, func() bool {
			runtime.GC()
			return w.Value() == nil
		}, "collected")
	}
	testsched.Close(t, s)
}

// steady are operations that come back to where they began. ready never wait; their name says the cases of a select.
func steady(ctx context.Context) map[string]func() {
	a, b, full, none := Make[int](2), Make[large](1), Make[int](1), (*Chan[int])(nil)
	full.Send(1)
	closed := Make[int](0)
	closed.Close()
	timer := NewTimer(time.Hour)
	ticker := NewTicker(time.Hour)
	var v int
	var l large
	var ok bool
	return map[string]func(){
		"select 1":       func() { Select(OnSend(a, 1)); Select(OnRecv(a, &v, &ok)) },
		"select 2":       func() { Select(OnSend(a, 1), OnRecv(none, &v, nil)); Select(OnSend(full, 1), OnRecv(a, &v, &ok)) },
		"select large":   func() { Select(OnSend(b, l), OnSend(full, 1)); Select(OnSend(full, 1), OnRecv(b, &l, &ok)) },
		"select default": func() { Select(OnSend(full, 1), Default()); Select(OnSend(full, 1), OnSend(full, 2), Default()) },
		"select closed":  func() { Select(OnSend(full, 1), OnRecv(closed, &v, &ok)) },
		"select 4 ready": func() {
			a.Send(1)
			Select(OnRecv(a, &v, &ok), OnRecv(a, &v, &ok), OnRecv(a, nil, nil), OnRecv(closed, &v, nil))
			a.TryRecv()
		},
		"select 8": func() {
			a.Send(1)
			Select(OnSend(full, 1), OnSend(full, 1), OnSend(full, 1), OnSend(full, 1), OnSend(full, 1), OnSend(full, 1), OnRecv(none, nil, nil), OnRecv(a, &v, &ok))
		},
		"ordered 8": func() {
			a.Send(1)
			SelectOrdered(OnSend(full, 1), OnSend(full, 1), OnSend(full, 1), OnSend(full, 1), OnSend(full, 1), OnSend(full, 1), OnRecv(a, &v, &ok), OnRecv(closed, nil, nil))
		},
		"done": func() {
			a.Send(1)
			SelectOrdered(OnRecv(a, &v, nil), OnDone(ctx))
			Select(OnSend(full, 1), OnDone(ctx), Default())
		},
		"try": func() {
			a.TrySend(1)
			full.TrySend(1)
			a.TryRecv()
			a.TryRecv()
			b.TrySend(l)
			b.TryRecv()
		},
		"contexts":        func() { _ = a.SendContext(ctx, 1); _, _, _ = a.RecvContext(ctx) },
		"len, directions": func() { v = a.SendOnly().Len() + a.RecvOnly().Cap() },
		"range": func() {
			a.Send(1)
			for v = range a.All() {
				break
			}
		},
		"timers": func() {
			timer.Reset(time.Hour)
			timer.Stop()
			ticker.Reset(time.Hour)
			ticker.Stop()
			timer.C.TryRecv()
		},
	}
}

// TestReadyAllocatesNothing, in a task and in a goroutine.
func TestReadyAllocatesNothing(t *testing.T) {
	if hb.On {
		t.Skip("telling the race detector of a call allocates")
	}
	s := testsched.New(t, 1)
	measure := func(kind string) {
		for name, op := range steady(t.Context()) {
			require.Zero(t, testing.AllocsPerRun(200, op), "%s in a %s", name, kind)
		}
	}
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() { measure("task") }))
		measure("goroutine")
	})
	testsched.Close(t, s)
}

// TestSelectParkedAllocatesNothing: selects of 2 to 8 cases, each of which waits, between two tasks and between a task and a
// goroutine.
func TestSelectParkedAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("under the race detector a sync.Pool forgets some of what it is given, and telling of a call allocates")
	}
	for _, procs := range []int{1, 2} {
		for kind, start := range map[string]func(s *sched.Scheduler, fn func()){
			"task": (*sched.Scheduler).Go, "goroutine": func(_ *sched.Scheduler, fn func()) { go fn() },
		} {
			for _, n := range []int{2, 8} {
				t.Run(fmt.Sprintf("%s/procs=%d/cases=%d", kind, procs, n), func(t *testing.T) {
					rounds := 4_000
					if kind == "goroutine" {
						rounds = 400
					}
					s := testsched.New(t, procs)
					ping, pong, dead := Make[int](0), Make[int](0), Make[large](0)
					casesOf := func(one Case) (cases []Case) {
						for range n - 1 {
							cases = append(cases, OnRecv(dead, nil, nil))
						}
						return append(cases, one)
					}
					start(s, func() {
						var v int
						var ok bool
						in := casesOf(OnRecv(ping, &v, &ok))
						out := casesOf(OnSend(pong, 1))
						for {
							Select(in...)
							if !ok {
								pong.Close()
								return
							}
							Select(out...)
						}
					})
					var mallocs uint64
					testsched.Within(t, func() {
						require.NoError(t, s.Run(func() {
							in, out := casesOf(OnRecv(pong, nil, nil)), casesOf(OnSend(ping, 1))
							mallocs = testsched.LeastMallocs(func() {
								for range rounds {
									Select(out...)
									SelectOrdered(in...)
								}
							})
							ping.Close()
							pong.Recv()
						}))
						require.NoError(t, s.Close())
					})
					require.Less(t, mallocs, uint64(rounds/20))
				})
			}
		}
	}
}
