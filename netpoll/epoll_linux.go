//go:build !userrt_kqueue

package netpoll

import (
	"encoding/binary"
	"math"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/syswait"
)

// epoll: the kernel's side of the poller. System calls only, no policy; another system's file has the
// same calls. The same in Go: runtime/netpoll_epoll.go.

// osPoller is an epoll instance and an eventfd in it.
//
// The eventfd is registered level-triggered: a poll that does not block sees it and leaves it for the
// one that does. wakeSig is 1 from the wake that wrote to it to the drain that emptied it, so that
// many wakes cost one write.
type osPoller struct {
	epfd    int
	eventfd int
	wakeSig atom.Uint32
	sleeps  syswait.Habit // of whoever is in a wait that blocks
}

// osEvent is an event as the kernel writes it.
type osEvent unix.EpollEvent

// maxSeq is the largest seq that an event can carry.
const maxSeq = math.MaxUint32

// wakeTag marks the events of the eventfd; no pollDesc has that index.
var wakeTag = tag{index: math.MaxUint32}

// open makes the instance. Errors are *os.SyscallError.
func (k *osPoller) open() error {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	eventfd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(epfd)
		return os.NewSyscallError("eventfd", err)
	}
	k.epfd, k.eventfd = epfd, eventfd
	if err := k.ctl(eventfd, unix.EPOLLIN, wakeTag); err != nil {
		_ = k.close()
		return err
	}
	return nil
}

func (k *osPoller) close() error {
	err := unix.Close(k.eventfd)
	if err2 := unix.Close(k.epfd); err == nil {
		err = err2
	}
	return os.NewSyscallError("close", err)
}

// add registers sysfd for both directions, edge-triggered: an event comes each time that it becomes
// ready, and one at once if it already is.
func (k *osPoller) add(sysfd int, t tag) error {
	return k.ctl(sysfd, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLPRI|unix.EPOLLRDHUP|unix.EPOLLET, t)
}

func (k *osPoller) ctl(sysfd int, events uint32, t tag) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(t.index), Pad: int32(t.seq)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(k.epfd, unix.EPOLL_CTL_ADD, sysfd, &ev))
}

// remove ends sysfd's registration. Closing it would do so too, but not while a child process that is
// between fork and exec still holds it.
func (k *osPoller) remove(sysfd int) {
	_ = unix.EpollCtl(k.epfd, unix.EPOLL_CTL_DEL, sysfd, new(unix.EpollEvent))
}

// wait fills events and returns how many there are. An interrupted wait without end goes on; any other
// ends with none.
func (k *osPoller) wait(events []osEvent, delayNS int64) int {
	for {
		n, errno := k.pwait(events, timeoutMS(delayNS))
		if errno == 0 {
			return n
		}
		if errno != unix.EINTR {
			panic("netpoll: epoll_pwait: " + errno.Error())
		}
		if delayNS >= 0 {
			return 0
		}
	}
}

// timeoutMS turns nanoseconds into epoll's milliseconds: rounded up, so that who waits for a timer
// does not wake too early only to wait again, and at most 11 days.
func timeoutMS(ns int64) int {
	const maxMS = 1e9
	switch {
	case ns < 0:
		return -1
	case ns > maxMS*1e6:
		return maxMS
	default:
		return int((ns + 1e6 - 1) / 1e6)
	}
}

// decode says whom the event is for, in which directions it may go on, and whether there is an end, a
// fault or urgent data. A fault or a hang-up concerns both directions: the system call that is then tried
// tells which it was.
func decode(ev *osEvent) (t tag, readable, writable, special bool) {
	const both = unix.EPOLLHUP | unix.EPOLLERR
	return tag{uint32(ev.Fd), uint32(ev.Pad)},
		ev.Events&(unix.EPOLLIN|unix.EPOLLPRI|unix.EPOLLRDHUP|both) != 0,
		ev.Events&(unix.EPOLLOUT|both) != 0,
		ev.Events&(unix.EPOLLPRI|unix.EPOLLRDHUP|both) != 0
}

// wake makes a wait that blocks return. It never blocks.
func (k *osPoller) wake() {
	if !k.wakeSig.CompareAndSwap(0, 1) {
		return
	}
	one := binary.NativeEndian.AppendUint64(make([]byte, 0, 8), 1)
	for {
		_, err := unix.Write(k.eventfd, one)
		switch err {
		case nil, unix.EAGAIN: // EAGAIN: it is full, hence readable
			return
		case unix.EINTR:
		default:
			panic("netpoll: eventfd: " + err.Error())
		}
	}
}

// drain takes a wake back; whoever calls it has returned from wait and will not block again without
// having looked round. Order: empty first, then the flag; the other way about, a wake between the two
// would be emptied away and leave the flag up for ever.
func (k *osPoller) drain() {
	var buf [8]byte
	_, _ = unix.Read(k.eventfd, buf[:]) // EAGAIN: somebody else has
	k.wakeSig.Store(0)
}

// leave leaves a wake to the wait that blocks, as it is level-triggered.
func (k *osPoller) leave() {}

// pwait is epoll_wait. One that blocks keeps the thread's native P at first; package syswait says why.
func (k *osPoller) pwait(events []osEvent, timeoutMS int) (n int, errno unix.Errno) {
	const brief = int(syswait.Brief / 1e6)
	if timeoutMS == 0 {
		return epollPwaitRaw(k.epfd, events, 0)
	}
	if k.sleeps.Keeps() {
		first := brief
		if timeoutMS > 0 {
			first = min(timeoutMS, brief)
		}
		n, errno = epollPwaitRaw(k.epfd, events, first)
		k.sleeps.Kept(n > 0)
		interrupted := errno == unix.EINTR && timeoutMS < 0 // with a limit the caller knows how much is left
		if n > 0 || first == timeoutMS || errno != 0 && !interrupted {
			return n, errno
		}
		timeoutMS = max(timeoutMS-first, -1)
	}
	return epollPwaitLong(k.epfd, events, timeoutMS)
}

// Between Enter and Exit stands nothing but the call: a counter of the coverage tool's, in the function of ours that
// it would be otherwise, needs a native P in builds with the race detector.
//
//go:nosplit
//go:norace
func epollPwaitLong(epfd int, events []osEvent, timeoutMS int) (n int, errno unix.Errno) {
	syswait.Enter()
	r, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd),
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), uintptr(timeoutMS), 0, 0)
	syswait.Exit()
	return int(r), errno
}

// epollPwaitRaw keeps the P.
func epollPwaitRaw(epfd int, events []osEvent, timeoutMS int) (n int, errno unix.Errno) {
	r, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd),
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), uintptr(timeoutMS), 0, 0)
	return int(r), errno
}
