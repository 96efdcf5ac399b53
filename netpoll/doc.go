// Package netpoll gives tasks and plain goroutines connections that park instead of blocking a
// thread: net.Listener, net.Conn and net.PacketConn over one epoll instance, or kqueue, for each Scheduler. net/http,
// crypto/tls and bufio use them as they use package net's.
//
//	conn.Read --> recv says EAGAIN --> pollDesc.wait: park        (rw.go, polldesc.go)
//	                                          ^
//	idle worker --> poller.Poll --> event ----+ ready             (poller.go; epoll_linux.go, kqueue_bsd.go)
//
// A call tries its system call first and parks on EAGAIN only; a read that follows one which has emptied its socket waits
// first. Nobody runs for the poller alone:
// the scheduler's workers poll when they look for work, and one of those that find none waits in
// the kernel for the network instead of sleeping.
//
// # Whose poller
//
// A connection or listener belongs to the poller of one Scheduler, that of the task which called
// Listen, Dial or Accept (Default for a plain goroutine). Any task of any Scheduler and any
// goroutine may then use it; it is woken where it belongs. Once the Scheduler that owns the poller is
// closed, every call that would read, write, accept or wait answers net.ErrClosed, and so does one that sets a deadline. What
// a task of a closed Scheduler, in its deferred calls, would open anew fails with an error that is both net.ErrClosed and
// sched.ErrClosed. Close is still needed: only it frees the descriptor, and nothing else does so for a connection that is
// merely forgotten.
//
// # What parks, and what blocks
//
// The calls of this package park, and so do those of others that make them on the caller's own stack: bufio, io.Copy,
// crypto/tls, http.ReadRequest. net/http's server and client have goroutines of their own for their connections. A
// handler is called on one of these; (*http.Client).Do waits for them natively, so a task calls it within sched.Block.
//
// # Differences from package net
//
// Errors have net's types and texts and wrap the same way: *net.OpError around os.SyscallError,
// net.ErrClosed, *net.AddrError, *net.DNSError or net.UnknownNetworkError, and a bare io.EOF.
//
// Networks are tcp, tcp4, tcp6, udp, udp4, udp6, unix and unixgram; any other is a net.UnknownNetworkError. Connections
// have more than net's: see Conn and StreamConn. They lack what only package net can provide: a (*net.Buffers).WriteTo by one system
// call, for which there is WriteBuffers, and net's own types, so methods beyond net.Conn are found by
// asserting an interface. An Accept that follows one which found no descriptor free pauses first. Listen does not use Multipath
// TCP.
//
// # Systems
//
// It is all there on linux, darwin and the BSDs. On all but linux a file that is copied to a connection is read and written
// instead of sent by sendfile(2); each datagram costs its address a few allocations; a unixgram receiver whose queue is
// full is an error for its writers, ENOBUFS, as with package net. Further systems answer every call with an
// error that wraps errors.ErrUnsupported.
//
// # Reading order
//
//   - who waits where: waitword.go, polldesc.go, deadline.go, cancel.go, poller.go, epoll_linux.go, kqueue_bsd.go
//   - a descriptor's life: fdmutex.go, fd.go
//   - what one does with it: rw.go with raw_linux.go, inq_linux.go and raw_bsd.go, ready.go, accept.go, packet.go, writev.go, sendfile_linux.go,
//     rawconn.go, open.go
//   - from names to sockets: addr.go, sockaddr.go, rawaddr_linux.go, sock.go
//   - what users hold: netpoll.go, listen.go, dial.go, dialmany.go, conn.go, tcp.go, unix.go, udp.go, unixgram.go
//
// Where systems differ there is a small file for each way: raw_*.go, rawaddr_*.go, sock_*.go, keepalive*.go, readmsg_*.go,
// sendfile_*.go, wake_*.go. The same in Go: runtime/netpoll.go, internal/poll and net.
package netpoll
