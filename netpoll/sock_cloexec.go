//go:build dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import "golang.org/x/sys/unix"

// Making a socket in one call. The same in Go: net/sock_cloexec.go.

// newSocket makes a non-blocking socket that child processes do not get. Errors are bare errnos.
func newSocket(family, kind, protocol int) (sysfd int, err error) {
	return unix.Socket(family, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, protocol)
}
