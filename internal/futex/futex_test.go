package futex

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/patience"
	"github.com/userrt/userrt/internal/syswait"
)

var limit = patience.Times(30 * time.Second)

// sleepAll starts n goroutines that each sleep until *addr is not 0, and returns a function that
// reports how many still do.
func sleepAll(addr *uint32, n int) (asleep func() int) {
	var left atomic.Int64
	left.Store(int64(n))
	for range n {
		go func() {
			for atomic.LoadUint32(addr) == 0 {
				Wait(addr, 0, -1)
			}
			left.Add(-1)
		}()
	}
	return func() int { return int(left.Load()) }
}

// wakeExactly calls Wake until it has found n sleepers one after the other. Callers keep the word as it
// is, so the woken ones go back to sleep.
func wakeExactly(t *testing.T, addr *uint32, n int) {
	t.Helper()
	woken := 0
	require.Eventually(t, func() bool {
		got := Wake(addr, 1)
		require.LessOrEqual(t, got, 1)
		woken += got
		return woken >= n
	}, limit, time.Millisecond)
}

func TestWaitReturnsAtOnceWhenWordDiffers(t *testing.T) {
	word := uint32(7)
	require.True(t, Wait(&word, 6, -1))
	require.True(t, Wait(&word, 6, 0))
}

func TestWaitTimesOut(t *testing.T) {
	word := new(uint32)
	for _, ns := range []int64{0, 1, int64(time.Millisecond)} {
		// Spurious returns are allowed; a time-out has to come in the end.
		require.Eventually(t, func() bool { return !Wait(word, 0, ns) }, limit, time.Microsecond)
	}
	require.Zero(t, Wake(word, 1), "who timed out is in no queue")
}

func TestWaitWithHugeTimeoutIsWoken(t *testing.T) {
	word := new(uint32)
	done := make(chan bool)
	go func() {
		woken := true
		for atomic.LoadUint32(word) == 0 && woken {
			woken = Wait(word, 0, 1<<63-1)
		}
		done <- woken
	}()
	wakeExactly(t, word, 1)
	atomic.StoreUint32(word, 1)
	Wake(word, 1)
	require.True(t, <-done)
}

func TestWakeCountsSleepers(t *testing.T) {
	word := new(uint32)
	require.Zero(t, Wake(word, 10), "nobody sleeps")
	const n = 5
	asleep := sleepAll(word, n)
	// The word does not change, so all that are woken here go back to sleep.
	for _, c := range []struct{ ask, want int }{{1, 1}, {2, 2}, {n, n}, {n + 10, n}, {math.MaxInt, n}} {
		require.Eventually(t, func() bool {
			got := Wake(word, c.ask)
			require.LessOrEqual(t, got, c.want)
			return got == c.want
		}, limit, time.Millisecond)
	}
	require.Equal(t, n, asleep())
	atomic.StoreUint32(word, 1)
	require.Eventually(t, func() bool { Wake(word, n); return asleep() == 0 }, limit, time.Millisecond)
}

func TestWakeLeavesOtherAddressesAsleep(t *testing.T) {
	// 251 words are enough to meet a neighbour of the same bucket in the fallback.
	words := make([]uint32, 252)
	first, last := &words[0], &words[251]
	asleepFirst, asleepLast := sleepAll(first, 1), sleepAll(last, 1)
	wakeExactly(t, first, 1)
	wakeExactly(t, last, 1)
	atomic.StoreUint32(first, 1)
	require.Eventually(t, func() bool { Wake(first, 9); return asleepFirst() == 0 }, limit, time.Millisecond)
	require.Equal(t, 1, asleepLast())
	atomic.StoreUint32(last, 1)
	require.Eventually(t, func() bool { Wake(last, 9); return asleepLast() == 0 }, limit, time.Millisecond)
}

// TestStressPingPong loses no wake-up: each side changes the word and wakes the other, once.
func TestStressPingPong(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		old := runtime.GOMAXPROCS(procs)
		pingPong(20_000)
		runtime.GOMAXPROCS(old)
	}
}

func pingPong(rounds uint32) {
	word := new(uint32)
	var wg sync.WaitGroup
	side := func(parity uint32) {
		var habit syswait.Habit
		defer wg.Done()
		for i := parity; i < rounds; i += 2 {
			for v := atomic.LoadUint32(word); v != i; v = atomic.LoadUint32(word) {
				WaitAs(&habit, word, v, -1)
			}
			atomic.StoreUint32(word, i+1)
			Wake(word, 1)
		}
	}
	wg.Add(2)
	go side(0)
	go side(1)
	wg.Wait()
}

// TestStressTimeoutAgainstWake races short time-outs with wakes: no sleeper is counted both as woken and as
// timed out.
func TestStressTimeoutAgainstWake(t *testing.T) {
	word := new(uint32)
	var waits, timeouts atomic.Int64
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for !stop.Load() {
				waits.Add(1)
				if !Wait(word, 0, 50_000) {
					timeouts.Add(1)
				}
			}
		})
	}
	woken := int64(0)
	for waits.Load() < 5_000 {
		woken += int64(Wake(word, 1))
	}
	stop.Store(true)
	wg.Wait()
	require.LessOrEqual(t, woken+timeouts.Load(), waits.Load())
}
