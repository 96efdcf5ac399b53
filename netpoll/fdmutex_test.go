//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

func TestFDMutexStates(t *testing.T) {
	watch(t)
	var f fdMutex
	held, unwound := f.lock(reading)
	require.True(t, held)
	require.False(t, unwound)
	held, _ = f.lock(writing)
	require.True(t, held)
	require.True(t, f.incref())
	require.Equal(t, uint32(3*fdRef|fdLock<<reading|fdLock<<writing), f.state.Load())
	require.False(t, f.unlock(reading))
	require.True(t, f.close())
	require.False(t, f.close())
	require.False(t, f.incref())
	held, _ = f.lock(reading)
	require.False(t, held)
	require.False(t, f.decref())
	require.False(t, f.decref())
	require.True(t, f.unlock(writing), "the last one closes")
	require.Equal(t, uint32(fdClosed), f.state.Load())
}

func TestFDMutexTooManyReferences(t *testing.T) {
	var f fdMutex
	f.state.Store(fdRefs)
	require.Panics(t, func() { f.incref() })
	require.Panics(t, func() { f.lock(reading) })
	require.Equal(t, uint32(fdRefs), f.state.Load())
}

// Turns come in order of arrival.
func TestFDMutexFIFO(t *testing.T) {
	s := scheduler(t, 2)
	g := &group{s: s}
	var f fdMutex
	held, _ := f.lock(writing)
	require.True(t, held)
	var order []int
	for i := range 10 {
		g.start([]party{task, goroutine}[i%2], func() {
			held, _ := f.lock(writing)
			require.True(t, held)
			order = append(order, i)
			require.False(t, f.unlock(writing))
		})
		testsched.Until(t, func() bool { return f.queued(writing) == i+1 }, "queued")
	}
	require.False(t, f.unlock(writing))
	g.wg.Wait()
	require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, order)
	require.Zero(t, f.state.Load())
}

// queued counts those queued for d's lock.
func (f *fdMutex) queued(d direction) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := f.queue[d].first; w != nil; w = w.next {
		n++
	}
	return n
}

// A waiter leaves the queue from any place in it.
func TestFDMutexRemove(t *testing.T) {
	for _, gone := range []int{0, 1, 2, 3} {
		var f fdMutex
		f.lock(reading)
		var ws []*fdWaiter
		for range 3 {
			ws = append(ws, f.enqueue(reading, nil))
		}
		if gone < 3 {
			f.remove(reading, ws[gone])
		} else {
			f.remove(reading, new(fdWaiter)) // not there
		}
		ws = append(ws, f.enqueue(reading, nil))
		for i, w := range ws {
			if i == gone && gone < 3 {
				continue
			}
			require.Same(t, w, f.pop(reading))
		}
		require.Nil(t, f.pop(reading))
		require.Equal(t, uint32(fdRef|fdLock), f.state.Load())
	}
}

// A task that is unwound while it is queued is passed over, and one that was handed the lock first
// gives it on.
func TestFDMutexUnwound(t *testing.T) {
	for range 50 {
		scheduler(t, 1)
		s, err := sched.New(sched.Config{Procs: 2})
		require.NoError(t, err)
		var f fdMutex
		held, _ := f.lock(reading)
		require.True(t, held)
		var unwoundN atomic.Int32
		for range 5 {
			s.Go(func() {
				held, unwound := f.lock(reading)
				if held {
					f.unlock(reading)
				}
				if unwound {
					unwoundN.Add(1)
				}
			})
		}
		testsched.Until(t, func() bool { return f.queued(reading) == 5 }, "queued")
		g := &group{}
		g.start(goroutine, func() {
			held, unwound := f.lock(reading)
			require.True(t, held)
			require.False(t, unwound)
			f.unlock(reading)
		})
		g.start(goroutine, func() { require.False(t, f.unlock(reading)) })
		require.NoError(t, s.Close())
		g.wg.Wait()
		testsched.Until(t, func() bool { return f.state.Load() == 0 }, "released")
		require.LessOrEqual(t, unwoundN.Load(), int32(5))
	}
}

// At most one holder a direction, and exactly one last user, whatever comes in between.
func TestStressFDMutex(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprint("procs=", procs), func(t *testing.T) {
			s := scheduler(t, procs)
			for range 3 {
				stressFDMutex(t, s)
			}
		})
	}
}

func stressFDMutex(t *testing.T, s *sched.Scheduler) {
	const users, rounds = 16, 50
	g := &group{s: s}
	var f fdMutex
	var inside [2]int // guarded by the locks: the race detector watches
	var last atomic.Int32
	var turns atomic.Int32
	use := func(d direction) bool {
		held, _ := f.lock(d)
		if !held {
			return false
		}
		inside[d]++
		if turns.Add(1)%3 == 0 {
			sched.Yield()
		}
		inside[d]--
		require.Zero(t, inside[d])
		if f.unlock(d) {
			last.Add(1)
		}
		return true
	}
	for i := range users {
		g.start([]party{task, goroutine}[i/2%2], func() {
			for range rounds {
				if !use(direction(i % 2)) {
					return
				}
			}
		})
	}
	g.start(task, func() {
		for turns.Load() < users*rounds/2 {
			sched.Yield()
		}
		require.True(t, f.close())
		if f.decref() {
			last.Add(1)
		}
	})
	g.wg.Wait()
	require.EqualValues(t, 1, last.Load())
	require.EqualValues(t, fdClosed, f.state.Load())
}
