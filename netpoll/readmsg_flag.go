//go:build dragonfly || linux || netbsd || openbsd

package netpoll

import "golang.org/x/sys/unix"

// Descriptors that come with a message are closed on exec, by the system call itself.
// The same in Go: net/unixsock_readmsg_cmsg_cloexec.go.

const readMsgFlags = unix.MSG_CMSG_CLOEXEC

func closeRightsOnExec([]byte) {}
