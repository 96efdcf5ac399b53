package netpoll

import (
	"context"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// The calls with which everything starts; each system has its own halves of them (listen.go, dial.go,
// open.go, other.go). The same in Go: net/dial.go, Listen, ListenPacket, Dial, DialTimeout.

// Listen opens a listener. network is "tcp", "tcp4", "tcp6" or "unix"; address is as for net.Listen: a
// host, which may be empty for every local address, and a port, which may be 0 for a free one; or a path, which must
// not exist, and which Close removes.
//
// It blocks only while a host name or a service name is looked up. Its errors are *net.OpError with
// Op "listen".
//
// The listener's Accept parks until a connection comes, or the deadline that its SetDeadline has set. Accept returns a
// failure to get a descriptor (EMFILE) as it is; the next Accept then waits before it tries again, 5 ms at first
// and up to 1 s when failures go on. A connection that was broken off in the queue is passed over. Close
// ends every Accept with an error that wraps net.ErrClosed. The listener also has SyscallConn and File,
// and net.UnixListener's SetUnlinkOnClose, which over tcp changes nothing.
func Listen(network, address string) (net.Listener, error) { return listen(network, address) }

// ListenPacket opens a socket for datagrams from anywhere. network is "udp", "udp4", "udp6" or "unixgram"; address is as
// for Listen, but a path is not removed by Close. Errors are as Listen's.
//
// What it returns is a Conn too, without a peer: WriteTo names one each time. Over udp it has net.UDPConn's ReadFromUDP,
// ReadFromUDPAddrPort, WriteToUDP, WriteToUDPAddrPort, ReadMsgUDP, ReadMsgUDPAddrPort, WriteMsgUDP and WriteMsgUDPAddrPort,
// over unixgram net.UnixConn's ReadFromUnix, WriteToUnix, ReadMsgUnix, WriteMsgUnix, CloseRead and CloseWrite.
func ListenPacket(network, address string) (net.PacketConn, error) {
	return listenPacket(network, address)
}

// Dial is DialContext without an end to the patience: how long the peer may take is the system's decision.
func Dial(network, address string) (net.Conn, error) {
	return DialContext(context.Background(), network, address)
}

// DialTimeout is DialContext that gives up after d, with an error that is a time-out; 0 means never.
func DialTimeout(network, address string, d time.Duration) (net.Conn, error) {
	ctx := context.Background()
	if d != 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	return DialContext(ctx, network, address)
}

// DialContext opens a connection. network is one of those of Listen and ListenPacket; address is as for net.Dial. A
// name with several addresses has them tried in the resolver's order, each for its share of the time until ctx's
// deadline; of a name with addresses of both families the second family is tried as well when the first has not
// answered after 300 ms. The error, if none answers, is the first one's.
//
// The caller, task or goroutine, is parked while a name is looked up and until the peer has answered, or ctx ends.
// Errors are *net.OpError with Op "dial", with package net's errors for a context that has ended. Once connected,
// ctx has no meaning for the connection. A nil ctx panics with "nil context".
//
// The connection's Read parks until there is a byte, and returns io.EOF after the peer's last one;
// Write parks until all is written or something has failed. Any number of callers may use it at
// once: whole Reads follow each other, and so do whole Writes. Close ends both with an error that
// wraps net.ErrClosed, waits until they have gone, and closes the descriptor. SetDeadline and its sisters end those that
// wait and those that come later, with an error that wraps os.ErrDeadlineExceeded. TCP_NODELAY and
// keep-alive are on, as in package net.
//
// The connection is a Conn, a StreamConn over tcp and unix, and over tcp has net.TCPConn's SetNoDelay, SetKeepAlive,
// SetKeepAlivePeriod, SetKeepAliveConfig and SetLinger.
func DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if ctx == nil {
		panic("nil context") // package net's text
	}
	return dial(ctx, network, address)
}

// Open makes an FD of a descriptor that can be polled: a pipe, an eventfd, a timerfd, a terminal, a socket of the
// user's own. It is put into non-blocking mode and belongs to the FD, which closes it, unless Open fails. name is what
// errors call it. A descriptor that cannot be polled, a file's, is refused: with EPERM on Linux.
func Open(fd int, name string) (*FD, error) { return open(fd, name) }

// ErrWouldBlock is what TryRead returns when nothing is there.
var ErrWouldBlock error = wouldBlock{}

type wouldBlock struct{}

// Error implements error.
func (wouldBlock) Error() string { return "netpoll: nothing to read" }

// Is makes it the EAGAIN that it stands for.
func (wouldBlock) Is(target error) bool { return target == syscall.EAGAIN }

// Temporary is true: later there may be something.
func (wouldBlock) Temporary() bool { return true }

// Timeout is false: no deadline is over.
func (wouldBlock) Timeout() bool { return false }

// Conn is what every connection that Dial, DialContext, DialTimeout and a listener's Accept return is, and what
// ListenPacket returns: assert it to use more than net.Conn has.
type Conn interface {
	net.Conn
	syscall.Conn

	// WaitRead parks until a Read would not: there is something, an end or a fault. It takes nothing away, and
	// needs no buffer. It returns ctx.Err() when ctx ends first; further errors are as Read's, deadlines included.
	WaitRead(ctx context.Context) error

	// WaitWrite parks until a Write would take at least a byte. Errors as WaitRead's, deadlines as Write's.
	WaitWrite(ctx context.Context) error

	// TryRead is Read that does not park: it returns ErrWouldBlock, unwrapped, when nothing is there or
	// another call reads.
	TryRead(b []byte) (n int, err error)

	// SetReadBuffer and SetWriteBuffer set the sizes of the kernel's buffers, in bytes.
	SetReadBuffer(bytes int) error
	SetWriteBuffer(bytes int) error

	// File returns a copy of the descriptor, to be closed by itself.
	File() (*os.File, error)
}

// StreamConn is what connections over tcp and unix are.
type StreamConn interface {
	Conn

	// ReadFrom is what io.Copy calls, but for a source that has a WriteTo of its own, as *net.Buffers has; on Linux a file
	// goes through sendfile(2).
	io.ReaderFrom

	// CloseRead ends the half that reads, CloseWrite the half that writes: the peer gets io.EOF.
	CloseRead() error
	CloseWrite() error

	// WriteBuffers writes all of v, by as few system calls as it can, and takes out of v what was written.
	// (*net.Buffers).WriteTo cannot do so for connections that are not package net's own.
	WriteBuffers(v *net.Buffers) (int64, error)
}
