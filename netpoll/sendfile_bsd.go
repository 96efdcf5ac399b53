//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package netpoll

import "io"

// Where we do not use sendfile(2): a file is read and written like anything else. Package net uses it on three of
// these systems (internal/poll/sendfile_unix.go).

func (c *streamConn) sendFile(io.Reader) (n int64, handled bool, err error) { return 0, false, nil }
