// Package syswait is for system calls that are going to wait long.
//
// An ordinary call (unix.Syscall6) keeps its thread's native P in the hope to be back at once. The runtime's sysmon
// takes the P away when it is not, and Go 1.26 and 1.27 (read and seen in 1.26.8, read in 1.27.4) have a hole there through which a process can stand
// still. runtime/proc.go, reentersyscall looks for a stop of the world that is pending before it marks its goroutine as
// being in a system call, and not again after that. A stop that begins between the two finds a goroutine that runs, asks
// it to stop, and later leaves it alone because it is in a system call. Meanwhile sysmon, the only one who would take the
// P away, sleeps for the length of the stop: until the next timer of the process is due, or for a minute if it has none. A
// thread has to be interrupted just there, so it takes a busy machine, many sleeps and many collections. It happened three times in
// the tests of this project, and it happens without userrt (stop_test.go).
//
// So no wait of ours is an ordinary call. It begins by keeping the P, for Brief at the most, in a call of which the native scheduler knows
// nothing: most sleeps of a busy worker are over by then. To stop the world the native scheduler interrupts it (SIGURG; not with
// GODEBUG=asyncpreemptoff=1), so it ends early, with EINTR. After that, or after Brief, the P is given away; but an interrupted sleep with a
// limit goes back to its caller first, who knows how much of the time is left.
//
// To give the P away at once is dear. With all Ps busy runtime/proc.go, handoffp wakes a thread to look for work, and the sleeper has to get a P
// back: with GOMAXPROCS 1 a server with one connection became 2 to 3 times slower. An ordinary call costs the same as soon as sysmon takes the
// P. It does so after some 50 µs if it has found a P to take a short time ago, and hardly ever if it has not: so after each pause a busy
// server used a fifth more processor time for up to 100 ms, until sysmon slept long by chance.
//
// To keep the P for long, on the other hand, stops whatever waits for it: with a client in the same process, say, that has to run before the
// sleeper can be woken. A Habit learns where that is so.
//
// Enter gives the P away before the call, so that nothing is left to be taken, and Exit gets one afterwards. What stands
// between them:
//
//	//go:nosplit
//	func wait(...) {
//		syswait.Enter()
//		unix.RawSyscall6(...)
//		syswait.Exit()
//	}
//
// Both are called from the same frame, and in between the stack may neither grow nor move nor may anything be allocated: so
// the function is nosplit, and does nothing else.
//
// The same in Go: runtime/proc.go, entersyscallblock, which the runtime uses for its own waits (runtime/lock_futex.go,
// notetsleepg).
package syswait
