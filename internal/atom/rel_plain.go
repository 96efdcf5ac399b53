//go:build (amd64 || 386) && !race

// Release stores on processors that keep stores in order.

package atom

// Plain reports whether a plain store is a release store, and the race detector, which would not know, is not there.
const Plain = true

func storeRel32(p *uint32, v uint32)    { *p = v }
func storeRelPtr(p *uintptr, v uintptr) { *p = v }
