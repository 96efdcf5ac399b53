// Package floor measures what the machine takes for the operations on which the rest is built: the bare switch of two
// stacks, a locked instruction, a system call. What is built of them can't cost less than they do, so they say how far from the
// possible a result is.
//
// Each operation is run in the form in which this module has it, by package coro, futex or rawlock, without a scheduler around. The
// runtime's own tests do the same for locked instructions: internal/runtime/atomic/bench_test.go, BenchmarkXadd.
package floor

import (
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/rawlock"
)

// Op is an operation.
type Op struct {
	Name string // a word
	Doc  string // one line: what one of it is

	// Run does it n times, n above 0, and returns how long that took, without what had to be prepared. The error is
	// errors.ErrUnsupported where the system or the build has no such thing.
	Run func(n int) (time.Duration, error)
}

// CopySize is how many bytes one "copy" moves.
const CopySize = 1024

// MessageSize is how many bytes one "rw" moves, BlockSize one "block".
const (
	MessageSize = 64
	BlockSize   = 64 << 10
)

// Ops returns all operations, in the order in which they are to be shown.
func Ops() []Op {
	return []Op{
		{"swap", "one switch from a stack to another, on one thread and without a scheduler", swap},
		{"self", "finding the calling stack", self},
		{"cas", "a compare-and-swap that succeeds, in a cache line that nobody else has", cas},
		{"lock", "Lock and Unlock of the lock inside the scheduler and the channels, that nobody else wants", lock},
		{"closure", "allocating a closure that captures three words", closure},
		{"copy", "copying 1 KiB that is in the cache", copyKiB},
		{"clock", "reading the clock", readClock},
		{"line", "a cache line on its way from one processor to another that waits for it", line},
		{"futex", "a thread wakes another that sleeps in the kernel, and sleeps until that has woken it", futexPingPong},
		{"late", "how much later than it should a sleep of 100 µs in the kernel ends", late},
		{"epoll", "asking the kernel which connections have something to read, when one has", epoll},
		{"rw", "writing 64 bytes to a loopback connection and reading them from its other end", readWrite},
		{"block", "the same with 64 KiB", block},
		{"conn", "a loopback connection made, accepted and reset", conn},
	}
}

// since returns the time from start, a clock.Nanotime; it is never 0.
func since(start int64) time.Duration { return time.Duration(max(clock.Nanotime()-start, 1)) }

// bound calls f on a goroutine that is a stack of package coro.
func bound(f func(g0 *coro.Stack)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		g0 := new(coro.Stack)
		coro.Bind(g0)
		defer coro.Unbind(g0)
		f(g0)
	}()
	<-done
}

// swap lets two stacks switch to each other. The way in and out again is two switches more, of which one is counted.
func swap(n int) (took time.Duration, err error) {
	bound(func(g0 *coro.Stack) {
		var st [2]coro.Stack
		left, over := n, false
		body := func(me, other *coro.Stack) {
			for left > 0 {
				left--
				coro.Switch(me, other)
			}
			if !over { // the other one is still in its loop
				over = true
				coro.Switch(me, g0)
			}
			coro.Switch(me, g0) // comes back to be buried
		}
		coro.New(&st[0], func(me *coro.Stack) { body(me, &st[1]) })
		coro.New(&st[1], func(me *coro.Stack) { body(me, &st[0]) })
		start := clock.Nanotime()
		coro.Switch(g0, &st[0])
		took = since(start)
		for i := range st {
			coro.Clear(g0, &st[i])
			coro.Switch(g0, &st[i])
			coro.Bury(g0, &st[i])
		}
	})
	return took, nil
}

var errLost = errors.New("floor: a stack was not found")

func self(n int) (took time.Duration, err error) {
	bound(func(*coro.Stack) {
		start := clock.Nanotime()
		for range n {
			if coro.Self() == nil {
				err = errLost
			}
		}
		took = since(start)
	})
	return took, err
}

func cas(n int) (time.Duration, error) {
	var line struct {
		_    [64]byte
		word atomic.Uint64
		_    [64]byte
	}
	start := clock.Nanotime()
	for i := range uint64(n) {
		if !line.word.CompareAndSwap(i, i+1) {
			return 0, errors.New("floor: a compare-and-swap has failed")
		}
	}
	return since(start), nil
}

func lock(n int) (time.Duration, error) {
	mu := new(rawlock.Mutex)
	sum := 0
	start := clock.Nanotime()
	for range n {
		mu.Lock()
		sum++
		mu.Unlock()
	}
	took := since(start)
	if sum != n {
		return 0, errors.New("floor: a lock has let something be lost")
	}
	return took, nil
}

// made is where closures go that have to be on the heap.
var made func() int

func closure(n int) (time.Duration, error) {
	start := clock.Nanotime()
	for i := range n {
		made = newClosure(i, n, start)
	}
	took := since(start)
	if made() != n-1 {
		return 0, errors.New("floor: a closure has lost what it captured")
	}
	made = nil
	return took, nil
}

//go:noinline
func newClosure(i, n int, start int64) func() int {
	return func() int {
		if start == 0 {
			return n
		}
		return i
	}
}

func copyKiB(n int) (time.Duration, error) {
	from, to := make([]byte, CopySize), make([]byte, CopySize)
	start := clock.Nanotime()
	for i := range n {
		from[i%CopySize]++ // so that one copy is not another's
		copy(to, from)
	}
	took := since(start)
	if to[(n-1)%CopySize] == 0 && n < 256 {
		return 0, errors.New("floor: a copy is not like the original")
	}
	return took, nil
}

func readClock(n int) (time.Duration, error) {
	start := clock.Nanotime()
	var last int64
	for range n {
		last = clock.Nanotime()
	}
	took := since(start)
	if last < start {
		return 0, errors.New("floor: the clock went backwards")
	}
	return took, nil
}

// line sends a number there and back between two threads: n ways in all, or n-1 if n is odd, at least one there and back. On one processor there is no
// such way.
func line(n int) (time.Duration, error) {
	if runtime.NumCPU() < 2 {
		return 0, errors.ErrUnsupported
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	trips := uint64(max(n/2, 1))
	var shared struct {
		_    [64]byte
		word atomic.Uint64 // odd: it is the other's turn
		_    [64]byte
	}
	// turn moves word from every second value on to the next, and gives way now and then, in case the other has no processor.
	turn := func(from uint64) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for i := from; i < 2*trips; i += 2 {
			for spins := 1; shared.word.Load() != i; spins++ {
				if spins%(1<<16) == 0 {
					runtime.Gosched()
				}
			}
			shared.word.Store(i + 1)
		}
	}
	answered := make(chan struct{})
	go func() { turn(1); close(answered) }()
	took := make(chan time.Duration)
	go func() {
		start := clock.Nanotime()
		turn(0)
		<-answered
		took <- since(start)
	}()
	d := <-took
	return d * time.Duration(n) / time.Duration(2*trips), nil
}
