//go:build race

// Loads that the race detector does not see, where it watches.

package atom

//go:norace
func peek32(p *uint32) uint32 { return *p }
