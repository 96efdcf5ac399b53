package syswait

import _ "unsafe" // for go:linkname

// The runtime leaves both open to other packages, by name, and says so where they stand.

// Enter begins a system call that is going to wait.
//
//go:linkname Enter runtime.entersyscallblock
func Enter()

// Exit ends it. It may have to wait until a native P is free.
//
//go:linkname Exit runtime.exitsyscall
func Exit()
