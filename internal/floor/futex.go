// Threads that sleep in futex(2).

package floor

import (
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/futex"
)

// lateNS is how long the sleeps of "late" should be.
const lateNS = 100_000

// futexPingPong lets two threads wake each other in turns: each waits until word says that it is its turn.
func futexPingPong(n int) (time.Duration, error) {
	if !futex.Kernel {
		return 0, errors.ErrUnsupported
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	var word uint32 // whose turn it is
	play := func(me uint32) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for range n {
			for atomic.LoadUint32(&word) != me {
				futex.Wait(&word, 1-me, -1)
			}
			atomic.StoreUint32(&word, 1-me)
			futex.Wake(&word, 1)
		}
	}
	answered := make(chan struct{})
	go func() { play(1); close(answered) }()
	took := make(chan time.Duration)
	go func() {
		start := clock.Nanotime()
		play(0)
		<-answered
		took <- since(start)
	}()
	return <-took, nil
}

// late counts the lateness only.
func late(n int) (time.Duration, error) {
	if !futex.Kernel {
		return 0, errors.ErrUnsupported
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var word uint32
	var sum time.Duration
	for range n {
		start := clock.Nanotime()
		for since(start) < lateNS {
			futex.Wait(&word, 0, max(lateNS-int64(since(start)), 1))
		}
		sum += since(start) - lateNS
	}
	return max(sum, 1), nil
}
