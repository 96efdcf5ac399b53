package hchan

import (
	"fmt"
	"unsafe"

	"github.com/userrt/userrt/sched"
)

// What dumps tell of a channel on which a task waits.

func init() {
	sched.DescribeWaits(describe, sched.WaitReasonChanReceive, sched.WaitReasonChanSend)
}

// describe is a sched.Describer. lock is the first field of a channel. dataqsiz never changes and the others are atomic words.
func describe(lock unsafe.Pointer) (what string, owner uint64) {
	c := (*hchan)(lock)
	closed := ""
	if c.closed.load() != 0 {
		closed = " closed"
	}
	return fmt.Sprintf("chan %#x cap %d len %d%s", uintptr(lock), c.dataqsiz, c.qcount.load(), closed), 0
}
