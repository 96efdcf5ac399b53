package sched

import (
	"runtime"
	"time"

	"github.com/userrt/userrt/internal/callerpc"
	"github.com/userrt/userrt/internal/hb"
)

// Sleeping and timers, as users see them; timers.go has the heaps. The same in Go: runtime/time.go, timeSleep;
// time/sleep.go, AfterFunc, Timer.

// Sleep pauses the caller for at least d; with d <= 0 it returns at once. A plain goroutine sleeps by
// time.Sleep. It allocates nothing, but for a coroutine's first sleep.
func Sleep(d time.Duration) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	st := self()
	if st == nil {
		time.Sleep(d)
		return
	}
	if d <= 0 {
		if Preempting() {
			GiveWay()
		}
		return
	}
	gp, p := st.g, st.m.p
	t := st.sleeper
	if t == nil {
		t = new(timer)
		st.sleeper = t
	}
	t.g = gp
	when := p.s.after(int64(d))
	// The timer is in the heap before the stack has been left, but nobody can take it out before the lock
	// is released, which the stack that continues does.
	ts := &p.timers
	ts.lock.Lock()
	t.in.Store(ts)
	ts.add(t, when)
	leave := gp.BeginPark(WaitReasonSleep, &ts.lock)
	leave()
	if !gp.EndPark() {
		t.drop()
		t.g = nil
		runtime.Goexit()
	}
	t.g = nil
}

// Alarm calls a function at a set time, from a worker between two tasks: deadlines and channel timers of
// primitives are made of it. Init, then Set and Stop from anywhere, also at the same time. It must not
// be copied. The same in Go: runtime/time.go, timer.
type Alarm struct {
	t timer
	s *Scheduler
}

// Init gives a its scheduler and its function. f is told which setting it is called for and the time on the
// scheduler's clock; a setting that Set or Stop has meanwhile replaced may still come through, so f compares
// seq with what Set returned, under a lock of the primitive's own. f runs on a worker, or, when
// Config.MaxThreads leaves none, on the monitor: it must not block or panic, and should be short. It may call
// Ready, a Scheduler's Go, and Set and Stop of any Alarm.
//
// Set and Stop may be called with a lock held: they are no places where a task gives way.
func (a *Alarm) Init(s *Scheduler, f func(seq uint64, nowNS int64)) {
	a.s = s
	a.t.f = f
	if hb.On {
		a.t.f = func(seq uint64, nowNS int64) { a.t.call(f, seq, nowNS) }
	}
}

// Set makes a's function be called after d, and then, if period > 0, every period. It replaces what was set
// before, and reports whether that was pending still. seq is what the function will be told. A time that is
// over means at once. In a closed scheduler nothing is called any more.
func (a *Alarm) Set(d, period time.Duration) (seq uint64, wasPending bool) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	when := a.s.after(int64(d))
	if hb.On {
		hb.Release(a.t.settings())
	}
	seq, wasPending, sooner := a.t.set(a.s, when, int64(max(period, 0)))
	if sooner {
		a.s.timerSet(when)
	}
	return seq, wasPending
}

// Stop makes a's function not be called any more, and reports whether it prevented a call. False means that
// the function has been called, is being called now, or was not set to be.
func (a *Alarm) Stop() (wasPending bool) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	wasPending = a.t.stop(a.s)
	if wasPending && a.s.cfg.DetectDeadlock {
		a.s.timerStopped()
	}
	return wasPending
}

// Timer is what AfterFunc returns.
type Timer struct {
	alarm Alarm
	fn    func()
	pc    uintptr // of the call of AfterFunc
}

// AfterFunc calls fn in a task of its own after d, at once if d <= 0: a task of the calling task's scheduler,
// or of Default() on a plain goroutine. The Timer can be stopped and set again, as that of time.AfterFunc.
// When the scheduler has closed fn is not called. A pending Timer doesn't keep Shutdown waiting.
//
//go:noinline
func AfterFunc(d time.Duration, fn func()) *Timer {
	return Current().afterFunc(d, fn, callerpc.Get())
}

// AfterFunc calls fn in a task of s; see the function AfterFunc.
//
//go:noinline
func (s *Scheduler) AfterFunc(d time.Duration, fn func()) *Timer {
	return s.afterFunc(d, fn, callerpc.Get())
}

func (s *Scheduler) afterFunc(d time.Duration, fn func(), pc uintptr) *Timer {
	if fn == nil {
		panic("sched: AfterFunc of nil func")
	}
	t := &Timer{fn: fn, pc: pc}
	if hb.On {
		t.fn = func() {
			hb.Acquire(t.alarm.t.settings())
			fn()
		}
	}
	t.alarm.s, t.alarm.t.f = s, t.fire // no Init, which is for the user's functions
	t.alarm.Set(d, 0)
	if Preempting() {
		GiveWay()
	}
	return t
}

// fire starts the task. Those of timers that are due together start in the order of their times: none goes before
// what is queued, as the task of a call of Go does.
func (t *Timer) fire(uint64, int64) {
	s := t.alarm.s
	if st := self(); st != nil && st.m.s == s {
		st.m.p.newproc(st.g.idOf(), t.fn, nil, t.pc, nil, false)
		return
	}
	s.spawnOutside(t.fn, nil, t.pc, nil)
}

// Stop prevents fn from being called and reports whether it did: false means that the time was over, or the
// Timer stopped already. It does not wait for a call of fn that has begun.
func (t *Timer) Stop() bool {
	t.check("Stop")
	stopped := t.alarm.Stop()
	if Preempting() {
		GiveWay()
	}
	return stopped
}

// Reset makes fn be called after d, and reports whether it was pending. If it was not, fn may still be running
// from before, in another task.
func (t *Timer) Reset(d time.Duration) bool {
	t.check("Reset")
	_, wasPending := t.alarm.Set(d, 0)
	if Preempting() {
		GiveWay()
	}
	return wasPending
}

func (t *Timer) check(what string) {
	if t.fn == nil {
		panic("sched: " + what + " called on uninitialized Timer")
	}
}
