//go:build dragonfly || freebsd || linux

package netpoll

import (
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/hb"
)

// Accepting in one call. The same in Go: internal/poll/sock_cloexec.go, accept.

// acceptCall is the system call's name in errors.
const acceptCall = "accept4"

// acceptSocket returns the next connection, non-blocking, and its peer; to the race detector the address that
// it makes is the caller's. Errors are bare errnos.
func acceptSocket(sysfd int) (int, unix.Sockaddr, error) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	return unix.Accept4(sysfd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
}
