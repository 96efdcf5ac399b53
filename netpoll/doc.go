// Package netpoll gives tasks and plain goroutines TCP connections that park instead of blocking a
// thread: a net.Listener and a net.Conn over one epoll instance, or kqueue, for each Scheduler.
//
//	conn.Read --> recv says EAGAIN --> pollDesc.wait: park        (rw.go, polldesc.go)
//	                                          ^
//	idle worker --> poller.Poll --> event ----+ ready             (poller.go; epoll_linux.go, kqueue_bsd.go)
//
// A call tries its system call first and parks on EAGAIN only. Nobody runs for the poller alone:
// the scheduler's workers poll when they look for work, and one of those that find none waits in
// the kernel for the network instead of sleeping.
//
// # Whose poller
//
// A connection or listener belongs to the poller of one Scheduler, that of the task which called
// Listen, Dial or Accept (Default for a plain goroutine). Any task of any Scheduler and any
// goroutine may then use it; it is woken where it belongs. Once the Scheduler that owns the poller is
// closed, every call on the connection but Close answers net.ErrClosed. Close is still needed: only
// it frees the descriptor, and nothing else does so for a connection that is merely forgotten.
//
// # Differences from package net
//
// Errors have net's types and texts and wrap the same way: *net.OpError around os.SyscallError,
// net.ErrClosed, *net.AddrError, *net.DNSError or net.UnknownNetworkError, and a bare io.EOF.
//
// Networks are tcp, tcp4 and tcp6; any other is a net.UnknownNetworkError. There are no deadlines:
// SetDeadline and its two sisters return an error that wraps os.ErrNoDeadline. Dial tries the
// addresses of a name one after the other, in the resolver's order. Listen does not use Multipath
// TCP. Systems other than linux, darwin and the BSDs answer every call with an error that wraps
// errors.ErrUnsupported.
//
// # Reading order
//
// waitword.go, polldesc.go, poller.go, epoll_linux.go, kqueue_bsd.go; fdmutex.go, fd.go, rw.go; addr.go, sock.go,
// listen.go, dial.go, conn.go. Where systems differ there is a small file for each way: raw_*.go, sock_*.go,
// keepalive*.go, wake_*.go. The same in Go: runtime/netpoll.go, internal/poll and net.
package netpoll
