//go:build !userrt_kqueue

package netpoll

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Whether a read has emptied the socket: then the next one need not try (prepareRead). A read that got less than it
// had room for says so by that. One that got just what it had room for, as the reads of a protocol of fixed sizes do, does
// not, and the next one makes a system call to find nothing. With TCP_INQ the kernel adds to each recvmsg how many bytes
// are left. That costs 90 ns where the read in vain costs 180, so it begins when a read in vain has followed a full one.
// Package net has no such thing. In the kernel: net/ipv4/tcp.c, tcp_inq_hint; it also counts an end as a byte.

// An inq is how a descriptor's reads learn of it. Under fdMutex's lock for reading.
type inq struct {
	full    bool // the last read that did not ask was
	asks    bool // TCP_INQ is set
	refused bool // the kernel can't: it is older than 4.18
}

// recv reads without blocking and notes whether that has emptied the socket. The caller holds the lock for reading.
func (f *pollFD) recv(b []byte) (n int, errno unix.Errno) {
	if f.inq.asks && f.pd.special.Load() == 0 {
		n, f.drained, errno = recvAndAsk(f.sysfd, b)
		return n, errno
	}
	n, errno = recv(f.sysfd, b)
	switch {
	case errno == 0:
		f.inq.full = n == min(len(b), rawMax)
		f.drained = f.tcp && n > 0 && !f.inq.full
	case errno == unix.EAGAIN && f.inq.full:
		f.ask()
	}
	return n, errno
}

// ask makes reads ask from now on, if they can.
func (f *pollFD) ask() {
	if !f.tcp || f.inq.asks || f.inq.refused || f.pd.special.Load() != 0 {
		return
	}
	f.inq.asks = unix.SetsockoptInt(f.sysfd, unix.SOL_TCP, unix.TCP_INQ, 1) == nil
	f.inq.refused = !f.inq.asks
	if f.pd.special.Load() != 0 {
		f.unask()
	}
}

// unask switches TCP_INQ off again, for a user who has got the descriptor; special is set before. Order: ask looks at special
// after it has switched it on, so one of the two switches it off last.
func (f *pollFD) unask() {
	if f.tcp {
		_ = unix.SetsockoptInt(f.sysfd, unix.SOL_TCP, unix.TCP_INQ, 0)
	}
}

// inqMessage is the control message that says how many bytes are left.
type inqMessage struct {
	unix.Cmsghdr
	left int32
}

// recvAndAsk is recv where TCP_INQ is set; empty means that nothing is left.
func recvAndAsk(sysfd int, b []byte) (n int, empty bool, errno unix.Errno) {
	var control inqMessage
	iov := unix.Iovec{Base: unsafe.SliceData(b)}
	iov.SetLen(min(len(b), rawMax))
	msg := unix.Msghdr{Iov: &iov, Control: (*byte)(unsafe.Pointer(&control))}
	msg.SetIovlen(1)
	msg.SetControllen(int(unsafe.Sizeof(control)))
	r, _, errno := syscall.RawSyscall6(unix.SYS_RECVMSG, uintptr(sysfd), uintptr(unsafe.Pointer(&msg)),
		unix.MSG_DONTWAIT, 0, 0, 0)
	if errno != 0 {
		return 0, false, errno
	}
	raceReceived(sysfd, b[:r])
	told := control.Level == unix.SOL_TCP && control.Type == unix.TCP_CM_INQ
	return int(r), r > 0 && told && control.left == 0, 0
}
