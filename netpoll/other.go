//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package netpoll

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"runtime"
	"syscall"
	"time"
)

// Systems that have no poller here yet: every call answers with one clear error.

func listen(network, _ string) (net.Listener, error) { return nil, unsupported("listen", network) }

func listenPacket(network, _ string) (net.PacketConn, error) {
	return nil, unsupported("listen", network)
}

func dial(_ context.Context, network, _ string) (net.Conn, error) {
	return nil, unsupported("dial", network)
}

func unsupported(op, network string) error {
	return &net.OpError{Op: op, Net: network, Err: errUnsupported}
}

var errUnsupported = fmt.Errorf("netpoll: not supported on %s: %w", runtime.GOOS, errors.ErrUnsupported)

// FD is a descriptor that was given to Open, which does not succeed on this system.
type FD struct{ name string }

func open(_ int, name string) (*FD, error) { return nil, (&FD{name}).unsupported("open") }

func (f *FD) unsupported(op string) error {
	return &fs.PathError{Op: op, Path: f.name, Err: errUnsupported}
}

// Name returns what Open was told.
func (f *FD) Name() string { return f.name }

// Read fails.
func (f *FD) Read([]byte) (int, error) { return 0, f.unsupported("read") }

// Write fails.
func (f *FD) Write([]byte) (int, error) { return 0, f.unsupported("write") }

// Close fails.
func (f *FD) Close() error { return f.unsupported("close") }

// SetDeadline fails.
func (f *FD) SetDeadline(time.Time) error { return f.unsupported("set deadline") }

// SetReadDeadline fails.
func (f *FD) SetReadDeadline(time.Time) error { return f.unsupported("set deadline") }

// SetWriteDeadline fails.
func (f *FD) SetWriteDeadline(time.Time) error { return f.unsupported("set deadline") }

// WaitRead fails.
func (f *FD) WaitRead(context.Context) error { return f.unsupported("read") }

// WaitWrite fails.
func (f *FD) WaitWrite(context.Context) error { return f.unsupported("write") }

// SyscallConn fails.
func (f *FD) SyscallConn() (syscall.RawConn, error) { return nil, f.unsupported("raw-control") }
