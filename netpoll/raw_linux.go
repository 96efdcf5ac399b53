//go:build !userrt_kqueue

package netpoll

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls that are made so often that entersyscall and exitsyscall would show. A raw call keeps its
// native P, so it must not block and must be short: MSG_DONTWAIT, a time-out of 0, and at most rawMax
// bytes, because the collector cannot stop the thread meanwhile. They are package syscall's, since x/sys's take two changes of the
// calling convention more: by the profile 25 ns of an echo, less than runs in turns can show.
// The same in Go: internal/poll/fd_unix.go, FD.Read and Write, by ordinary calls.

// rawMax is the most that one call copies, in bytes: some 30 µs.
const rawMax = 256 << 10

// sendFlags: a peer that is gone is EPIPE without SIGPIPE.
const sendFlags = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL

// recv reads at most rawMax bytes into b without blocking.
func recv(sysfd int, b []byte) (int, unix.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(sysfd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
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
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(sysfd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
		uintptr(len(b)), sendFlags, 0, 0)
	return int(n), errno
}

// recvFrom is recv of one datagram, whatever its size; from becomes its sender, of length 0 if it has no address.
func recvFrom(sysfd int, b []byte, from *rawAddr) (int, unix.Errno) {
	from.len = unix.SizeofSockaddrAny
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(sysfd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
		uintptr(len(b)), unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&from.any)), uintptr(unsafe.Pointer(&from.len)))
	if errno == 0 {
		raceReceived(sysfd, b[:n])
	}
	return int(n), errno
}

// sendTo sends b as one datagram, to the peer when to is empty.
func sendTo(sysfd int, b []byte, to *rawAddr) (int, unix.Errno) {
	raceSending(b)
	var addr unsafe.Pointer
	if to.len > 0 {
		addr = unsafe.Pointer(&to.any)
	}
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(sysfd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
		uintptr(len(b)), sendFlags, uintptr(addr), uintptr(to.len))
	return int(n), errno
}

// sendVec is send of several buffers at once.
func sendVec(sysfd int, iov []unix.Iovec) (int, unix.Errno) {
	raceSending(nil)
	var msg unix.Msghdr
	msg.Iov = unsafe.SliceData(iov)
	msg.SetIovlen(len(iov))
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDMSG, uintptr(sysfd), uintptr(unsafe.Pointer(&msg)),
		sendFlags, 0, 0, 0)
	return int(n), errno
}
