//go:build (amd64 || 386) && !race

// Release stores on processors that keep stores in order.

package atom

func storeRel32(p *uint32, v uint32)    { *p = v }
func storeRelPtr(p *uintptr, v uintptr) { *p = v }
