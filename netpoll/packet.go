//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// Datagrams. A socket may have a peer, then Read and Write are for it alone; or not, then ReadFrom and WriteTo name
// the other side each time.
// The same in Go: internal/poll/fd_unix.go, ReadFrom, WriteTo, ReadMsg, WriteMsg.

// packetConn is what connections of datagrams have; udpConn and unixgramConn know the form of addresses.
type packetConn struct {
	conn
	family    int
	connected bool
}

// Read reads one datagram; what b has no room for is lost. A datagram may be empty: then n is 0 and err nil.
func (c *packetConn) Read(b []byte) (int, error) {
	var from rawAddr
	n, err := c.fd.readFrom("read", b, &from)
	return n, c.wrapped("read", err)
}

// Write sends b as one datagram to the peer.
func (c *packetConn) Write(b []byte) (int, error) {
	var to rawAddr
	n, err := c.fd.writeTo("write", b, &to)
	return n, c.wrapped("write", err)
}

// TryRead is Read that does not park; see Conn.
func (c *packetConn) TryRead(b []byte) (int, error) { return c.triedRead(c.fd.tryReadFrom(b)) }

// opErrorTo is opError of an operation that named its other side.
func (c *packetConn) opErrorTo(to net.Addr, err error) error {
	if err == nil {
		return nil
	}
	return &net.OpError{Op: "write", Net: c.network, Source: c.laddr, Addr: to, Err: err}
}

// readFrom reads a datagram into b. call is what errors name. Errors: net.ErrClosed, os.ErrDeadlineExceeded,
// *os.SyscallError.
func (f *pollFD) readFrom(call string, b []byte, from *rawAddr) (int, error) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if err := f.lock(reading); err != nil {
		return 0, err
	}
	defer f.unlock(reading)
	if err := f.pd.prepare(&f.pd.r); err != nil {
		return 0, err
	}
	for {
		n, errno := recvFrom(f.sysfd, b, from)
		if errno == 0 {
			giveWay()
			return n, nil
		}
		if err := f.retry(call, errno, &f.pd.r); err != nil {
			return 0, err
		}
	}
}

// tryReadFrom is readFrom that does not wait; see tryRead.
func (f *pollFD) tryReadFrom(b []byte) (int, error) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	held, busy := f.mu.tryLock(reading)
	if busy {
		giveWay()
		return 0, ErrWouldBlock
	}
	if !held {
		return 0, net.ErrClosed
	}
	defer f.unlock(reading)
	if err := f.pd.err(&f.pd.r); err != nil {
		return 0, err
	}
	var from rawAddr
	for {
		n, errno := recvFrom(f.sysfd, b, &from)
		switch errno {
		case 0:
			giveWay()
			return n, nil
		case unix.EINTR:
		case unix.EAGAIN:
			giveWay()
			return 0, ErrWouldBlock
		default:
			return 0, sysError("read", errno)
		}
	}
}

// fullQueueNap is how long a unixgram socket without a peer waits for room at the other side.
const fullQueueNap = time.Millisecond

// writeTo sends b to the address to, or to the peer if that is none. call is what errors name.
func (f *pollFD) writeTo(call string, b []byte, to *rawAddr) (int, error) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if err := f.lock(writing); err != nil {
		return 0, err
	}
	defer f.unlock(writing)
	if err := f.pd.prepare(&f.pd.w); err != nil {
		return 0, err
	}
	for {
		n, errno := sendTo(f.sysfd, b, to)
		if errno == 0 {
			giveWay()
			return n, nil
		}
		if err := f.retryTo(call, errno, to.isUnix()); err != nil {
			return 0, err
		}
	}
}

// retryTo is retry for a writer who names the receiver; toUnix says that this is a unix socket.
func (f *pollFD) retryTo(call string, errno unix.Errno, toUnix bool) error {
	if errno != unix.EAGAIN || !toUnix {
		return f.retry(call, errno, &f.pd.w)
	}
	// The receiver's queue is full. Of that the kernel tells only a socket with a peer; this one is always
	// writable, and each attempt makes another event.
	sched.Sleep(fullQueueNap)
	return f.pd.prepare(&f.pd.w)
}

// message is what recvmsg and sendmsg take beside the descriptor.
type message struct {
	b, oob  []byte
	n, oobn int
	flags   int
	addr    unix.Sockaddr
}

// readMsg fills m. Errors as readFrom's.
func (f *pollFD) readMsg(m *message, flags int) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if err := f.lock(reading); err != nil {
		return err
	}
	defer f.unlock(reading)
	f.drained = false
	if err := f.pd.prepare(&f.pd.r); err != nil {
		return err
	}
	for {
		errno := m.recv(f.sysfd, flags|unix.MSG_DONTWAIT)
		if errno == 0 {
			raceReceived(f.sysfd, m.b[:m.n])
			giveWay()
			return nil
		}
		if err := f.retry("recvmsg", errno, &f.pd.r); err != nil {
			return err
		}
	}
}

// recv makes one attempt; to the race detector what it makes and writes is the caller's.
func (m *message) recv(sysfd, flags int) (errno unix.Errno) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	var err error
	m.n, m.oobn, m.flags, m.addr, err = unix.Recvmsg(sysfd, m.b, m.oob, flags)
	errno, _ = err.(unix.Errno)
	return errno
}

// writeMsg sends m. Errors as writeTo's.
func (f *pollFD) writeMsg(m *message) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if err := f.lock(writing); err != nil {
		return err
	}
	defer f.unlock(writing)
	if err := f.pd.prepare(&f.pd.w); err != nil {
		return err
	}
	for {
		raceSending(m.b)
		errno := m.send(f.sysfd, sendFlags)
		if errno == 0 {
			giveWay()
			return nil
		}
		_, toUnix := m.addr.(*unix.SockaddrUnix)
		if err := f.retryTo("sendmsg", errno, toUnix); err != nil {
			return err
		}
	}
}

func (m *message) send(sysfd, flags int) (errno unix.Errno) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	var err error
	if to, ok := m.addr.(*unix.SockaddrUnix); ok {
		m.n, err = syscall.SendmsgN(sysfd, m.b, m.oob, unixSockaddr(to.Name), flags)
	} else {
		m.n, err = unix.SendmsgN(sysfd, m.b, m.oob, m.addr, flags)
	}
	m.oobn = len(m.oob)
	errno, _ = err.(unix.Errno)
	return errno
}
