//go:build linux && !userrt_nofutex

// Wait and Wake as one system call each. The same in Go: runtime/os_linux.go, futexsleep, futexwakeup.

package futex

import (
	"math"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/syswait"
)

// Kernel tells that sleeps are the kernel's; elsewhere one with a limit allocates a timer.
const Kernel = true

const (
	opWait = 0 | opPrivate // FUTEX_WAIT
	opWake = 1 | opPrivate // FUTEX_WAKE

	opPrivate = 128 // FUTEX_PRIVATE_FLAG: no other process shares the word

	// maxSleepNS keeps the seconds within the 32 bits that this call takes on 386 and arm (64 years).
	maxSleepNS = math.MaxInt32 * int64(1e9)
)

// Wait sleeps while *addr is val, until a Wake for addr or for timeoutNS nanoseconds; a negative
// time-out means for ever. It returns false when the time is up, true otherwise: after a Wake, when
// *addr was not val, or for no reason.
//
// It blocks the calling thread, which at first keeps its native P; package syswait says why.
func Wait(addr *uint32, val uint32, timeoutNS int64) (woken bool) {
	var fresh syswait.Habit
	return WaitAs(&fresh, addr, val, timeoutNS)
}

// WaitAs is Wait for one who sleeps often: h, which it has for all its sleeps, tells whether this one keeps the P at first.
func WaitAs(h *syswait.Habit, addr *uint32, val uint32, timeoutNS int64) (woken bool) {
	if h.Keeps() {
		brief := syswait.Brief
		if timeoutNS >= 0 {
			brief = min(brief, timeoutNS)
		}
		errno := sleepBriefly(addr, val, brief)
		inTime := errno != unix.ETIMEDOUT && errno != unix.EINTR
		if timeoutNS != 0 {
			h.Kept(inTime)
		}
		switch {
		case inTime:
			return true
		case timeoutNS < 0:
		case errno == unix.EINTR:
			return true // the caller knows how much of its time is left
		case timeoutNS == brief:
			return false
		default:
			timeoutNS -= brief
		}
	}
	return sleep(addr, val, timeoutNS)
}

// sleepBriefly sleeps for up to ns, and keeps the P.
func sleepBriefly(addr *uint32, val uint32, ns int64) unix.Errno {
	ts := unix.NsecToTimespec(ns)
	_, _, errno := unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), opWait,
		uintptr(val), uintptr(unsafe.Pointer(&ts)), 0, 0)
	return errno
}

// sleep gives the P away. A negative ns means for ever.
//
//go:nosplit
//go:norace
func sleep(addr *uint32, val uint32, ns int64) (woken bool) {
	var ts unix.Timespec
	var p *unix.Timespec // nil is for ever
	if ns >= 0 {
		ts = unix.NsecToTimespec(min(ns, maxSleepNS))
		p = &ts
	}
	syswait.Enter()
	_, _, errno := unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), opWait,
		uintptr(val), uintptr(unsafe.Pointer(p)), 0, 0)
	syswait.Exit()
	return errno != unix.ETIMEDOUT
}

// Wake wakes up to n threads that sleep in Wait for addr and returns how many there were. It does not
// block or allocate.
func Wake(addr *uint32, n int) (woken int) {
	n = min(n, math.MaxInt32)
	r, _, errno := unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), opWake,
		uintptr(n), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(r)
}
