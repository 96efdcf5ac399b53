//go:build !(amd64 || 386) || race

// Release stores where the processor needs to be told, and where the race detector watches.

package atom

import "sync/atomic"

func storeRel32(p *uint32, v uint32)    { atomic.StoreUint32(p, v) }
func storeRelPtr(p *uintptr, v uintptr) { atomic.StoreUintptr(p, v) }
