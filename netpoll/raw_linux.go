package netpoll

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls that are made so often that entersyscall and exitsyscall would show. A raw call keeps its
// native P, so it must not block and must be short: MSG_DONTWAIT, a time-out of 0, and at most rawMax
// bytes, because the collector cannot stop the thread meanwhile.
// The same in Go: internal/poll/fd_unix.go, FD.Read and Write, by ordinary calls; and
// runtime/netpoll_epoll.go, netpoll.

// rawMax is the most that one call copies, in bytes: some 30 µs.
const rawMax = 256 << 10

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
	raceSending(b)
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(sysfd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
		uintptr(min(len(b), rawMax)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

// epollPwait is epoll_wait. Raw when it cannot block; a thread that waits gives its native P away.
func epollPwait(epfd int, events []osEvent, timeoutMS int) (n int, errno unix.Errno) {
	var r uintptr
	if timeoutMS == 0 {
		r, _, errno = unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd),
			uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	} else {
		r, _, errno = unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd),
			uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), uintptr(timeoutMS), 0, 0)
	}
	return int(r), errno
}
