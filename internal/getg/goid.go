// The native id of a goroutine, and whether it has ended: a g is handed on from an ended goroutine to a
// new one, its id never. The same in Go: runtime/runtime2.go, g, its fields goid and atomicstatus.
//
// Where goid stands in a g is found out when the program starts, by comparing the g of a few coroutines
// with the ids that the head of their tracebacks tells; atomicstatus is known to stand before it. What
// does not prove to be so is not used: Goid then reads a traceback each time, and Ended knows nothing.

package getg

import (
	"iter"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// The states that Ended has to know. The same in Go: runtime/runtime2.go, _Grunning, _Gwaiting, _Gdead,
// _Gscan.
const (
	stRunning = 2
	stWaiting = 4
	stDead    = 6
	stScan    = 0x1000 // set while the collector looks at the stack
)

const (
	searchedBytes = 256 // where goid is looked for: far less than a g is long
	statusBack    = 8   // how far before goid atomicstatus stands, a uint32 with another behind it
	probes        = 8   // how many coroutines are compared
)

var (
	goidAt   uintptr // offset of goid in a g; 0: not known
	statusAt uintptr // offset of atomicstatus; 0: not known
)

func init() {
	for range 3 { // a probe that has ended may become somebody else's in no time
		if goidAt, statusAt = discover(); statusAt != 0 || !hasG {
			break
		}
	}
}

// Goid returns the calling goroutine's id, the one in its traceback: 3 to 4 ns, or a microsecond where it has to
// be read from one.
func Goid() uint64 {
	if goidAt == 0 {
		return parseGoid()
	}
	return *(*uint64)(field(Get(), goidAt))
}

// Ended reports whether the goroutine whose Get was g and whose Goid was goid has ended; known is false
// where nobody can tell. One that ends just now, or whose g has just become another's, may still be taken
// for alive; never the other way round.
func Ended(g uintptr, goid uint64) (ended, known bool) {
	if statusAt == 0 {
		return false, false
	}
	return loadGoid(g, goidAt) != goid || loadStatus(g, statusAt) == stDead, true
}

// field returns the address of what stands at offset in g, which the runtime never frees.
//
//go:nocheckptr
func field(g, offset uintptr) unsafe.Pointer {
	return unsafe.Add(*(*unsafe.Pointer)(unsafe.Pointer(&g)), offset)
}

// loadGoid reads the id in any g. In two halves: on 32-bit processors it is not aligned for a 64-bit load.
// Halves of two ids are neither of them, and then the first has ended.
func loadGoid(g, at uintptr) uint64 {
	halves := (*[2]uint32)(field(g, at))
	a, b := uint64(atomic.LoadUint32(&halves[0])), uint64(atomic.LoadUint32(&halves[1]))
	if bigEndian {
		a, b = b, a
	}
	return a | b<<32
}

var bigEndian = func() bool {
	one := uint16(1)
	return *(*byte)(unsafe.Pointer(&one)) == 0
}()

func loadStatus(g, at uintptr) uint32 {
	return atomic.LoadUint32((*uint32)(field(g, at))) &^ stScan
}

// probe is a coroutine that tells its g and id and waits.
type probe struct {
	g    uintptr
	goid uint64
	next func() (struct{}, bool)
}

func newProbe() *probe {
	p := &probe{}
	p.next, _ = iter.Pull(func(yield func(struct{}) bool) {
		p.g, p.goid = Get(), parseGoid()
		yield(struct{}{})
	})
	p.next()
	return p
}

// discover returns the two offsets, 0 for what it can't be sure of. Coroutines are good to probe with
// since they end when told so: next returns from the last call when _Gdead is set.
func discover() (goidAt, statusAt uintptr) {
	if !hasG {
		return 0, 0
	}
	var all [probes]*probe
	for i := range all {
		all[i] = newProbe()
	}
	for at := uintptr(statusBack); at < searchedBytes; at += unsafe.Sizeof(uintptr(0)) {
		if !holdsGoid(all[:], at) {
			continue
		}
		if goidAt != 0 {
			goidAt = 0 // two places
			break
		}
		goidAt = at
	}
	ok := goidAt != 0 && loadGoid(Get(), goidAt) == parseGoid()
	if !ok {
		goidAt = 0
	} else {
		statusAt = goidAt - statusBack
		ok = loadStatus(Get(), statusAt) == stRunning && haveStatus(all[:], statusAt, stWaiting)
	}
	for _, p := range all {
		p.next()
	}
	if !ok || !haveStatus(all[:], statusAt, stDead) {
		statusAt = 0
	}
	return goidAt, statusAt
}

func holdsGoid(all []*probe, at uintptr) bool {
	for _, p := range all {
		if loadGoid(p.g, at) != p.goid {
			return false
		}
	}
	return true
}

func haveStatus(all []*probe, at uintptr, status uint32) bool {
	for _, p := range all {
		if loadStatus(p.g, at) != status {
			return false
		}
	}
	return true
}

// buffers, since one on the stack would escape to the heap at each call.
var buffers = sync.Pool{New: func() any { return new([40]byte) }}

// parseGoid reads the calling goroutine's id from the head line of its traceback, "goroutine 7 [running]:",
// the only public source.
func parseGoid() (id uint64) {
	buf := buffers.Get().(*[40]byte)
	defer buffers.Put(buf)
	n := runtime.Stack(buf[:], false)
	for _, c := range buf[len("goroutine "):n] {
		if c < '0' || c > '9' {
			break
		}
		id = id*10 + uint64(c-'0')
	}
	return id
}
