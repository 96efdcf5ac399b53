// Package sched is the Go scheduler, rebuilt in userspace: tasks (G) run on workers (M), OS threads
// that are wired down by LockOSThread, which must hold a processor (P) to do so.
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
// A task is made by Go, Run, or a function of Join, Both or For. A plain goroutine is any other caller. Both may
// call everything: a blocking call parks the task, and its worker goes on with another one; on a
// plain goroutine it blocks that goroutine natively. Tasks and goroutines may wait for each other.
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
// and calls Ready. Claim fails for a G that is being unwound by Close: go on to the next one.
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
// g.go (states), p.go, m.go, spawn.go, schedule.go, park.go, switch.md; runq.go and globalq.go;
// find.go, steal.go, idle.go with idle.md, events.go; native.go; block.go, sysmon.go, preempt.go, relief.go;
// lockthread.go, affinity.go; timer.go and timers.go; join.go, both.go, for.go with frame.go, forkq.go, forklist.go;
// ending.go, task.go and scope.go; created.go, panic.go and panictext.go; shutdown.go, trim.go, deadlock.go with
// lastlook.go. What shows it all from outside: stats.go, dump.go, schedtrace.go.
package sched
