//go:build race

package racetest

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

// races are programs with a race that must be reported, however the tasks happened to run.
var races = []scenario{
	{name: "lost update", run: func(e *env) {
		x := 0
		e.tasks(func() { x++ }, func() { x++ })
	}},
	{name: "lost update around switches", run: func(e *env) {
		x := 0
		update := func() {
			old := x
			sched.Yield()
			x = old + 1
		}
		e.tasks(update, update, update)
	}},
	{name: "tasks of one worker, one after the other", proc: []int{1}, run: func(e *env) {
		x := 0
		_ = x
		e.tasks(func() { x = 1 }, func() { x = 2 })
	}},
	{name: "tasks of one task, one after the other", proc: []int{1}, run: func(e *env) {
		x := 0
		_ = x
		e.task(func() {
			var wg waitgroup.WaitGroup
			wg.Go(func() { x = 1 })
			wg.Go(func() { x = 2 })
			wg.Wait()
		})
	}},
	{name: "a task and the task that made it", run: func(e *env) {
		x := 0
		_ = x
		e.task(func() {
			t := sched.Spawn(func() (int, error) { x = 1; return 0, nil })
			x = 2
			_, _ = t.Wait()
		})
	}},
	{name: "receivers from a closed channel", run: func(e *env) {
		x, c := 0, hchan.Make[int](1)
		c.Close()
		e.tasks(func() { c.Recv(); x++ }, func() { x++; c.Recv() })
	}},
	{name: "tasks of two schedulers", run: func(e *env) {
		x := 0
		var wg sync.WaitGroup
		wg.Add(2)
		for _, s := range []*sched.Scheduler{e.s, e.other} {
			s.Go(func() { x++; wg.Done() })
		}
		wg.Wait()
	}},
	{name: "a goroutine and a task", run: func(e *env) {
		x := 0
		_ = x
		done := make(chan struct{})
		go func() { x = 1; close(done) }()
		e.task(func() { x = 2 })
		<-done
	}},
	{name: "a loop variable outside the loop", run: func(e *env) {
		var i, sum int
		var wg sync.WaitGroup
		var lock sync.Mutex
		for i = 0; i < 3; i++ {
			wg.Add(1)
			e.s.Go(func() {
				defer wg.Done()
				lock.Lock()
				sum += i
				lock.Unlock()
			})
		}
		wg.Wait()
	}},
	{name: "a read after Yield", run: func(e *env) {
		x := 0
		e.task(func() {
			t := sched.Spawn(func() (int, error) { x = 1; return 0, nil })
			sched.Yield()
			use(x)
			_, _ = t.Wait()
		})
	}},
	{name: "a read after Sleep", reps: 50, run: func(e *env) {
		x := 0
		e.task(func() {
			t := sched.Spawn(func() (int, error) { x = 1; return 0, nil })
			sched.Sleep(1)
			use(x)
			_, _ = t.Wait()
		})
	}},
	{name: "a read after Block", run: func(e *env) {
		x := 0
		e.task(func() {
			t := sched.Spawn(func() (int, error) { x = 1; return 0, nil })
			sched.Block(runtime.Gosched)
			use(x)
			_, _ = t.Wait()
		})
	}},
	{name: "a write inside Block", run: func(e *env) {
		x := 0
		_ = x
		e.tasks(func() { sched.Block(func() { x = 1 }) }, func() { x = 2 })
	}},
	{name: "what a timer wrote", run: func(e *env) {
		x := 0
		e.task(func() {
			done := hchan.Make[int](0)
			sched.AfterFunc(0, func() { x = 1; done.Send(1) })
			sched.Yield()
			use(x)
			done.Recv()
		})
	}},
	{name: "what a stopped timer may have written", run: func(e *env) {
		x := 0
		e.task(func() {
			done := hchan.Make[int](1)
			t := sched.AfterFunc(0, func() { x = 1; done.Send(1) })
			for t.Stop() { // it has not run yet
				t.Reset(0)
				sched.Yield()
			}
			use(x) // false does not mean that it has ended
			done.Recv()
		})
	}},
	{name: "the two functions of Join", run: func(e *env) {
		x := 0
		_ = x
		e.task(func() { sched.Join(func() { x = 1 }, func() { x = 2 }) })
	}},
	{name: "Add inside the task", run: func(e *env) {
		x := 0
		e.task(func() {
			var wg waitgroup.WaitGroup
			end := hchan.Make[int](1)
			sched.Go(func() {
				wg.Add(1)
				x = 1
				wg.Done()
				end.Send(1)
			})
			wg.Wait()
			use(x)
			end.Recv()
		})
	}},
	{name: "a write after Done", run: func(e *env) {
		x := 0
		e.task(func() {
			var wg waitgroup.WaitGroup
			end := hchan.Make[int](1)
			wg.Add(1)
			sched.Go(func() {
				wg.Done()
				x = 1
				end.Send(1)
			})
			wg.Wait()
			use(x)
			end.Recv()
		})
	}},
	{name: "a send that nobody has received", run: func(e *env) {
		x, c := 0, hchan.Make[int](1)
		e.tasks(func() { x = 1; c.Send(1) }, func() { use(x) })
	}},
	{name: "a write after the send", run: func(e *env) {
		for _, size := range []int{0, 1} {
			x, c := 0, hchan.Make[int](size)
			e.tasks(func() { c.Send(1); x = 1 }, func() { c.Recv(); use(x) })
		}
	}},
	{name: "a buffer is no way back", run: func(e *env) {
		x, c := 0, hchan.Make[int](1)
		e.tasks(func() { x = 1; c.Recv() }, func() { c.Send(1); use(x) })
	}},
	{name: "a buffer of two is no lock", run: func(e *env) {
		x, c := 0, hchan.Make[int](2)
		f := func() { c.Send(1); x++; c.Recv() }
		e.tasks(f, f)
	}},
	{name: "TrySend has failed", run: func(e *env) {
		x, c := 0, hchan.Make[int](1)
		c.Send(0)
		e.tasks(func() { x = 1; c.TrySend(1) }, func() { c.Recv(); use(x) })
	}},
	{name: "TrySend without a receiver", run: func(e *env) {
		x, c := 0, hchan.Make[int](0)
		e.tasks(func() { x = 1; c.TrySend(1) }, func() { c.TryRecv(); use(x) })
	}},
	{name: "TryRecv has failed", run: func(e *env) {
		x, c := 0, hchan.Make[int](1)
		e.tasks(func() { x = 1; c.TryRecv() }, func() { c.TrySend(1); use(x) })
	}},
	{name: "select chose another case", run: func(e *env) {
		x, a, b := 0, hchan.Make[int](1), hchan.Make[int](1)
		a.Send(0) // full
		e.tasks(func() { x = 1; hchan.Select(hchan.OnSend(a, 1), hchan.OnSend(b, 1)) }, func() { a.Recv(); use(x) })
	}},
	{name: "select has waited, for another case", run: func(e *env) {
		x, a, b := 0, hchan.Make[int](0), hchan.Make[int](0)
		e.tasks(
			func() { x = 1; hchan.Select(hchan.OnSend(a, 1), hchan.OnRecv(b, nil, nil)) },
			func() { b.Send(1) },
			func() { a.Len(); use(x) },
		)
	}},
	{name: "Default tells of nothing", run: func(e *env) {
		x, a, b := 0, hchan.Make[int](0), hchan.Make[int](0)
		e.tasks(
			func() { x = 1; hchan.Select(hchan.OnSend(a, 1), hchan.OnSend(b, 1), hchan.Default()) },
			func() { hchan.Select(hchan.OnRecv(a, nil, nil), hchan.OnRecv(b, nil, nil), hchan.Default()); use(x) },
		)
	}},
	{name: "Make of large elements tells of nothing", reps: 1, proc: []int{1}, run: func(e *env) {
		x := 0
		e.tasks(
			func() { x = 1; hchan.Make[[200]byte](0) },
			func() { hchan.Make[[200]byte](0); use(x) },
		)
	}},
	{name: "two selects receive into one variable", run: func(e *env) {
		x, a, never := new(int), hchan.Make[int](2), hchan.Make[int](0)
		a.Send(1)
		a.Send(2)
		recv := func() { hchan.Select(hchan.OnRecv(a, x, nil), hchan.OnRecv(never, nil, nil)) }
		e.tasks(recv, recv)
	}},
	{name: "a read after a context has ended the wait", run: func(e *env) {
		x, c := 0, hchan.Make[int](0)
		ctx, cancel := context.WithCancel(context.Background())
		go func() { runtime.Gosched(); cancel() }()
		e.tasks(func() {
			for range 2 { // the other may have come in time for the first
				_, _, _ = c.RecvContext(ctx)
			}
			use(x)
		}, func() { x = 1 })
	}},
	{name: "Snapshot tells of a send", run: func(e *env) {
		x, c := 0, hchan.Make[int](1)
		e.tasks(func() { x = 1; c.Send(1) }, func() {
			for c.Snapshot().Qcount == 0 {
				sched.Yield()
			}
			use(x)
		})
	}},
	{name: "Len tells of a send", run: func(e *env) {
		x, c := 0, hchan.Make[int](1)
		e.tasks(func() { x = 1; c.Send(1) }, func() {
			for c.Len() == 0 {
				sched.Yield()
			}
			use(x)
		})
	}},
	{name: "a failed send tells of Close", run: func(e *env) {
		x, c := 0, hchan.Make[int](1)
		e.tasks(func() { x = 1; c.Close() }, func() {
			for !panics(func() { c.TrySend(1) }) {
				sched.Yield()
			}
			use(x)
		})
	}},
	{name: "a write after Ready", run: func(e *env) {
		x := 0
		var parked atomic.Pointer[sched.G]
		e.tasks(func() { parkIn(&parked); use(x) }, func() {
			awaitParked(&parked).Ready()
			x = 1
		})
	}},
	{name: "after panics out of calls", run: func(e *env) {
		x := 0
		f := func() {
			misuse()
			x++
		}
		e.tasks(f, f)
	}},
	{name: "in deferred calls of tasks that exit", run: func(e *env) {
		x := 0
		f := func() {
			defer func() { x++ }()
			sched.Exit()
		}
		e.tasks(f, f)
	}},
	{name: "in tasks after tasks that exited", run: func(e *env) {
		x := 0
		f := func() { x++ }
		e.tasks(sched.Exit, f, runtime.Goexit, f)
	}},
	{name: "in tasks wired to a thread", reps: 20, run: func(e *env) {
		x := 0
		f := func() {
			sched.LockOSThread()
			defer sched.UnlockOSThread()
			sched.Yield()
			x++
		}
		e.tasks(f, f)
	}},
}

//go:noinline
func use(int) {}

// parkIn parks the caller and leaves it in p.
func parkIn(p *atomic.Pointer[sched.G]) {
	sched.Park(sched.WaitReasonZero, func(g *sched.G, arg unsafe.Pointer) bool {
		(*atomic.Pointer[sched.G])(arg).Store(g)
		return true
	}, unsafe.Pointer(p))
}

func awaitParked(p *atomic.Pointer[sched.G]) *sched.G {
	for {
		if g := p.Load(); g != nil {
			return g
		}
		sched.Yield()
	}
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}

// misuse makes calls that panic. The detector must be as before afterwards.
func misuse() {
	closed := hchan.Make[int](0)
	closed.Close()
	calls := []func(){
		func() { closed.Send(1) },
		func() { closed.TrySend(1) },
		closed.Close,
		(*hchan.Chan[int])(nil).Close,
		func() { hchan.Make[int](-1) },
		func() { new(waitgroup.WaitGroup).Done() },
		func() { sched.Go(nil) },
		func() { sched.Join(func() { panic("first") }, func() { sched.Yield(); panic("second") }) },
	}
	for i, call := range calls {
		if !panics(call) {
			panic(i)
		}
	}
}
