//go:build (amd64 || arm64 || 386 || riscv64) && !userrt_goroutine && !userrt_nogetg

// The canary's checks of swaps, thread locks and of what a goroutine keeps.

package coro

import (
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/getg"
	"github.com/userrt/userrt/internal/thread"
)

func checkFound(t *testing.T) {
	one, other := new(uintptr), new(uintptr)
	_, ok := findCoro(func() (void, bool) { return void{}, *one == *other }, getg.Get())
	require.False(t, ok, "in another closure")
	_, _, ok = findSwitch(getg.Get()) // where this goroutine went on the last time
	require.False(t, ok, "in a goroutine that has not left by it")
	require.NoError(t, learn())
	require.NotZero(t, coroswitch)
}

func checkLazy(t *testing.T) {
	ran := false
	h := dig(func() { ran = true })
	for range 100 {
		runtime.Gosched()
	}
	require.False(t, ran)
	h.enter()
	require.True(t, ran)
}

// checkSwap goes the way of the table in the package comment and back.
func checkSwap(t *testing.T) {
	var way []string
	at := func(who string) { way = append(way, who) }
	var one, two *hole
	one = dig(func() {
		at("a")
		two.enter()
		at("a by b's own cell")
		one.enter()
	})
	two = dig(func() {
		at("b by a")
		one.enter() // no cell of b's
		at("b by g0, of a's cell")
		two.enter()
	})
	at("g0")
	one.enter()
	at("g0 by b, of a's cell")
	one.enter()
	at("g0 by a")
	require.Equal(t, []string{
		"g0", "a", "b by a", "g0 by b, of a's cell", "b by g0, of a's cell",
		"a by b's own cell", "g0 by a",
	}, way)
}

// A party is one of some stacks that swap with each other.
type party struct {
	in *hole // where it lies
}

func (me *party) swap(to *party) {
	h := to.in
	me.in = h
	h.enter()
}

// mingle lets n stacks and the caller swap at random. Whoever runs calls look with its number; what is not
// 0 comes back as the result.
func mingle(n, swaps int, look func(who int) (fault int)) (faults int) {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	all := make([]*party, n+1)
	for i := range all {
		all[i] = &party{}
	}
	running := n
	goOn := func(me int) {
		to := r.IntN(n + 1)
		if swaps--; swaps < 0 {
			to = n
		}
		if to != me {
			running = to
			all[me].swap(all[to])
		}
		if running != me {
			faults++
		}
		faults += look(me)
	}
	for i := range n {
		all[i].in = dig(func() {
			for {
				goOn(i)
			}
		})
	}
	for swaps >= 0 {
		goOn(n)
	}
	return faults
}

func checkPermute(t *testing.T) {
	for n := 2; n <= 7; n++ {
		require.Zero(t, mingle(n, 10_000, func(int) int { return 0 }), "somebody else runs than lay in the cell")
	}
}

// A diver swaps at each depth of its stack.
type diver struct {
	h            *hole
	left, faults int
}

// dive has no argument but in a global, so that its frame ends with what it keeps.
//
//go:noinline
func dive() {
	a, b, c, d := diving.left, diving.left+1, diving.left+2, diving.left+3
	diving.h.enter()
	if a != diving.left || b-a != 1 || c-a != 2 || d-a != 3 {
		diving.faults++
	}
	if diving.left--; diving.left > 0 {
		dive()
	}
}

var diving diver

// checkFrame swaps where the stack has to grow, or its goroutine is preempted, on the way into the switch. The runtime then saves arguments,
// for which a caller without arguments has left no room.
func checkFrame(t *testing.T) {
	for _, code = range []uintptr{code, byCoroswitch()} {
		diving = diver{left: 10_000}
		diving.h = dig(func() {
			for diving.left > 0 {
				diving.h.enter()
			}
		})
		done := make(chan void)
		go func() { // whose stack is small
			defer close(done)
			dive()
			diving.h.enter() // it ends
		}()
		<-done
		require.Zero(t, diving.faults)
	}
}

