//go:build dragonfly || freebsd || linux || netbsd

package netpoll

import "golang.org/x/sys/unix"

// Keep-alive's times, in seconds. The same in Go: net/tcpsockopt_unix.go.

var keepAliveTimes = []sockopt{
	{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, keepAliveIdle},
	{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, keepAliveInterval},
	{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, keepAliveCount},
}
