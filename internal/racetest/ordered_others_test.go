//go:build race

package racetest

import (
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/netpoll"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

// orderedOthers has a program for each edge of the other packages, and of what tasks share with all of Go.
var orderedOthers = []scenario{
	{name: "Done to Wait", run: func(e *env) {
		xs := make([]int, 5)
		for _, run := range []func(func()){e.task, func(f func()) { f() }} {
			run(func() {
				var wg waitgroup.WaitGroup
				for i := range xs {
					wg.Add(1)
					e.s.Go(func() { xs[i]++; wg.Done() })
				}
				wg.Wait()
				for i := range xs {
					xs[i]++
				}
			})
		}
	}},
	{name: "Done to Wait that need not wait", run: func(e *env) {
		x, over := 0, hchan.Make[int](0)
		e.task(func() {
			var wg waitgroup.WaitGroup
			wg.Add(1)
			sched.Go(func() { x++; wg.Done(); sched.Yield(); over.Close() })
			for i := 0; i < 10; i++ {
				sched.Yield()
			}
			wg.Wait()
			x++
			over.Recv()
		})
	}},
	{name: "Done to several Waits", run: func(e *env) {
		e.task(func() {
			x := 0
			var wg, ends waitgroup.WaitGroup
			wg.Add(1)
			for range 4 {
				ends.Go(func() { wg.Wait(); use(x) })
			}
			sched.Yield()
			x++
			wg.Done()
			ends.Wait()
			x++
		})
	}},
	{name: "the end of WaitGroup.Go to Wait", run: func(e *env) {
		var x, y, z int
		e.task(func() {
			var wg waitgroup.WaitGroup
			for range 3 { // the WaitGroup is used again
				x, y, z = x+1, y+1, z+1
				wg.Go(func() { x++ })
				wg.Go(func() { defer func() { y++ }(); sched.Exit() })
				wg.Go(func() { sched.Yield(); z++ })
				wg.Wait()
			}
			x += y + z
		})
	}},
	{name: "sync.Mutex", reps: 50, run: func(e *env) {
		x := 0
		var mu sync.Mutex
		f := func() {
			for range 10 {
				mu.Lock()
				x++
				mu.Unlock()
				sched.Yield()
			}
		}
		e.tasks(f, f, f)
	}},
	{name: "sync.Once and sync.Pool", run: func(e *env) {
		x := 0
		var once sync.Once
		pool := sync.Pool{New: func() any { return new(int) }}
		f := func() {
			once.Do(func() { x++ })
			use(x)
			p := pool.Get().(*int)
			*p++
			pool.Put(p)
		}
		e.tasks(f, f, f)
	}},
	{name: "package atomic", run: func(e *env) {
		x := 0
		var flag atomic.Bool
		e.tasks(func() { x++; flag.Store(true) }, func() {
			for !flag.Load() {
				sched.Yield()
			}
			x++
		})
	}},
	{name: "a buffered native channel", run: func(e *env) {
		x, c := 0, make(chan int, 1)
		e.tasks(func() { x++; c <- 1 }, func() { <-c; x++ })
	}},
	{name: "a native channel that blocks a worker", reps: 5, run: func(e *env) {
		x, c := 0, make(chan int)
		e.tasks(func() { <-c; x++ }, func() { x++; c <- 1 })
	}},
	{name: "goroutines of tasks", run: func(e *env) {
		x := 0
		e.task(func() {
			c := hchan.Make[int](0)
			x++
			go func() {
				x++
				c.Send(1)
				c.Recv()
				x++
				c.Close()
			}()
			c.Recv()
			x++
			c.Send(1)
			c.Recv()
			x++
		})
	}},
	{name: "echo between tasks", reps: 50, run: func(e *env) {
		echo(e.onTask, netpoll.Listen, netpoll.Dial, e.task)
	}},
	{name: "echo between a task and a goroutine", reps: 50, run: func(e *env) {
		echo(onGoroutine, net.Listen, netpoll.Dial, e.task)
	}},
	{name: "echo between a goroutine and a task", reps: 50, run: func(e *env) {
		echo(e.onTask, netpoll.Listen, net.Dial, func(f func()) { f() })
	}},
	{name: "echo of two schedulers", reps: 50, run: func(e *env) {
		echo(e.onTask, netpoll.Listen, netpoll.Dial, func(f func()) { must(e.other.Run(f)) })
	}},
}

// onGoroutine and onTask start f and return a function that waits for its end.
func onGoroutine(f func()) (wait func()) {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	return func() { <-done }
}

func (e *env) onTask(f func()) (wait func()) {
	done := make(chan struct{})
	e.s.Go(func() { defer close(done); f() })
	return func() { <-done }
}

// echo lets a client and a server write a variable in turn, with nothing between them but the connection. To the
// race detector all that was done before a Write happens before what is done after a later Read, in package net too.
func echo(
	start func(func()) func(),
	listen func(network, address string) (net.Listener, error),
	dial func(network, address string) (net.Conn, error),
	run func(func()),
) {
	if runtime.GOOS != "linux" {
		return // no netpoll
	}
	x := 0
	var l net.Listener
	run(func() {
		var err error
		l, err = listen("tcp", "127.0.0.1:0")
		must(err)
	})
	wait := start(func() {
		c, err := l.Accept()
		must(err)
		defer c.Close()
		buf := make([]byte, 8)
		for {
			n, err := c.Read(buf)
			if err == io.EOF {
				return
			}
			must(err)
			x++
			_, err = c.Write(buf[:n])
			must(err)
		}
	})
	run(func() {
		c, err := dial("tcp", l.Addr().String())
		must(err)
		buf := []byte("x")
		for range 5 {
			x++
			_, err = c.Write(buf)
			must(err)
			_, err = io.ReadFull(c, buf)
			must(err)
		}
		must(c.Close())
	})
	wait()
	must(l.Close())
}
