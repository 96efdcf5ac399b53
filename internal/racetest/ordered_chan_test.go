//go:build race

package racetest

import (
	"context"
	"runtime"
	"time"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
)

// orderedChan has a program for each edge of a channel: those of the Go memory model.
var orderedChan = []scenario{
	{name: "unbuffered send to receive", run: func(e *env) {
		x, c := 0, hchan.Make[int](0)
		e.tasks(func() { x++; c.Send(1) }, func() { c.Recv(); x++ })
		e.tasks(func() { c.Recv(); x++ }, func() { x++; c.Send(1) })
	}},
	{name: "unbuffered receive to the send's completion", run: func(e *env) {
		x, c := 0, hchan.Make[int](0)
		e.tasks(func() { c.Send(1); x++ }, func() { x++; c.Recv() })
		e.tasks(func() { x++; c.Recv() }, func() { c.Send(1); x++ })
	}},
	{name: "there and back again", reps: 50, run: func(e *env) {
		x, c := 0, hchan.Make[int](0)
		e.tasks(func() {
			for range 20 {
				x++
				c.Send(1)
				c.Recv()
			}
		}, func() {
			for range 20 {
				c.Recv()
				x++
				c.Send(1)
			}
		})
	}},
	{name: "pointers through a channel", run: func(e *env) {
		for _, size := range []int{0, 1, 4} {
			c := hchan.Make[*int](size)
			e.tasks(func() {
				for i := range 10 {
					c.Send(&i)
				}
				c.Close()
			}, func() {
				for p := range c.All() {
					*p++
				}
			})
		}
	}},
	{name: "k-th send to k-th receive", run: func(e *env) {
		for _, size := range []int{1, 3} {
			xs, c := make([]int, 20), hchan.Make[int](size)
			send := func() {
				for k := range xs {
					xs[k]++
					c.Send(k)
				}
			}
			recv := func() {
				for k := range xs {
					c.Recv()
					xs[k]++
				}
			}
			e.tasks(send, recv)
			e.tasks(recv, send)
		}
	}},
	{name: "k-th receive to send k+C", run: func(e *env) {
		for _, size := range []int{1, 3} {
			xs, c := make([]int, 20), hchan.Make[int](size)
			send := func() {
				for k := range xs {
					c.Send(k)
					if k >= size {
						xs[k-size]++
					}
				}
			}
			recv := func() {
				for k := range xs {
					xs[k]++
					c.Recv()
				}
			}
			e.tasks(send, recv)
			e.tasks(recv, send)
		}
	}},
	{name: "a buffer of one as a lock", run: func(e *env) {
		x, c := 0, hchan.Make[struct{}](1)
		f := func() {
			for range 5 {
				c.Send(struct{}{})
				x++
				sched.Yield()
				x++
				c.Recv()
			}
		}
		e.tasks(f, f, f)
	}},
	{name: "a full buffer waits for all", run: func(e *env) {
		xs, c := make([]int, 10), hchan.Make[bool](5)
		e.task(func() {
			for i := range xs {
				c.Send(true)
				sched.Go(func() { xs[i]++; c.Recv() })
			}
			for range c.Cap() {
				c.Send(true)
			}
			for i := range xs {
				xs[i]++
			}
		})
	}},
	{name: "close to receive", run: func(e *env) {
		for _, size := range []int{0, 2} {
			x, c := 0, hchan.Make[int](size)
			recv := func() {
				if v, ok := c.Recv(); v != 0 || ok {
					panic(v)
				}
				use(x)
			}
			e.tasks(recv, recv, func() { x++; c.Close() }, recv)
		}
	}},
	{name: "close to receive, behind what is queued", run: func(e *env) {
		x, c := 0, hchan.Make[int](2)
		e.tasks(func() { c.Send(1); x++; c.Close() }, func() {
			for range c.All() {
			}
			x++
		})
	}},
	{name: "close to TryRecv", run: func(e *env) {
		for _, size := range []int{0, 2} {
			x, c := 0, hchan.Make[int](size)
			e.tasks(func() { x++; c.Close() }, func() { tryRecv(c); x++ })
		}
	}},
	{name: "TrySend to TryRecv", run: func(e *env) {
		x, c := 0, hchan.Make[int](1)
		e.tasks(func() { x++; trySend(c) }, func() { tryRecv(c); x++ })
	}},
	{name: "TryRecv to TrySend", run: func(e *env) {
		x, c := 0, hchan.Make[int](1)
		e.tasks(func() { c.Send(0); trySend(c); x++ }, func() { x++; tryRecv(c) })
	}},
	{name: "TrySend to a waiting receiver and back", run: func(e *env) {
		x, y, c := 0, 0, hchan.Make[int](0)
		e.tasks(func() { y++; c.Recv(); x++ }, func() { x++; trySend(c); y++ })
	}},
	{name: "TryRecv from a waiting sender and back", run: func(e *env) {
		x, y, c := 0, 0, hchan.Make[int](0)
		e.tasks(func() { x++; c.Send(1); y++ }, func() { y++; tryRecv(c); x++ })
	}},
	{name: "tasks and goroutines over one channel", run: func(e *env) {
		for _, size := range []int{0, 1} {
			x, c, back := 0, hchan.Make[int](size), hchan.Make[int](0)
			ping := func() { x++; c.Send(1); back.Recv(); x++ }
			pong := func() { c.Recv(); x++; back.Send(1) }
			done := make(chan struct{})
			go func() { ping(); close(done) }()
			e.task(pong)
			<-done
			done = make(chan struct{})
			go func() { pong(); close(done) }()
			e.task(ping)
			<-done
		}
	}},
	{name: "tasks of two schedulers over one channel", run: func(e *env) {
		for _, size := range []int{0, 1} {
			x, c, back := 0, hchan.Make[int](size), hchan.Make[int](0)
			done := make(chan struct{})
			e.other.Go(func() {
				x++
				c.Send(1)
				back.Recv()
				x++
				close(done)
			})
			e.task(func() { c.Recv(); x++; back.Send(1) })
			<-done
			x++
		}
	}},
	{name: "a chain of tasks", reps: 20, run: func(e *env) {
		e.task(func() {
			x := 0
			first := hchan.Make[*int](0)
			left := first
			for range 50 {
				right := hchan.Make[*int](0)
				from, to := right, left
				sched.Go(func() { p, _ := from.Recv(); *p++; to.Send(p) })
				left = right
			}
			last := left
			sched.Go(func() { x++; last.Send(&x) })
			p, _ := first.Recv()
			*p++
		})
	}},
	{name: "many on one channel", reps: 20, run: func(e *env) {
		for _, size := range []int{0, 3} {
			c := hchan.Make[*int](size)
			send := func() {
				for i := range 20 {
					c.Send(&i)
				}
			}
			recv := func() {
				for range 20 {
					p, _ := c.Recv()
					*p++
				}
			}
			e.tasks(send, recv, send, recv, recv, send)
		}
	}},
	{name: "select's send to receive and back", run: func(e *env) {
		x, c, never := 0, hchan.Make[int](0), hchan.Make[int](0)
		send := func() { hchan.Select(hchan.OnRecv(never, nil, nil), hchan.OnSend(c, 1)) }
		recv := func() { hchan.Select(hchan.OnRecv(c, nil, nil), hchan.OnRecv(never, nil, nil)) }
		e.tasks(func() { x++; send() }, func() { recv(); x++ })
		e.tasks(func() { recv(); x++ }, func() { x++; send() })
		e.tasks(func() { send(); x++ }, func() { x++; recv() })
		e.tasks(func() { x++; c.Send(1) }, func() { recv(); x++ })
		e.tasks(func() { c.Recv(); x++ }, func() { x++; send() })
	}},
	{name: "select and a buffer", run: func(e *env) {
		for _, size := range []int{1, 3} {
			xs, c, never := make([]int, 20), hchan.Make[int](size), hchan.Make[int](0)
			e.tasks(func() {
				for k := range xs {
					hchan.Select(hchan.OnSend(c, k), hchan.OnRecv(never, nil, nil))
					if k >= size {
						xs[k-size]++
					}
				}
			}, func() {
				for k := range xs {
					xs[k]++
					hchan.SelectOrdered(hchan.OnRecv(never, nil, nil), hchan.OnRecv(c, nil, nil))
				}
			})
			e.tasks(func() {
				for k := range xs {
					xs[k]++
					hchan.Select(hchan.OnSend(c, k), hchan.OnRecv(never, nil, nil))
				}
			}, func() {
				for range xs {
					k := 0
					hchan.Select(hchan.OnRecv(c, &k, nil), hchan.OnRecv(never, nil, nil))
					xs[k]++
				}
			})
		}
	}},
	{name: "pointers through select", run: func(e *env) {
		for _, size := range []int{0, 1, 4} {
			c, never := hchan.Make[*int](size), hchan.Make[int](0)
			e.tasks(func() {
				for i := range 10 {
					hchan.Select(hchan.OnSend(c, &i), hchan.OnRecv(never, nil, nil))
				}
				c.Close()
			}, func() {
				for ok := true; ok; {
					var p *int
					hchan.Select(hchan.OnRecv(never, nil, nil), hchan.OnRecv(c, &p, &ok))
					if ok {
						*p++
					}
				}
			})
		}
	}},
	{name: "what select receives goes to a variable that another task reads later", run: func(e *env) {
		x, c, next, never := new(int), hchan.Make[int](0), hchan.Make[bool](0), hchan.Make[int](0)
		ok := new(bool)
		e.tasks(func() {
			hchan.Select(hchan.OnRecv(c, x, ok), hchan.OnRecv(never, nil, nil))
			next.Send(true)
		}, func() {
			c.Send(1)
			next.Recv()
			use(*x)
			*ok = false
		})
	}},
	{name: "cases in memory of the user's, used again", run: func(e *env) {
		c, full := hchan.Make[int](1), hchan.Make[int](0)
		cases := make([]hchan.Case, 2)
		next := hchan.Make[bool](0)
		f := func() {
			for range 3 {
				v := 0
				cases[0], cases[1] = hchan.OnSend(c, 1), hchan.OnSend(full, 1)
				hchan.Select(cases...)
				cases[0], cases[1] = hchan.OnRecv(full, &v, nil), hchan.OnRecv(c, &v, nil)
				hchan.SelectOrdered(cases...)
			}
		}
		e.tasks(func() { f(); next.Send(true) }, func() { next.Recv(); f() })
	}},
	{name: "close to select", run: func(e *env) {
		x, c, never := 0, hchan.Make[int](0), hchan.Make[int](0)
		recv := func() {
			hchan.Select(hchan.OnRecv(never, nil, nil), hchan.OnRecv(c, nil, nil))
			use(x)
		}
		e.tasks(recv, func() { x++; c.Close() }, recv)
	}},
	{name: "cancel to select, SendContext and RecvContext", run: func(e *env) {
		x := 0
		ctx, cancel := context.WithCancel(context.Background())
		e.tasks(func() {
			hchan.Select(hchan.OnRecv(hchan.Make[int](0), nil, nil), hchan.OnDone(ctx))
			use(x)
		}, func() {
			_ = hchan.Make[int](0).SendContext(ctx, 1)
			use(x)
		}, func() {
			_, _, _ = hchan.Make[int](0).RecvContext(ctx)
			use(x)
		}, func() {
			for hchan.Select(hchan.OnDone(ctx), hchan.Default()) != 0 {
				sched.Yield()
			}
			use(x)
		}, func() { x++; cancel() })
	}},
	{name: "SendContext to RecvContext", run: func(e *env) {
		for _, size := range []int{0, 1} {
			ctx, cancel := context.WithCancel(context.Background())
			x, c := 0, hchan.Make[int](size)
			e.tasks(func() { x++; _ = c.SendContext(ctx, 1) }, func() { _, _, _ = c.RecvContext(ctx); x++ })
			e.tasks(func() { _, _, _ = c.RecvContext(ctx); x++ }, func() { x++; _ = c.SendContext(ctx, 1) })
			cancel()
		}
	}},
	{name: "a timer's setting to its receive", run: func(e *env) {
		e.task(func() {
			x := 0
			x++
			tm := hchan.NewTimer(time.Hour)
			done := hchan.Make[int](0)
			sched.Go(func() { tm.C.Recv(); x++; done.Send(1) })
			x++
			tm.Reset(0)
			done.Recv()
			x++
			sched.Go(func() { hchan.After(1).Recv(); x++; done.Send(1) })
			done.Recv()
			x++
		})
	}},
	{name: "after a panic out of a send", run: func(e *env) {
		x, c := 0, hchan.Make[int](0)
		e.tasks(func() {
			misuse()
			x++
			c.Send(1)
			misuse()
			c.Recv()
			x++
		}, func() {
			misuse()
			c.Recv()
			x++
			c.Send(1)
			misuse()
		})
	}},
	{name: "sends of deferred calls of tasks that exit", run: func(e *env) {
		for _, exit := range []func(){sched.Exit, runtime.Goexit} {
			x, c := 0, hchan.Make[int](0)
			e.tasks(func() {
				defer func() { x++; c.Send(1); c.Recv(); x++ }()
				sched.Yield()
				exit()
			}, func() {
				c.Recv()
				x++
				c.Send(1)
				exit()
			})
		}
	}},
}

func trySend(c *hchan.Chan[int]) {
	for !c.TrySend(1) {
		sched.Yield()
	}
}

func tryRecv(c *hchan.Chan[int]) {
	for {
		if _, _, received := c.TryRecv(); received {
			return
		}
		sched.Yield()
	}
}
