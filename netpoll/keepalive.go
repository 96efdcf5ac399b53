//go:build dragonfly || freebsd || linux || netbsd

package netpoll

import "golang.org/x/sys/unix"

// The options for keep-alive's times, in seconds. The same in Go: net/tcpsockopt_unix.go.

const (
	optKeepIdle     = unix.TCP_KEEPIDLE
	optKeepInterval = unix.TCP_KEEPINTVL
	optKeepCount    = unix.TCP_KEEPCNT
)
