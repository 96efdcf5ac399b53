//go:build !userrt_nofence

// The service on Linux: membarrier(2), since 4.14.

package fence

import "golang.org/x/sys/unix"

// Exists reports whether the service may come to exist here.
const Exists = true

const (
	membarrierPrivateExpedited         = 1 << 3
	membarrierRegisterPrivateExpedited = 1 << 4
)

// request registers the process. In a process of several threads the kernel waits for all processors
// to pass a quiescent state, hence the goroutine.
func request() {
	go func() {
		if _, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, membarrierRegisterPrivateExpedited, 0, 0); errno == 0 {
			ready.Store(true)
		}
	}()
}

// Heavy is the fence of the rare side. It returns false, having done nothing, when the service has
// not been granted.
func Heavy() bool {
	_, _, errno := unix.RawSyscall(unix.SYS_MEMBARRIER, membarrierPrivateExpedited, 0, 0)
	return errno == 0
}
