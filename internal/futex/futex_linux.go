//go:build linux && !userrt_nofutex

// Wait and Wake as one system call each. The same in Go: runtime/os_linux.go, futexsleep, futexwakeup.

package futex

import (
	"math"
	"unsafe"

	"golang.org/x/sys/unix"
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
// It blocks the calling thread. The call is one that the native scheduler sees, so that it takes the
// sleeper's P back; a raw call would keep the P for as long as the sleep lasts.
func Wait(addr *uint32, val uint32, timeoutNS int64) (woken bool) {
	var ts *unix.Timespec
	if timeoutNS >= 0 {
		t := unix.NsecToTimespec(min(timeoutNS, maxSleepNS))
		ts = &t
	}
	_, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), opWait,
		uintptr(val), uintptr(unsafe.Pointer(ts)), 0, 0)
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
