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
// goroutine natively. Tasks and goroutines may wait for each other; a goroutine that waits often may run tasks meanwhile, on its own
// thread, and shows as waiting in a coroutine then.
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
// # What go test -race sees
//
// On linux/amd64 the race detector takes tasks for goroutines: two accesses to one variable race unless something
// orders them, also where one worker has run both tasks, one after the other. What is done before the left happens
// before what is done after the right:
//
//	Go and its like, Run, Spawn, AfterFunc, Scope.Go     the task begins
//	Join, Both and For are called                        each of their functions begins
//	the task has ended                                   Run, Task.Wait, Scoped, Join, Both and For return
//	the task has ended                                   its Ender is told, PanicHandler too; Close and Shutdown return
//	a Scope's task fails                                 the Scope's context is done
//	a task of a Scope with a limit has ended             the Go that takes its place returns
//	Ready, or a Poller's Push                            Park returns
//	Park is called                                       its commit function runs
//	AfterFunc, Reset, Alarm.Set                          the function is called
//	a Poller is opened                                   its methods are called, Poller returns it
//	Poll                                                 the next Poll, the Poller's Close
//
// Channels and WaitGroups of this module order as the native ones. Nothing else does: not Yield, Sleep or Block, nor
// Stop of a Timer, nor that there is only one P. (New, Stats, and errors of Close
// and Shutdown, do without need: they may hide a race.)
//
// Join, Both and For make a task of each function or piece, also of what nobody would have taken, so two functions
// of one Join that touch the same variable are reported. That allocates, and takes microseconds instead of
// nanoseconds. A task costs some 8 µs, a switch or a channel operation 1 to 3 µs. The detector ends the process when more
// than some 4,000 tasks have started and not ended. Affinity, LockOSThread and Block work as without it.
//
// On other systems, and with the build tag userrt_nohb, all tasks of one worker look ordered, and races between them
// are missed.
//
// # Reading order
//
//   - what there is: scheduler.go; g.go (states), p.go, m.go; errors.go, tunables.go, hooks.go
//   - from one task to the next: spawn.go, schedule.go, park.go with waitreason.go, childfirst.go, switch.md; run.go; gfree.go
//   - queues: runq.go with gate.go, globalq.go with gqueue.go
//   - looking for work: find.go, steal.go, idle.go with idle.md, clash.go, clashtrial.go, events.go, poller.go
//   - plain goroutines: native.go, lend.go with evict.go
//   - for primitives: waitqueue.go; holder.go; spin.go
//   - tasks that hold their P for long: block.go, sysmon.go, preempt.go, relief.go
//   - threads and Ps: threads.go, lockthread.go, affinity.go, procs.go
//   - time: timer.go, timers.go, timerheap.go; clock.go, decide.go
//   - forks: join.go, both.go, for.go with frame.go, forkq.go, forklist.go
//   - ends of tasks: ending.go, task.go, scope.go; panic.go, panictext.go, created.go
//   - the end of it all: shutdown.go, ender.go, unwind.go; trim.go and deadlock.go with lastlook.go
//   - seen from outside: stats.go, tally.go; dump.go, dumpinfo.go, collect.go, inspect.go, traceback.go,
//     describe.go, circles.go, registry.go; schedtrace.go
//   - for the race detector: edges.go, pollers.go, and package internal/hb
package sched
