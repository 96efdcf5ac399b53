//go:build (amd64 || arm64) && !race && !userrt_goroutine && !userrt_nogetg

// Where runtime.coroswitch may be left out as well. All it does is to put the coroutine into the caller's g and to
// call runtime.mcall with the function that does the rest, coroswitch_m; and it is one return more that crosses the switch. Where
// these three are, decode reads off its code. What does not look as it should, or does not name these functions, is not used: then
// runtime.coroswitch stays in between.
//
// Two things that coroswitch does besides are left out. It looks whether the stack must grow; mcall needs none of it to speak of, so it can be
// jumped to. And it has a write barrier, which nobody misses: the way holds the coroutine too, until coroswitch_m has taken it
// out of the g.

package coro

import (
	"iter"
	"runtime"
	"unsafe"
)

// Read by the assembly code.
var (
	mcall       uintptr
	coroswitchM uintptr // a function value
	coroarg     uintptr // offset in a g
)

// byMcall returns the address of the code that jumps to runtime.mcall.
func byMcall() uintptr

// learnMore finds these, and makes use of them; pc is where a goroutine goes on that has left by coroswitch.
func learnMore(pc uintptr) {
	if m, f, arg, ok := decode(codeBefore(pc), pc); ok && names(m, f, arg) {
		mcall, coroswitchM, coroarg = m, f, arg
		code = byMcall()
	}
}

//go:norace
//go:nocheckptr
func codeBefore(pc uintptr) callCode {
	pc -= unsafe.Sizeof(callCode{})
	return **(**callCode)(unsafe.Pointer(&pc))
}

// names reports whether the three are what they are taken for.
func names(m, f, arg uintptr) bool {
	return begins(m, "runtime.mcall") && begins(word(f, 0), "runtime.coroswitch_m") && isCoroarg(arg)
}

// begins reports whether the function called name begins at pc.
func begins(pc uintptr, name string) bool {
	f := runtime.FuncForPC(pc)
	return f != nil && f.Name() == name && f.Entry() == pc
}

// isCoroarg reports whether at this offset in the g of a coroutine that has not begun stands its coroutine: there runtime/coro.go, newcoro,
// has put it.
func isCoroarg(off uintptr) bool {
	next, stop := iter.Pull(func(func(struct{}) bool) {})
	defer stop()
	c := coroOf(next)
	return off < 60*wordSize && word(*(*uintptr)(c), off) == uintptr(c)
}
