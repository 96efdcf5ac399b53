// Whether a goroutine is wired to its thread. The same in Go: runtime/runtime2.go, g, its field lockedm, which
// runtime.LockOSThread sets and no public function shows.
//
// Where lockedm stands in a g is found out when the program starts: it is nil, and while its goroutine is wired it
// is the address of the m that runs it, which then stands in a second place of the g. What does not prove to be so
// with each of a few goroutines is not used, and Wired is then true of everybody.

package getg

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

var wiredAt uintptr // offset of lockedm in a g; 0: not known

func init() { wiredAt = discoverWired() }

// Wired reports whether the calling goroutine is wired to its thread: by runtime.LockOSThread, or because C has called
// it. Where nobody can tell it is true.
func Wired() bool {
	return wiredAt == 0 || atomic.LoadUintptr((*uintptr)(field(Get(), wiredAt))) != 0
}

// KnowsWired reports whether Wired can tell.
func KnowsWired() bool { return wiredAt != 0 }

type gWords [searchedBytes / unsafe.Sizeof(uintptr(0))]uintptr

// read reads the calling goroutine's g.
//
//go:norace
//go:nocheckptr
func (w *gWords) read() {
	g := Get()
	for i := range w {
		w[i] = atomic.LoadUintptr((*uintptr)(field(g, uintptr(i)*unsafe.Sizeof(uintptr(0)))))
	}
}

// discoverWired returns the offset of lockedm, 0 if it can't be sure of it.
func discoverWired() uintptr {
	if !hasG {
		return 0
	}
	found := uintptr(0)
	for range probes {
		at := make(chan uintptr)
		go func() { at <- probeWired() }() // not on the caller's goroutine: during init that is wired
		switch off := <-at; {
		case off == 0, found != 0 && off != found:
			return 0
		default:
			found = off
		}
	}
	return found
}

// probeWired is discoverWired by the goroutine that calls it.
func probeWired() (at uintptr) {
	var before, wired, after gWords
	before.read()
	runtime.LockOSThread()
	wired.read()
	runtime.UnlockOSThread()
	after.read()
	for i, m := range wired {
		if m == 0 || before[i] != 0 || after[i] != 0 {
			continue
		}
		n := 0
		for _, w := range wired {
			if w == m {
				n++
			}
		}
		if n != 2 { // g.m and g.lockedm
			continue
		}
		if at != 0 {
			return 0 // two places
		}
		at = uintptr(i) * unsafe.Sizeof(m)
	}
	return at
}
