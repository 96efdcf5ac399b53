//go:build !userrt_kqueue

package netpoll

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Addresses as the bytes that the kernel reads and writes: those of datagrams, which must not allocate more than
// net's own form of them.
// The same in Go: internal/syscall/unix/net.go, RecvfromInet4; internal/poll/fd_unix.go, ReadFromInet4.

// rawAddr is an address as the kernel reads and writes it. Its zero value is none.
type rawAddr struct {
	any unix.RawSockaddrAny
	len uint32
}

// setInet makes a an internet address for a socket of the given family. Errors: *net.AddrError.
func (a *rawAddr) setInet(family int, ip net.IP, port int, zone string) error {
	b, err := kernelIP(family, ip)
	if err != nil {
		return err
	}
	if family == unix.AF_INET {
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&a.any))
		*sa = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: swapped(port), Addr: [4]byte(b)}
		a.len = unix.SizeofSockaddrInet4
		return nil
	}
	sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(&a.any))
	*sa = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: swapped(port), Addr: [16]byte(b), Scope_id: zoneID(zone)}
	a.len = unix.SizeofSockaddrInet6
	return nil
}

// setUnix makes a the name of a unix socket; "@" or a zero byte begins one of Linux's that are not in the file system.
// Error: EINVAL for one that is too long.
func (a *rawAddr) setUnix(name string) error {
	sa := (*unix.RawSockaddrUnix)(unsafe.Pointer(&a.any))
	abstract := name != "" && (name[0] == '@' || name[0] == 0)
	if len(name) > len(sa.Path) || len(name) == len(sa.Path) && !abstract {
		return unix.EINVAL
	}
	*sa = unix.RawSockaddrUnix{Family: unix.AF_UNIX}
	for i := range len(name) {
		sa.Path[i] = int8(name[i])
	}
	a.len = unix.SizeofSockaddrUnix - uint32(len(sa.Path)) + uint32(len(name))
	switch {
	case name == "":
	case abstract:
		sa.Path[0] = 0
	default:
		a.len++ // the final zero
	}
	return nil
}

// isUnix reports whether a is the name of a unix socket.
func (a *rawAddr) isUnix() bool { return a.len > 0 && a.any.Addr.Family == unix.AF_UNIX }

// inet returns the internet address that a is.
func (a *rawAddr) inet() (ip netip.Addr, port int, zone uint32) {
	if a.any.Addr.Family == unix.AF_INET {
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&a.any))
		return netip.AddrFrom4(sa.Addr), int(swapped(int(sa.Port))), 0
	}
	sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(&a.any))
	return netip.AddrFrom16(sa.Addr), int(swapped(int(sa.Port))), sa.Scope_id
}

// unixName returns the name that a is, up to a zero byte within it as package net has it; "" for a socket without one.
func (a *rawAddr) unixName() string {
	sa := (*unix.RawSockaddrUnix)(unsafe.Pointer(&a.any))
	n := int(a.len) - (unix.SizeofSockaddrUnix - len(sa.Path))
	n = min(n, len(sa.Path)) // the kernel counts a final zero that a name of full length has no room for
	if n <= 0 || a.any.Addr.Family != unix.AF_UNIX {
		return ""
	}
	name := make([]byte, n)
	for i := range name {
		name[i] = byte(sa.Path[i])
	}
	if name[0] == 0 {
		name[0] = '@'
	}
	if end := bytes.IndexByte(name, 0); end >= 0 {
		name = name[:end]
	}
	return string(name)
}

// swapped turns a port's bytes from this machine's order to the network's, or back.
func swapped(port int) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], uint16(port))
	return binary.NativeEndian.Uint16(b[:])
}
