//go:build !race

// Loads that the race detector does not see, where it does not watch.

package atom

import (
	"sync/atomic"
	"unsafe"
)

func peek32(p *uint32) uint32 { return atomic.LoadUint32(p) }

func peekPointer(p *unsafe.Pointer) unsafe.Pointer { return atomic.LoadPointer(p) }
