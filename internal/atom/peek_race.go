//go:build race

// Loads that the race detector does not see, where it watches.

package atom

import "unsafe"

//go:norace
func peek32(p *uint32) uint32 { return *p }

//go:norace
func peekPointer(p *unsafe.Pointer) unsafe.Pointer { return *p }
