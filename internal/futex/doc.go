// Package futex lets a thread sleep until a word in memory changes, and wakes such sleepers.
//
// On linux it is the system call of that name; other systems get sleepers kept in hashed queues
// (fallback.go). The build tag userrt_nofutex selects the queues on linux too, to test them there.
//
// The contract, the same for both: Wait compares and falls asleep in one step as seen by Wake. So a
// waker that first changes the word and then calls Wake either makes the comparison fail or finds
// the sleeper; no wake-up is lost between the two. Wait also returns for no reason at times, so its
// caller looks at the word again.
//
// The same in Go: runtime/os_linux.go, futexsleep, futexwakeup; runtime/os_darwin.go, semasleep.
package futex
