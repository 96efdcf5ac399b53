// Package sched is the Go scheduler, rebuilt in userspace: tasks (G) run on workers (M), OS threads to which
// goroutines are pinned, which must hold a processor (P) to do so.
//
//	 P0 runnext [G9]                          P1 runnext [ ]           idle: P2
//	    runq    [G4 G5 G6 ...]                   runq    [ ]
//	     |                                        |  steals half of P0's runq
//	     M0  runs G2                              M1  searches        asleep: M2
//	     |                                        |
//	OS thread                                OS thread
//
//	global queue [G7 G8]: spawned by plain goroutines, overflow
//
// Who knows runtime/proc.go will find its names here; who doesn't can start here.
//
// # Tasks and goroutines
//
// A task is made by Go and its like (GoWith, GoEnd), Run, Spawn, AfterFunc, the Go of a Scope, and by Join, Both
// or For for what another worker takes. A plain goroutine is any other caller. Both may call everything: a
// blocking call parks the task, and its worker goes on with another one; on a plain goroutine it blocks that
// goroutine natively. Tasks and goroutines may wait for each other.
//
// # What is different from the runtime
//
// A task that parks chooses its successor itself and switches straight to it; the worker's g0 runs
// only when there is nothing to run (switch.md). A task that has not started has no stack: it runs
// on that of the task which ended before it. That, and a schedule step without clock and lock, is
// what makes tasks cheaper than goroutines.
//
// # The contract for primitives
//
// Park and Ready are the only two ways in and out of waiting. A primitive has a queue and a lock for
// it. To wait, it takes the lock, puts Self() into the queue, and calls Park with a commit that
// releases the lock: the commit runs when the stack has wholly been left, so nobody can resume it too
// early. To wake, it takes a G from the queue under the lock, claims it (Claim), releases the lock
// and calls Ready. Claim fails for a G that is being unwound by Close or Shutdown: go on to the next one.
// ExamplePark shows a primitive that is made so.
//
// # What cannot work
//
// Blocking inside a cgo callback, and runtime.LockOSThread in a task: both tie a goroutine to its
// thread behind the scheduler's back, and the runtime ends the process at the next switch; LockOSThread
// of this package is the replacement for the latter. A task that loops without calling anything of ours, or
// blocks natively, can't be interrupted: another worker stands in for it (relief.go).
//
// # Reading order
//
//   - what there is: scheduler.go; g.go (states), p.go, m.go; errors.go, tunables.go, hooks.go
//   - from one task to the next: spawn.go, schedule.go, park.go with waitreason.go, switch.md; run.go; gfree.go
//   - queues: runq.go with gate.go, globalq.go with gqueue.go
//   - looking for work: find.go, steal.go, idle.go with idle.md, events.go, poller.go
//   - plain goroutines: native.go
//   - tasks that hold their P for long: block.go, sysmon.go, preempt.go, relief.go
//   - threads and Ps: threads.go, lockthread.go, affinity.go, procs.go
//   - time: timer.go, timers.go, timerheap.go; clock.go, decide.go
//   - forks: join.go, both.go, for.go with frame.go, forkq.go, forklist.go
//   - ends of tasks: ending.go, task.go, scope.go; panic.go, panictext.go, created.go
//   - the end of it all: shutdown.go, ender.go, unwind.go; trim.go and deadlock.go with lastlook.go
//   - seen from outside: stats.go, tally.go; dump.go, dumpinfo.go, collect.go, inspect.go, traceback.go,
//     describe.go, registry.go; schedtrace.go
package sched
