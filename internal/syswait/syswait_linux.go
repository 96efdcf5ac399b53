package syswait

import _ "unsafe" // for go:linkname

// Brief is how long a wait keeps the P, ns: not longer than the native scheduler itself takes to notice things, and so
// long that a thread that sleeps often does not come here.
const Brief int64 = 10_000_000

// The runtime leaves both open to other packages, by name, and says so where they stand.

// Enter begins a system call that is going to wait.
//
//go:linkname Enter runtime.entersyscallblock
func Enter()

// Exit ends it. It may have to wait until a native P is free.
//
//go:linkname Exit runtime.exitsyscall
func Exit()
