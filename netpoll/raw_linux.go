//go:build !userrt_kqueue

package netpoll

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls that are made so often that entersyscall and exitsyscall would show. A raw call keeps its
// native P, so it must not block and must be short: MSG_DONTWAIT, a time-out of 0, and at most rawMax
// bytes, because the collector cannot stop the thread meanwhile.
// The same in Go: internal/poll/fd_unix.go, FD.Read and Write, by ordinary calls.

// rawMax is the most that one call copies, in bytes: some 30 µs.
const rawMax = 256 << 10

// shortReadDrains says that a read that got less than it had room for need not be tried again before the next
// event; see prepareRead.
const shortReadDrains = true

// recv reads at most rawMax bytes into b without blocking.
func recv(sysfd int, b []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(sysfd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
		uintptr(min(len(b), rawMax)), unix.MSG_DONTWAIT, 0, 0)
	if errno == 0 {
		raceReceived(sysfd, b[:n])
	}
	return int(n), errno
}

// send writes at most rawMax bytes of b without blocking and without SIGPIPE.
func send(sysfd int, b []byte) (int, unix.Errno) {
	b = b[:min(len(b), rawMax)] // the race detector need not look at more either
	raceSending(b)
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(sysfd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
		uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}
