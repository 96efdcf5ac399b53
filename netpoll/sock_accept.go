//go:build darwin || netbsd || openbsd

package netpoll

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/hb"
)

// Accepting where x/sys has no accept4: a connection is accepted and then set.
// The same in Go: internal/poll/sys_cloexec.go, accept.

// acceptCall is the system call's name in errors.
const acceptCall = "accept"

// acceptSocket returns the next connection, non-blocking, and its peer; to the race detector the address that
// it makes is the caller's. Errors are bare errnos.
func acceptSocket(sysfd int) (int, unix.Sockaddr, error) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	syscall.ForkLock.RLock() // no child is made before the socket is marked; sysfd does not block
	accepted, peer, err := unix.Accept(sysfd)
	if err == nil {
		unix.CloseOnExec(accepted)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return 0, nil, err
	}
	if err := unix.SetNonblock(accepted, true); err != nil {
		_ = unix.Close(accepted)
		return 0, nil, err
	}
	return accepted, peer, nil
}
