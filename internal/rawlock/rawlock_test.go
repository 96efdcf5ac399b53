package rawlock

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/fence"
	"github.com/userrt/userrt/internal/patience"
)

// TestMain waits for the fence service: without it sleeps end by a time-out.
func TestMain(m *testing.M) {
	fence.Start()
	for range 1000 {
		if fence.Ready() {
			break
		}
		time.Sleep(time.Millisecond)
	}
	os.Exit(m.Run())
}

func TestMutexIsSmall(t *testing.T) {
	require.EqualValues(t, 8, unsafe.Sizeof(Mutex{}))
}

// TestStressExclusion counts without atomics under the lock: a lost update or, under -race, a report
// shows that two were inside.
func TestStressExclusion(t *testing.T) {
	const rounds = 5_000
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprint("procs=", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			for _, goroutines := range []int{2, 8, 64} {
				var m Mutex
				var wg sync.WaitGroup
				inside, count := 0, 0
				for range goroutines {
					wg.Go(func() {
						for i := range rounds {
							m.Lock()
							inside++
							if inside != 1 {
								panic("two hold the lock")
							}
							count++
							if i%256 == 0 {
								runtime.Gosched() // makes the others find it held, and sleep
							}
							inside--
							m.Unlock()
						}
					})
				}
				wg.Wait()
				require.Equal(t, goroutines*rounds, count)
				require.True(t, m.TryLock(), "free at the end")
			}
		})
	}
}

func TestTryLock(t *testing.T) {
	var m Mutex
	require.True(t, m.TryLock())
	require.False(t, m.TryLock())
	m.Unlock()
	m.Lock()
	require.False(t, m.TryLock())
	m.Unlock()
	require.True(t, m.TryLock())
	m.Unlock()
}

func TestStressTryLock(t *testing.T) {
	var m Mutex
	var wg sync.WaitGroup
	var got atomic.Int64
	count := 0
	for g := range 8 {
		wg.Go(func() {
			for range 5_000 {
				if g%2 == 0 {
					m.Lock()
				} else if !m.TryLock() {
					continue
				}
				count++
				got.Add(1)
				m.Unlock()
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, got.Load(), count)
}

// TestUnlockByAnother hands a held lock from goroutine to goroutine, each on a thread of its own, while
// a crowd waits for it.
func TestUnlockByAnother(t *testing.T) {
	var m Mutex
	var crowd sync.WaitGroup
	held := make(chan *int)
	entered := 0
	count := new(int)
	crowd.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for range 2_000 {
			m.Lock()
			held <- count
		}
		close(held)
	})
	crowd.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for c := range held {
			*c++
			m.Unlock()
		}
	})
	for range 3 {
		crowd.Go(func() {
			for range 2_000 {
				m.Lock()
				entered++
				m.Unlock()
			}
		})
	}
	crowd.Wait()
	require.Equal(t, 2_000, *count)
	require.Equal(t, 6_000, entered)
}

// TestSleeperIsWoken holds the lock until the other one has announced its sleep.
func TestSleeperIsWoken(t *testing.T) {
	var m Mutex
	for range 50 {
		m.Lock()
		done := make(chan struct{})
		go func() {
			m.Lock()
			m.Unlock() //lint:ignore SA2001 the point is only to get in
			close(done)
		}()
		require.Eventually(t, func() bool { return atomic.LoadUint32(&m.asleep) != 0 },
			patience.Times(30*time.Second), 10*time.Microsecond)
		m.Unlock()
		<-done
	}
}

func BenchmarkLockUnlock(b *testing.B) {
	var m Mutex
	for b.Loop() {
		m.Lock()
		m.Unlock() //lint:ignore SA2001 an empty critical section is what is measured
	}
}

func BenchmarkSyncMutex(b *testing.B) {
	var m sync.Mutex
	for b.Loop() {
		m.Lock()
		m.Unlock() //lint:ignore SA2001 an empty critical section is what is measured
	}
}

// BenchmarkContended: as many threads as Procs want one lock all the time, for a moment each. An operation is one turn of any.
func BenchmarkContended(b *testing.B) {
	var m Mutex
	benchmarkContended(b, &m)
}

func BenchmarkContendedSync(b *testing.B) {
	var m sync.Mutex
	benchmarkContended(b, &m)
}

func benchmarkContended(b *testing.B, m sync.Locker) {
	for _, procs := range []int{1, 2, 8} {
		b.Run(fmt.Sprint("procs=", procs), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			n := 0
			b.RunParallel(func(pb *testing.PB) {
				runtime.LockOSThread() // as workers do
				defer runtime.UnlockOSThread()
				for pb.Next() {
					m.Lock()
					n++
					m.Unlock()
				}
			})
			if n != b.N {
				b.Fatalf("%d turns, want %d", n, b.N)
			}
		})
	}
}
