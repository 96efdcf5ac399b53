//go:build darwin || freebsd

package netpoll

import "golang.org/x/sys/unix"

// Descriptors that come with a message are closed on exec, each by a system call of its own.
// The same in Go: net/unixsock_readmsg_cloexec.go.

const readMsgFlags = 0

func closeRightsOnExec(oob []byte) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return
	}
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			continue // it is about something else
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
		}
	}
}
