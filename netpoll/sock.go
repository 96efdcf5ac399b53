//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"errors"
	"net"
	"os"
	"runtime"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Making sockets and choosing their family and options.
// The same in Go: net/sock_posix.go, socket; net/ipsock_posix.go, favoriteAddrFamily; net/sockopt_linux.go.

// socket makes a non-blocking socket. v6only matters to an AF_INET6 one.
func socket(family, sotype int, v6only bool) (sysfd int, err error) {
	sysfd, err = newSocket(family, sotype, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	if family == unix.AF_INET6 {
		only := 0
		if v6only {
			only = 1
		}
		// A kernel that refuses has the other setting for good; bind and connect will tell.
		_ = unix.SetsockoptInt(sysfd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only)
	}
	return sysfd, nil
}

// familyOf returns the family that ip needs; an empty one is content with IPv4.
func familyOf(ip net.IP) int {
	if len(ip) <= net.IPv4len || ip.To4() != nil {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// dialFamily returns the family of a socket that is to reach a.
func dialFamily(network string, a net.Addr) (family int, v6only bool) {
	switch network {
	case "tcp4", "udp4":
		return unix.AF_INET, false
	case "tcp6", "udp6":
		return unix.AF_INET6, true
	default:
		return familyOf(ipOf(a)), false
	}
}

// listenFamily returns the family of a socket that is to listen on a: for every local address of an
// unspecified kind one socket of both kinds, where the machine can do that.
func listenFamily(network string, a net.Addr) (family int, v6only bool, err error) {
	ip := ipOf(a)
	if (network == "tcp" || network == "udp") && (len(ip) == 0 || ip.IsUnspecified()) {
		both, err := dualStack()
		if both || err != nil {
			return unix.AF_INET6, false, err
		}
	}
	family, v6only = dialFamily(network, a)
	return family, v6only, nil
}

// dualStack reports whether an IPv6 socket here can serve IPv4 peers. It asks the kernel until it gets an answer, which
// it does not when descriptors or memory have run out: *os.SyscallError.
func dualStack() (bool, error) {
	if known := dualStackKnown.Load(); known != nil {
		return *known, nil
	}
	both := false
	sysfd, err := socket(unix.AF_INET6, unix.SOCK_STREAM, false)
	if err == nil {
		mapped := &unix.SockaddrInet6{Addr: [16]byte{10: 0xff, 11: 0xff, 12: 127, 15: 1}}
		both = unix.Bind(sysfd, mapped) == nil
		_ = unix.Close(sysfd)
	} else if hasRunOut(errors.Unwrap(err)) {
		return false, err
	}
	dualStackKnown.Store(&both)
	return both, nil
}

var dualStackKnown atomic.Pointer[bool]

// hasRunOut reports whether err, a bare errno, says that later there may be what there is not now.
func hasRunOut(err error) bool {
	switch err {
	case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
		return true
	default:
		return false
	}
}

// Keep-alive as package net has it: a probe after so many seconds of silence, then one each so many
// seconds, and the connection is dead when so many have gone unanswered.
const (
	keepAliveIdle     = 15
	keepAliveInterval = 15
	keepAliveCount    = 9
)

// sockopt is a socket option and its value.
type sockopt struct{ level, name, value int }

// optionsInherited says that a connection has the options of the listening socket that accepted it. The other
// systems promise that for some options only.
const optionsInherited = runtime.GOOS == "linux"

// setStreamDefaults sets TCP_NODELAY and keep-alive. On a listening socket they are inherited by every
// connection that it accepts, where the system does that: it saves five system calls a connection.
func setStreamDefaults(sysfd int) error {
	for _, o := range streamDefaults {
		if o.name == 0 { // there is none here
			continue
		}
		err := unix.SetsockoptInt(sysfd, o.level, o.name, o.value)
		if err == unix.EINVAL && runtime.GOOS != "linux" {
			return nil // it has been reset meanwhile, which the first read or write will tell
		}
		if err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	return nil
}

var streamDefaults = []sockopt{
	{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
	{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
	{unix.IPPROTO_TCP, optKeepIdle, keepAliveIdle},
	{unix.IPPROTO_TCP, optKeepInterval, keepAliveInterval},
	{unix.IPPROTO_TCP, optKeepCount, keepAliveCount},
}
