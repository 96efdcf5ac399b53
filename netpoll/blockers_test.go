//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/sched"
)

// Every way to wait for a descriptor, for the tests of what ends a wait: closing, a deadline, the scheduler's end.

// blocker is one of the ways.
type blocker struct {
	name, op string // op is what errors call it
	make     func(t *testing.T, p party) *blocked
	ours     bool // package net has no such call, or another error
	file     bool // its errors are package os's
	naps     bool // it sleeps now and then and does not wait in the poller
	linux    bool // elsewhere it does not wait, or in another call
}

// blocked is where callers wait.
type blocked struct {
	block func() error // does not return before end is closed, or its deadline over
	end   ender
	rest  []io.Closer
}

type ender interface {
	io.Closer
	SetDeadline(t time.Time) error
}

// blockers are all that there are on this system; the first three are the plain ones.
var blockers = func() (here []blocker) {
	for _, b := range []blocker{
		{name: "accept", op: "accept", make: onListener("tcp")},
		{name: "read", op: "read", make: onStream("tcp", func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err })},
		{name: "write", op: "write", make: onStream("tcp", func(c net.Conn) error { _, err := c.Write(big); return err })},

		{name: "accept/unix", op: "accept", make: onListener("unix")},
		{name: "read/unix", op: "read", make: onStream("unix", func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err })},
		{name: "write/unix", op: "write", make: onStream("unix", func(c net.Conn) error { _, err := c.Write(big); return err })},
		{name: "ReadMsgUnix/unix", op: "read", make: onStream("unix", func(c net.Conn) error { return readMsgUnix(c.(unixMsg)) })},
		{name: "WriteMsgUnix/unix", op: "write", make: onStream("unix", func(c net.Conn) error { return writeMsgUnix(c.(unixMsg), nil) })},
		{name: "WriteBuffers", op: "write", ours: true, make: onStream("tcp", func(c net.Conn) error {
			_, err := c.(StreamConn).WriteBuffers(&net.Buffers{big[:10], big})
			return err
		})},
		// When it is over already package net reads from the file first, and has a text for that.
		{name: "sendfile", op: "readfrom", ours: true, linux: true, make: onStream("tcp", copyFile)},
		{name: "WaitRead", op: "read", ours: true, make: onStream("tcp", waitRead)},
		{name: "WaitWrite", op: "write", ours: true, make: onStream("tcp", func(c net.Conn) error { return waitWrite(c.(waiter)) })},
		{name: "RawConn.Read", op: "raw-read", make: onStream("tcp", func(c net.Conn) error { return rawRead(c.(syscall.Conn)) })},
		{name: "RawConn.Write", op: "raw-write", make: onStream("tcp", func(c net.Conn) error { return rawWrite(c.(syscall.Conn)) })},

		{name: "ReadFrom/udp", op: "read", make: onPackets("udp", readFrom)},
		{name: "ReadMsgUDP", op: "read", make: onPackets("udp", func(c, _ net.PacketConn) error {
			_, _, _, _, err := c.(udp).ReadMsgUDP(make([]byte, 1), nil)
			return err
		})},
		{name: "WaitRead/udp", op: "read", ours: true, make: onPackets("udp", func(c, _ net.PacketConn) error { return waitRead(c.(net.Conn)) })},
		{name: "ReadFrom/unixgram", op: "read", make: onPackets("unixgram", readFrom)},
		{name: "ReadMsgUnix/unixgram", op: "read", make: onPackets("unixgram", func(c, _ net.PacketConn) error { return readMsgUnix(c.(unixMsg)) })},
		{name: "WriteTo/unixgram", op: "write", naps: true, linux: true, make: onPackets("unixgram", func(c, to net.PacketConn) (err error) {
			for err == nil {
				_, err = c.WriteTo(big[:1], to.LocalAddr())
			}
			return err
		})},
		{name: "WriteMsgUnix/unixgram", op: "write", naps: true, linux: true, make: onPackets("unixgram", func(c, to net.PacketConn) error {
			return writeMsgUnix(c.(unixMsg), to.LocalAddr().(*net.UnixAddr))
		})},
		{name: "read/peer", op: "read", make: onPeer("udp", func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err })},
		{name: "write/peer", op: "write", linux: true, make: onPeer("unixgram", func(c net.Conn) (err error) {
			for err == nil {
				_, err = c.Write(big[:1])
			}
			return err
		})},

		{name: "FD.Read", op: "read", ours: true, file: true, make: onPipe(0, func(f *FD) error { _, err := f.Read(make([]byte, 1)); return err })},
		{name: "FD.Write", op: "write", ours: true, file: true, make: onPipe(1, func(f *FD) error { _, err := f.Write(big); return err })},
		{name: "FD.WaitRead", op: "read", ours: true, file: true, make: onPipe(0, func(f *FD) error { return f.WaitRead(context.Background()) })},
		{name: "FD.WaitWrite", op: "write", ours: true, file: true, make: onPipe(1, func(f *FD) error { return waitWrite(f) })},
		{name: "FD raw Read", op: "raw-read", ours: true, file: true, make: onPipe(0, func(f *FD) error { return rawRead(f) })},
		{name: "FD raw Write", op: "raw-write", ours: true, file: true, make: onPipe(1, func(f *FD) error { return rawWrite(f) })},
	} {
		if !b.linux || runtime.GOOS == "linux" {
			here = append(here, b)
		}
	}
	return here
}()

