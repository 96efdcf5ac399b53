//go:build darwin || dragonfly || freebsd || netbsd || openbsd || (linux && userrt_kqueue)

package netpoll

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/hb"
)

// Reading and writing where system calls are nobody's business but libc's: by x/sys's ordinary functions, on
// descriptors that are non-blocking. The same in Go: internal/poll/fd_unix.go, FD.Read and Write.

// rawMax is the most that one call copies, in bytes: darwin refuses more than an int32 can count.
const rawMax = 1 << 30

// sendFlags: of MSG_NOSIGNAL there is no need, as the runtime catches SIGPIPE, which ends the process for standard output
// only (os/signal's doc).
const sendFlags = unix.MSG_DONTWAIT

// inq is for epoll (inq_linux.go).
type inq struct{}

// recv reads without blocking. Every read tries: one stops short at the mark of urgent data too, and kqueue does not tell
// of that everywhere, so that prepareRead's shortcut would not do.
func (f *pollFD) recv(b []byte) (int, unix.Errno) { return recv(f.sysfd, b) }

// unask has nothing to take back.
func (f *pollFD) unask() {}

// recv reads at most rawMax bytes into b without blocking.
func recv(sysfd int, b []byte) (int, unix.Errno) { return sysRead(sysfd, b[:min(len(b), rawMax)]) }

// send writes at most rawMax bytes of b without blocking; see sendFlags.
func send(sysfd int, b []byte) (int, unix.Errno) { return sysWrite(sysfd, b[:min(len(b), rawMax)]) }

// recvFrom is recv of one datagram, whatever its size; from becomes its sender. To the race detector the address that
// it makes is the caller's.
func recvFrom(sysfd int, b []byte, from *rawAddr) (int, unix.Errno) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	n, sa, err := unix.Recvfrom(sysfd, b, unix.MSG_DONTWAIT)
	if err == nil {
		from.sa = sa
		raceReceived(sysfd, b[:n])
	}
	return count(n, err)
}

// sendTo sends b as one datagram, to the peer when to is empty.
func sendTo(sysfd int, b []byte, to *rawAddr) (int, unix.Errno) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	raceSending(b)
	if u, ok := to.sa.(*unix.SockaddrUnix); ok {
		return count(len(b), syscall.Sendto(sysfd, b, sendFlags, unixSockaddr(u.Name)))
	}
	return count(len(b), unix.Sendto(sysfd, b, sendFlags, to.sa))
}

// sendVec is send of several buffers at once.
func sendVec(sysfd int, iov []unix.Iovec) (int, unix.Errno) {
	raceSending(nil)
	var bufs [vecMax][]byte
	for i := range iov {
		bufs[i] = unsafe.Slice(iov[i].Base, int(iov[i].Len))
	}
	return count(unix.SendmsgBuffers(sysfd, bufs[:len(iov)], nil, nil, sendFlags))
}

// count undoes x/sys's making an error of an errno.
func count(n int, err error) (int, unix.Errno) {
	if err == nil {
		return n, 0
	}
	errno, ok := err.(unix.Errno)
	if !ok {
		errno = unix.EIO // no system call of x/sys does that
	}
	return 0, errno
}
