// A holder that is held up.

package rawlock

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/patience"
)

// threadTime returns how much processor time the calling thread has had.
func threadTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}

// TestHolderIsHeldUp: while the holder doesn't get on, as if the kernel ran something else in its place, those who wait for it sleep and leave
// the processors to others. All times are of processors, not of the clock.
func TestHolderIsHeldUp(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	const waiters = 7
	const work = 200 * time.Millisecond
	var m Mutex
	m.Lock()
	before := sleeping.Load()
	var burnt [waiters]time.Duration
	var in atomic.Int32
	var all sync.WaitGroup
	for i := range waiters {
		all.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			start := threadTime()
			m.Lock()
			in.Add(1)
			m.Unlock()
			burnt[i] = threadTime() - start
		})
	}
	require.Eventually(t, func() bool { return sleeping.Load() == before+waiters },
		patience.Times(30*time.Second), 100*time.Microsecond, "all go to sleep")
	done := make(chan struct{})
	go func() { // somebody who needs another lock
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var own Mutex
		for start := threadTime(); threadTime()-start < work; {
			own.Lock()
			own.Unlock() //lint:ignore SA2001 the point is only to get in
		}
	}()
	<-done
	require.Zero(t, in.Load())
	m.Unlock()
	all.Wait()
	require.EqualValues(t, waiters, in.Load())
	for i, d := range burnt {
		require.Less(t, d, work/10, "waiter %d", i)
	}
	require.Equal(t, before, sleeping.Load())
}
