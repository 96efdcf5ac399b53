//go:build race && (darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package netpoll

import (
	"runtime"
	"syscall"
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
)

// What the race detector must be told about raw system calls: which memory the kernel touches, and
// that what was done before a write happens before what is done after a read. Which write's bytes a
// read gets is not followed, as it is not in package net. Both ends of a connection may be in this
// process and one of them net's, so the edge has to lead through the one variable that package
// syscall keeps for it; its Read and Write touch it even if there is nothing to read or write.
// The same in Go: syscall/syscall_unix.go, Read, Write, ioSync.

// raceReceived says that the kernel has written to b, from sysfd.
func raceReceived(sysfd int, b []byte) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	if len(b) > 0 {
		runtime.RaceWriteRange(unsafe.Pointer(unsafe.SliceData(b)), len(b))
	}
	_, _ = syscall.Read(sysfd, nil) // 0 bytes, so it takes nothing away and does not block
}

// raceSending says that the kernel is about to read b.
func raceSending(b []byte) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	_, _ = syscall.Write(-1, nil) // fails, after it has done what we want
	if len(b) > 0 {
		runtime.RaceReadRange(unsafe.Pointer(unsafe.SliceData(b)), len(b))
	}
}
