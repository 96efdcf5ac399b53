// Command stop lets pairs of threads wake each other by futex(2) while the world is stopped again and again. It has no
// timer. Its argument says how the threads sleep: "native", in a plain system call, or "futex", by the package of that name.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/userrt/userrt/internal/futex"
)

const (
	pairs       = 4
	collections = 100
)

var sleeps = map[string]func(word *uint32){
	"native": func(word *uint32) {
		const waitPrivate = 128
		_, _, _ = syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(word)), waitPrivate, 0, 0, 0, 0)
	},
	"futex": func(word *uint32) { futex.Wait(word, 0, -1) },
}

func main() {
	sleep := sleeps[os.Args[1]]
	for range pairs {
		a, b := new(atomic.Uint32), new(atomic.Uint32)
		a.Store(1)
		go take(a, b, sleep)
		go take(b, a, sleep)
	}
	for range collections {
		runtime.GC()
	}
	fmt.Println("done")
}

// take waits for its turn and gives it to the other, for ever.
func take(mine, other *atomic.Uint32, sleep func(*uint32)) {
	runtime.LockOSThread()
	for {
		word := (*uint32)(unsafe.Pointer(mine))
		for mine.Load() == 0 {
			sleep(word)
		}
		mine.Store(0)
		other.Store(1)
		futex.Wake((*uint32)(unsafe.Pointer(other)), 1)
	}
}
