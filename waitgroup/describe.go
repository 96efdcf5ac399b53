package waitgroup

import (
	"fmt"
	"unsafe"

	"github.com/userrt/userrt/sched"
)

// What dumps tell of a WaitGroup on which a task waits.

func init() { sched.DescribeWaits(describe, sched.WaitReasonWaitGroupWait) }

// describe is a sched.Describer.
func describe(lock unsafe.Pointer) (what string, owner uint64) {
	at := unsafe.Offsetof(WaitGroup{}.lock)
	wg := (*WaitGroup)(unsafe.Add(lock, -int(at)))
	state := wg.state.Load()
	return fmt.Sprintf("WaitGroup %#x counter %d waiters %d", uintptr(unsafe.Pointer(wg)), counter(state), uint32(state)), 0
}