// big is more than any socket takes at once.
var big = make([]byte, 64<<20)

// at returns an address on network that nobody has.
func at(t *testing.T, network string) string {
	if isUnix(network) {
		return filepath.Join(t.TempDir(), "s")
	}
	return "127.0.0.1:0"
}

func onListener(network string) func(t *testing.T, p party) *blocked {
	return func(t *testing.T, p party) *blocked {
		l, err := p.listen(network, at(t, network))
		require.NoError(t, err)
		return &blocked{block: func() error { _, err := l.Accept(); return err }, end: l.(ender)}
	}
}

// onStream makes call wait on one end of a connection, of which the other does nothing.
func onStream(network string, call func(c net.Conn) error) func(t *testing.T, p party) *blocked {
	return func(t *testing.T, p party) *blocked {
		l, err := p.listen(network, at(t, network))
		require.NoError(t, err)
		c, err := p.dial(network, l.Addr().String())
		require.NoError(t, err)
		peer, err := l.Accept()
		require.NoError(t, err)
		require.NoError(t, l.Close())
		return &blocked{block: func() error { return call(c) }, end: c, rest: []io.Closer{peer}}
	}
}

// onPackets makes call wait on one of two sockets for datagrams.
func onPackets(network string, call func(c, other net.PacketConn) error) func(t *testing.T, p party) *blocked {
	return func(t *testing.T, p party) *blocked {
		c, err := p.listenPacket(network, at(t, network))
		require.NoError(t, err)
		other, err := p.listenPacket(network, at(t, network))
		require.NoError(t, err)
		return &blocked{block: func() error { return call(c, other) }, end: c, rest: []io.Closer{other}}
	}
}

// onPeer makes call wait on a socket for datagrams with a peer, which does nothing.
func onPeer(network string, call func(c net.Conn) error) func(t *testing.T, p party) *blocked {
	return func(t *testing.T, p party) *blocked {
		peer, err := p.listenPacket(network, at(t, network))
		require.NoError(t, err)
		c, err := p.dial(network, peer.LocalAddr().String())
		require.NoError(t, err)
		return &blocked{block: func() error { return call(c) }, end: c, rest: []io.Closer{peer}}
	}
}

// onPipe makes call wait on one end of a pipe.
func onPipe(end int, call func(f *FD) error) func(t *testing.T, _ party) *blocked {
	return func(t *testing.T, _ party) *blocked {
		fds := pipe(t)
		f, err := Open(fds[end], "pipe")
		require.NoError(t, err)
		return &blocked{block: func() error { return call(f) }, end: f, rest: []io.Closer{os.NewFile(uintptr(fds[1-end]), "other end")}}
	}
}

func readFrom(c, _ net.PacketConn) error { _, _, err := c.ReadFrom(make([]byte, 1)); return err }

