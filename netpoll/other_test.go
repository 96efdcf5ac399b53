//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package netpoll

import (
	"errors"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnsupported(t *testing.T) {
	for op, call := range map[string]func() error{
		"listen": func() error { _, err := Listen("tcp", "127.0.0.1:0"); return err },
		"dial":   func() error { _, err := Dial("tcp", "127.0.0.1:1"); return err },
	} {
		err := call()
		require.ErrorIs(t, err, errors.ErrUnsupported)
		var opErr *net.OpError
		require.ErrorAs(t, err, &opErr)
		require.Equal(t, op, opErr.Op)
	}
}
