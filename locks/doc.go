// Package locks is package sync's locks, and golang.org/x/sync/semaphore's, for tasks: Mutex, RWMutex, Cond, Once with
// OnceFunc, OnceValue and OnceValues, Semaphore. Who has to wait parks its task, and the thread goes on with another
// one; a task that holds a lock across a yield or a wait holds up tasks, never threads. Tasks and plain goroutines may use
// the same lock, and its waiters are served in one order, whoever they are.
//
// Names, methods, panics and guarantees are those of the originals, and what happens before what is as in the memory
// model of Go, for package race detectors too. More are LockContext, RLockContext and WaitContext, which give up when a
// context ends. Zero values are ready for use, and go vet sees copies.
//
// # Tasks that are unwound
//
// When a Scheduler closes, a task that waits for a lock ends without having it. One that waits in Cond.Wait ends as
// well, but takes the Cond's lock again first, since its deferred calls will unlock it. Once counts as done when the task that
// calls the function is unwound in it; a function of OnceFunc, OnceValue or OnceValues then has no result, and who calls it
// later panics.
//
// # Who holds what
//
// With Config.DetectDeadlock, or after sched.NoteHolders, a DeadlockError and a dump tell which task holds the lock that
// another waits for, and a dump names tasks that wait for each other in a circle. Otherwise no lock knows its holder.
//
// # Reading order
//
//   - mutex.go, then mutex_slow.go: the state word, waiting, handing over
//   - rwmutex.go, with rwmutex_slow.go
//   - cond.go, with crowd.go: what a Broadcast does with many; anyway.go: locking for who is unwound in Wait
//   - once.go, oncefunc.go; semaphore.go
//   - describe.go: what dumps tell
package locks
