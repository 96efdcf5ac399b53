package netpoll

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// What darwin does in its own way: a socket is made and then set, and one option has another name.
// The same in Go: net/sys_cloexec.go, sysSocket; net/tcpsockopt_darwin.go.

// newSocket makes a non-blocking socket that child processes do not get. Errors are bare errnos.
func newSocket(family, kind, protocol int) (sysfd int, err error) {
	syscall.ForkLock.RLock() // no child is made before the socket is marked
	sysfd, err = unix.Socket(family, kind, protocol)
	if err == nil {
		unix.CloseOnExec(sysfd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return 0, err
	}
	if err := unix.SetNonblock(sysfd, true); err != nil {
		_ = unix.Close(sysfd)
		return 0, err
	}
	return sysfd, nil
}

// See keepalive.go.
const (
	optKeepIdle     = unix.TCP_KEEPALIVE
	optKeepInterval = unix.TCP_KEEPINTVL
	optKeepCount    = unix.TCP_KEEPCNT
)
