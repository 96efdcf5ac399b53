package netpoll

import "net"

// The calls with which everything starts; each system has its own halves of them (listen.go, dial.go,
// other.go). The same in Go: net/dial.go, Listen, Dial.

// Listen opens a TCP listener. network is "tcp", "tcp4" or "tcp6"; address is as for net.Listen: a
// host, which may be empty for every local address, and a port, which may be 0 for a free one.
//
// It blocks only while a host name or a service name is looked up. Its errors are *net.OpError with
// Op "listen".
//
// The listener's Accept parks until a connection comes. Accept returns a failure to get a descriptor
// (EMFILE) as it is, and tries again by itself when a connection was broken off in the queue. Close
// ends every Accept with an error that wraps net.ErrClosed.
func Listen(network, address string) (net.Listener, error) { return listen(network, address) }

// Dial opens a TCP connection. network is "tcp", "tcp4" or "tcp6"; address is as for net.Dial. A
// name with several addresses has them tried in the resolver's order; the error, if none answers, is
// the first one's.
//
// The caller, task or goroutine, is parked while a name is looked up and until the peer has answered;
// how long that may take is the system's decision. Errors are *net.OpError with Op "dial".
//
// The connection's Read parks until there is a byte, and returns io.EOF after the peer's last one;
// Write parks until all is written or something has failed. Any number of callers may use it at
// once: whole Reads follow each other, and so do whole Writes. Close ends both with an error that
// wraps net.ErrClosed, waits until they have gone, and closes the descriptor. TCP_NODELAY and
// keep-alive are on, as in package net.
func Dial(network, address string) (net.Conn, error) { return dial(network, address) }
