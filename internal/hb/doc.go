// Package hb ("happens before") tells the race detector of tasks.
//
// # What goes wrong without it
//
// The detector knows goroutines, and takes what it sees of locks and atomics for order between them. A stack of ours runs
// one task after the other, every switch has to be an edge for what we do ourselves, and the scheduler's own queues and locks state
// more: so to the detector everything that happens on one worker is in order, and go test -race misses the very races
// that users look for.
//
// # What is done about it
//
// To the detector a thread is a context, and the runtime keeps a goroutine's in its g (runtime/runtime2.go, g.racectx). This
// package gives every task a context of its own and changes that word: to the task's while the user's code runs, to
// another while ours does. What ours does is then ordered among itself, by what it does in truth, and says nothing about
// tasks. The runtime changes a goroutine's context in the same way, for the functions of runtime.AddCleanup
// (runtime/mcleanup.go, raceEnterNewCtx).
//
// Between two tasks there is order only where we state it:
//
//	before                                     after                                        where
//	------                                     -----                                        -----
//	Go, Spawn, Scope.Go, Join's call           the task begins                              the G
//	the task has ended                         Run, Task.Wait, Scoped, Join return;         what waits for it
//	                                           Close and Shutdown return                    the Scheduler
//	the task has ended                         PanicHandler, then its Ender, which are parts of the task
//	a Scope fails                              what its context's cancelling runs, a part of what has failed
//	Shutdown has begun to watch its context    it ends that                                 the wait
//	New                                        a trace line is written                      the Scheduler
//	Ready, Push                                Park returns                                 the G
//	Park is called                             its commit function runs                     the G
//	AfterFunc, Reset, Alarm.Set                the function runs                            the timer
//	a Poller is opened                         its Poll, Waiting, Break; Poller returns it  the Scheduler
//	Poll                                       the next Poll, Close                         the Scheduler
//	the tasks have ended, Shutdown is called   the Poller's Close; then Shutdown returns    the Scheduler
//	a task of a Scope with a limit has ended   Go that takes its place returns              the Scope
//	the k-th send on a channel                 the k-th receive returns                     the slot
//	the k-th receive                           the (k+C)-th send returns, C its capacity    the slot
//	Close                                      a receive that says closed returns           the channel
//	NewTimer, Reset of a channel's timer       the receive of its time returns              the timer
//	a context is cancelled                     a wait that ends for it returns              the context itself
//	Done that makes a WaitGroup zero           Wait, or WaitContext without an error,       the WaitGroup
//	                                           returns
//	Unlock of a Mutex                          the next Lock returns                        the Mutex
//	Unlock of an RWMutex                       the next RLock or Lock returns               the RWMutex
//	RUnlock                                    the next Lock returns                        the RWMutex
//	Signal, Broadcast                          a Wait that it ends returns                  the waiter's G, or the Cond
//	the function of a Once has returned        Do returns                                   the Once
//	Release of a Semaphore                     an Acquire that comes later returns          the Semaphore
//	Write, WriteTo, ReadFrom on a connection   Read, ReadFrom, TryRead that get something   package syscall's ioSync
//	what is released at an address             what is acquired there                       Release, Acquire
//
// A case of a select is a send or receive like any other.
//
// And two accesses that are no memory of the user's, so that misuse shows: a send reads what Close writes, and an Add
// from zero reads what the first Wait writes, as package sync and the runtime have it; and each call of a Mutex or RWMutex reads
// it, so that to overwrite it meanwhile is a race.
//
// One direction is always stated: our code knows what its caller has done before, since it reads what it is given. Never
// the other: what our code hands out must look as if nobody had touched it (Fresh), or its caller must be told all that
// our code knows (Tell), which hides races and is left to errors and looks at a whole scheduler.
//
// # How to use it
//
// Every exported function that touches what is shared begins with
//
//	if hb.On {
//		hb.Enter()
//		defer hb.Leave()
//	}
//
// in just this form: the detector counts calls and returns in each context, so a context may only be changed by calls
// made and deferred directly, and back in the same function. What is in a call already may call another. A function of the
// user's is called between Out and Back, or, where no user waits for it, between OutFor or OutAfter and BackFor; in none
// of the two may anything of the other's be touched.
//
// An address at which an edge is stated must not be that of an atomic variable: the detector keeps one clock for an
// address, and there is one already.
//
// The constant On is false without -race, on other systems than Linux on amd64, on Go versions for which the layout of
// a g has not been proved, and with the tag userrt_nohb: then the functions are empty and nothing of this is compiled.
// Under -race with On false the detector watches our own code, and orders all tasks of a worker.
package hb
