//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/nettest"

	"github.com/userrt/userrt/sched"
)

// The Go project's own suite for implementations of net.Conn: deadlines past, present and future, races of everything
// with everything, big transfers. It works with plain goroutines; the connections are made by them or by tasks.
func TestNettest(t *testing.T) {
	for network, maker := range map[string]party{"tcp": task, "unix": goroutine} {
		t.Run(network, func(t *testing.T) {
			s := scheduler(t, 2)
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				(&group{s: s}).run(maker, func() { c1, c2, err = pipeOf(network, filepath.Join(t.TempDir(), "s")) })
				return c1, c2, func() {
					_ = c1.Close()
					_ = c2.Close()
				}, err
			})
		})
	}
}

// pipeOf returns the two ends of a connection.
func pipeOf(network, path string) (a, b net.Conn, err error) {
	address := "127.0.0.1:0"
	if network == "unix" {
		address = path
	}
	l, err := Listen(network, address)
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if a, err = Dial(network, l.Addr().String()); err != nil {
		return nil, nil, err
	}
	b, err = l.Accept()
	return a, b, err
}

// The same with one end in a task: every call of the suite goes to a task by way of a channel and is made there.
func TestNettestFromTasks(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			s := scheduler(t, 2)
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				(&group{s: s}).run(task, func() { c1, c2, err = pipeOf(network, filepath.Join(t.TempDir(), "s")) })
				return taskConn{c1, s}, c2, func() {
					_ = c1.Close()
					_ = c2.Close()
				}, err
			})
		})
	}
}

// taskConn reads and writes in tasks of s.
type taskConn struct {
	net.Conn
	s *sched.Scheduler
}

func (c taskConn) Read(b []byte) (n int, err error) {
	if e := c.s.Run(func() { n, err = c.Conn.Read(b) }); e != nil {
		return 0, e
	}
	return n, err
}

func (c taskConn) Write(b []byte) (n int, err error) {
	if e := c.s.Run(func() { n, err = c.Conn.Write(b) }); e != nil {
		return 0, e
	}
	return n, err
}

// packetPair is two datagram sockets that can reach each other, with addresses.
func packetPair(t *testing.T, network string) (a, b net.PacketConn) {
	t.Helper()
	open := func(name string) net.PacketConn {
		address := "127.0.0.1:0"
		if network == "unixgram" {
			address = filepath.Join(t.TempDir(), name)
		}
		c, err := ListenPacket(network, address)
		require.NoError(t, err)
		return c
	}
	return open("a"), open("b")
}