func readMsgUnix(c unixMsg) error {
	_, _, _, _, err := c.ReadMsgUnix(make([]byte, 1), nil)
	return err
}

func writeMsgUnix(c unixMsg, to *net.UnixAddr) (err error) {
	for err == nil {
		_, _, err = c.WriteMsgUnix(big[:1000], nil, to)
	}
	return err
}

type waiter interface {
	syscall.Conn
	WaitWrite(ctx context.Context) error
}

type unixMsg interface {
	ReadMsgUnix(b, oob []byte) (n, oobn, flags int, addr *net.UnixAddr, err error)
	WriteMsgUnix(b, oob []byte, addr *net.UnixAddr) (n, oobn int, err error)
}

// copyFile sends a file that is longer than any socket takes at once.
func copyFile(c net.Conn) error {
	f, err := os.CreateTemp("", "netpoll")
	if err == nil {
		defer f.Close()
		defer os.Remove(f.Name())
		err = f.Truncate(int64(len(big)))
	}
	if err == nil {
		_, err = io.Copy(c, f)
	}
	return err
}

func waitRead(c net.Conn) error { return c.(Conn).WaitRead(context.Background()) }

// waitWrite writes what fits and waits for room, again and again.
func waitWrite(w waiter) (err error) {
	raw, err := w.SyscallConn()
	for err == nil {
		if err = raw.Control(func(fd uintptr) { stuff(fd) }); err == nil {
			err = w.WaitWrite(context.Background())
		}
	}
	if errors.Is(err, net.ErrClosed) { // by Control, maybe
		return w.WaitWrite(context.Background())
	}
	return err
}

// stuff writes until nothing more fits.
func stuff(fd uintptr) {
	for {
		if _, err := unix.Write(int(fd), big[:1<<16]); err != nil && err != unix.EINTR {
			return
		}
	}
}

func rawRead(c syscall.Conn) error {
	raw, err := c.SyscallConn()
	if err == nil {
		err = raw.Read(func(fd uintptr) bool { _, err := unix.Read(int(fd), make([]byte, 1)); return err != unix.EAGAIN })
	}
	return err
}

func rawWrite(c syscall.Conn) error {
	raw, err := c.SyscallConn()
	if err == nil {
		err = raw.Write(func(fd uintptr) bool { stuff(fd); return false })
	}
	return err
}

// on makes b's place to wait, on s if p is a task.
func (b *blocker) on(t *testing.T, s *sched.Scheduler, p party) (x *blocked) {
	t.Helper()
	(&group{s: s}).run(p, func() { x = b.make(t, p) })
	require.NotNil(t, x)
	return x
}

// waiting returns when somebody waits in s's poller, if b does that.
func (b *blocker) waiting(t *testing.T, s *sched.Scheduler) {
	t.Helper()
	if !b.naps {
		parked(t, s, 1)
	}
}

func (x *blocked) close(t *testing.T) {
	t.Helper()
	_ = x.end.Close() // maybe again
	for _, c := range x.rest {
		require.NoError(t, c.Close())
	}
}

// closed checks that err is what a call of b's returns when what it waits on is closed.
func (b *blocker) closed(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, net.ErrClosed)
	if b.file {
		var pe *fs.PathError
		require.ErrorAs(t, err, &pe)
		require.Equal(t, b.op, pe.Op)
		require.ErrorIs(t, err, os.ErrClosed)
		return
	}
	var op *net.OpError
	require.ErrorAs(t, err, &op)
	require.Equal(t, b.op, op.Op)
	require.Equal(t, net.ErrClosed, op.Err)
}

// timedOut checks that err is what a call of b's returns when the deadline is over.
func (b *blocker) timedOut(t *testing.T, err error) {
	t.Helper()
	if !b.file {
		isTimeout(t, b.op, err)
		return
	}
	var pe *fs.PathError
	require.ErrorAs(t, err, &pe)
	require.Equal(t, b.op, pe.Op)
	require.Equal(t, os.ErrDeadlineExceeded, pe.Err)
	require.True(t, pe.Timeout())
}