func checkUnlocked(t *testing.T) {
	runtime.LockOSThread()
	const n = 1000
	rounds := 0
	var h *hole
	unlocked(func() {
		h = dig(func() {
			runtime.LockOSThread()
			for range n {
				rounds++
				unlocked(func() { h.enter() })
			}
			runtime.UnlockOSThread()
		})
	})
	for range n {
		unlocked(func() { h.enter() })
	}
	require.Equal(t, n, rounds)
	unlocked(func() { h.enter() }) // it ends
}

func unlocked(f func()) {
	runtime.UnlockOSThread()
	f()
	runtime.LockOSThread()
}

func checkLockedIn(*testing.T) {
	h := dig(func() {})
	runtime.LockOSThread()
	h.enter()
}

func checkLockedOut(*testing.T) {
	var h *hole
	h = dig(func() {
		runtime.LockOSThread()
		h.enter()
	})
	h.enter()
}

func checkThreads(t *testing.T) {
	const workers, rounds = 4, 100
	threads := map[int]bool{}
	var h *hole
	h = dig(func() {
		runtime.LockOSThread()
		for {
			threads[thread.ID()] = true
			unlocked(func() { h.enter() })
		}
	})
	var turn [workers]chan int
	for i := range turn {
		turn[i] = make(chan int)
	}
	over := make(chan bool)
	for i := range turn {
		go func() {
			runtime.LockOSThread()
			for n := range turn[i] {
				unlocked(func() { h.enter() })
				if n == 0 {
					close(over)
					return
				}
				turn[(i+1)%workers] <- n - 1
			}
		}()
	}
	turn[0] <- rounds
	<-over
	if thread.Exists { // else it has not died, at least
		require.Greater(t, len(threads), 1, "threads on which it ran")
	}
}

func checkIdentity(t *testing.T) {
	const n = 5
	type who struct {
		g  uintptr
		id uint64
	}
	var first [n + 1]who
	looks := 0
	faults := mingle(n, 3000, func(i int) (fault int) {
		looks++
		if looks%100 == 0 {
			runtime.GC()
		}
		grow(looks%200, 0)
		switch now := (who{getg.Get(), getg.Goid()}); first[i] {
		case who{}:
			first[i] = now
		case now:
		default:
			fault = 1
		}
		return fault
	})
	require.Zero(t, faults)
	seen := map[uintptr]bool{}
	for _, w := range first {
		require.False(t, w.g == 0 || seen[w.g], "%v", first)
		seen[w.g] = true
	}
}

func checkKept(t *testing.T) {
	const n = 1000
	ended := map[uintptr]uint64{}
	batch := func(n int, body func(*hole)) {
		all := make([]*hole, n)
		for i := range all {
			all[i] = dig(func() { body(all[i]) })
			all[i].enter()
		}
		for _, h := range all {
			h.enter()
		}
	}
	batch(n, func(h *hole) {
		ended[getg.Get()] = getg.Goid()
		h.enter()
	})
	require.Greater(t, len(ended), n/2)
	for range 3 {
		runtime.GC() // frees the stacks of ended goroutines
		debug.FreeOSMemory()
	}
	for g, id := range ended {
		is, known := getg.Ended(g, id)
		require.True(t, is && known, "%#x %d", g, id)
	}
	again := 0
	batch(n, func(h *hole) {
		if id, ok := ended[getg.Get()]; ok && id != getg.Goid() {
			again++
		}
		h.enter()
	})
	require.Greater(t, again, n/2, "new goroutines with the g of an ended one")
}

func checkNative(t *testing.T) {
	ask, answer := make(chan int), make(chan int)
	go func() {
		for v := range ask {
			runtime.Gosched()
			answer <- v + 1
		}
	}()
	sum := 0
	var h *hole
	h = dig(func() {
		runtime.LockOSThread()
		for i := range 100 {
			ask <- i
			time.Sleep(time.Microsecond)
			sum += <-answer
			unlocked(func() { h.enter() })
		}
	})
	for range 100 {
		h.enter()
	}
	require.Equal(t, 5050, sum)
	close(ask)
}
