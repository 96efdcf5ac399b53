//go:build (amd64 || arm64 || 386 || riscv64) && !userrt_goroutine && !userrt_nogetg

// How two stacks change places: the call of the runtime's that iter.Pull is made of, without iter.Pull around it.
//
// iter.Pull keeps its coroutine to itself. Its next and yield see to it that they alternate, and carry a value, a panic or a
// Goexit from one side to the other; nobody here needs that, and it takes a quarter of the time (docs/performance.md, "The
// switch without its wrapping"). What makes the switch is runtime/coro.go, coroswitch, which the linker keeps from everybody but
// package iter. So its address is read off a goroutine that has just left by it, and the coroutine's out of next, when
// the program starts. Either is asked for by what it must be: a function of that name; a word that points to the g of
// the goroutine that lies there. Should one of them not be found, learn says so, and nothing here can be used.

package coro

import (
	"errors"
	"iter"
	"runtime"
	"unsafe"

	"github.com/userrt/userrt/internal/getg"
)

// What learn has found out.
var (
	coroswitch uintptr // where runtime.coroswitch begins
	coroAt     uintptr // where in the closure that next is the address of the runtime.coro stands
)

// A way leads into a runtime.coro. It is laid out as a closure that captures that alone, so its address is a function value: whoever calls it
// runs code, which finds there what it has captured.
type way struct {
	code uintptr
	coro unsafe.Pointer
}

func (w *way) set(coro unsafe.Pointer) { w.code, w.coro = code, coro }

// swap returns the function that makes its caller change places with who lies there.
func (w *way) swap() func() { return *(*func())(unsafe.Pointer(&w)) }

// code is that of all ways.
var code = byCoroswitch()

// byCoroswitch returns the code of a way that calls runtime.coroswitch.
func byCoroswitch() uintptr {
	f := throughCoroswitch(nil)
	return **(**uintptr)(unsafe.Pointer(&f))
}

// throughCoroswitch is not inlined, or what it returns would not capture coro.
//
// It calls. To jump there would spare a return, but coroswitch may be preempted before it has begun, and keeps its
// argument meanwhile where a caller with an argument has left room for that. Ours has none.
//
//go:noinline
func throughCoroswitch(coro unsafe.Pointer) func() {
	return func() {
		depart(coro)
		f := &coroswitch
		(*(*func(unsafe.Pointer))(unsafe.Pointer(&f)))(coro)
		arrive(coro)
	}
}

const wordSize = unsafe.Sizeof(uintptr(0))

var (
	errNoSwitch = errors.New("runtime.coroswitch was not found in a goroutine that has left by it")
	errNoCoro   = errors.New("the coroutine was not found in what iter.Pull returns")
)

// learn finds out what the variables above are for.
func learn() error {
	result := make(chan error)
	go func() { // not on the caller's goroutine: during init that is wired
		var err error
		var next func() (struct{}, bool)
		left := getg.Get()
		next, _ = iter.Pull(func(func(struct{}) bool) { err = learnFrom(next, left) })
		next()
		result <- err
	}()
	return <-result
}

// learnFrom does so on a coroutine, which next has entered: left, the g of who has called next, lies there.
func learnFrom(next func() (struct{}, bool), left uintptr) error {
	at, ok := findCoro(next, left)
	if !ok {
		return errNoCoro
	}
	pc, entry, ok := findSwitch(left)
	if !ok {
		return errNoSwitch
	}
	coroAt, coroswitch = at, entry
	learnMore(pc)
	return nil
}

// findCoro returns where in the closure that next is the coroutine stands in which left lies.
func findCoro(next func() (struct{}, bool), left uintptr) (at uintptr, ok bool) {
	closure := *(*uintptr)(unsafe.Pointer(&next))
	for at = wordSize; at <= 2*wordSize; at += wordSize { // it captures two words, both addresses
		if word(word(closure, at), 0) == left {
			return at, true
		}
	}
	return 0, false
}

// findSwitch returns where left, which has left by runtime.coroswitch, goes on, and where that function begins.
func findSwitch(left uintptr) (pc, entry uintptr, ok bool) {
	for at := uintptr(0); at < 16*wordSize; at += wordSize { // g.sched.pc is the ninth
		pc = word(left, at)
		if f := runtime.FuncForPC(pc); f != nil && f.Name() == "runtime.coroswitch" {
			return pc, f.Entry(), true
		}
	}
	return 0, 0, false
}

// coroOf returns the runtime.coro of next.
func coroOf(next func() (struct{}, bool)) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Add(*(*unsafe.Pointer)(unsafe.Pointer(&next)), coroAt))
}

// word reads the word at addr+off, which must be memory of the program's.
//
//go:norace
//go:nocheckptr
func word(addr, off uintptr) uintptr {
	return *(*uintptr)(unsafe.Add(*(*unsafe.Pointer)(unsafe.Pointer(&addr)), off))
}
