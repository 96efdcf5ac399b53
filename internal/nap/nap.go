// Package nap lets a monitor goroutine sleep for a while without harm to anybody else in the process.
//
// The two plain ways do harm. A pending time.Timer makes every native schedule() read the clock. A
// futex or nanosleep with a time-out leaves the sleeper's native P in the state of a system call,
// and when all other Ps are busy, as ours are, it stays there unused until the runtime's own sysmon
// takes it back, up to 20 ms later: with GOMAXPROCS 1 and a nap every 10 ms a worker got half of the
// time. Reading a timer descriptor through package os parks the goroutine in the native netpoller
// (runtime/netpoll.go), which gives the P to others at once.
package nap
