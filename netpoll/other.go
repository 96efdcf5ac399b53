//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package netpoll

import (
	"errors"
	"fmt"
	"net"
	"runtime"
)

// Systems that have no poller here yet: every call answers with one clear error.

func listen(network, _ string) (net.Listener, error) { return nil, unsupported("listen", network) }

func dial(network, _ string) (net.Conn, error) { return nil, unsupported("dial", network) }

func unsupported(op, network string) error {
	return &net.OpError{
		Op: op, Net: network,
		Err: fmt.Errorf("netpoll: not supported on %s: %w", runtime.GOOS, errors.ErrUnsupported),
	}
}
