//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package netpoll

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// openFDs lists the process's open descriptors.
func openFDs(*testing.T) (fds []string) {
	const many = 4096
	for fd := range many {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			fds = append(fds, fmt.Sprint(fd))
		}
	}
	return fds
}

// threadCount can't be known without calls of each system's own.
func threadCount(*testing.T) int { return 0 }
