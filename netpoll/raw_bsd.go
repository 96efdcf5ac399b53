//go:build darwin || dragonfly || freebsd || netbsd || openbsd || (linux && userrt_kqueue)

package netpoll

import (
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/hb"
)

// Reading and writing where system calls are nobody's business but libc's: by x/sys's ordinary functions, on
// descriptors that are non-blocking. The same in Go: internal/poll/fd_unix.go, FD.Read and Write.

// rawMax is the most that one call copies, in bytes: darwin refuses more than an int32 can count.
const rawMax = 1 << 30

// shortReadDrains says that a read that got less than it had room for need not be tried again before the next
// event; see prepareRead. Here it must be: a read stops short at the mark of urgent data too, and kqueue does
// not tell of that everywhere.
const shortReadDrains = false

// recv reads at most rawMax bytes into b without blocking.
func recv(sysfd int, b []byte) (int, unix.Errno) {
	n, errno := sysRead(sysfd, b[:min(len(b), rawMax)])
	if errno == 0 {
		raceReceived(sysfd, nil) // the edge; x/sys has told of b
	}
	return n, errno
}

// send writes at most rawMax bytes of b without blocking. A peer that is gone is EPIPE: the runtime catches the
// signal, which ends the process for standard output only (os/signal's doc).
func send(sysfd int, b []byte) (int, unix.Errno) {
	raceSending(nil) // the edge; x/sys tells of b
	return sysWrite(sysfd, b[:min(len(b), rawMax)])
}

// sysRead is read(2). x/sys tells the race detector of b, which is the caller's.
func sysRead(sysfd int, b []byte) (int, unix.Errno) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	n, err := unix.Read(sysfd, b)
	return count(n, err)
}

// sysWrite is write(2); see sysRead.
func sysWrite(sysfd int, b []byte) (int, unix.Errno) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	n, err := unix.Write(sysfd, b)
	return count(n, err)
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
