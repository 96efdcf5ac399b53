package locks

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestLocksGiveWay: a task that does nothing but lock and unlock gives way when its time slice is over.
func TestLocksGiveWay(t *testing.T) {
	var m Mutex
	var rw RWMutex
	sem := NewSemaphore(1)
	for name, turn := range map[string]func(){
		"Mutex":     func() { m.Lock(); m.Unlock() },     //lint:ignore SA2001 it is what is tested
		"RLock":     func() { rw.RLock(); rw.RUnlock() }, //lint:ignore SA2001 it is what is tested
		"RWMutex":   func() { rw.Lock(); rw.Unlock() },   //lint:ignore SA2001 it is what is tested
		"Semaphore": func() { _ = sem.Acquire(background, 1); sem.Release(1) },
	} {
		s := testsched.New(t, 1)
		testsched.Within(t, func() {
			require.NoError(t, s.Run(func() {
				for s.Stats().Preemptions == 0 {
					var other atomic.Bool
					sched.Go(func() { other.Store(true) })
					for !other.Load() {
						turn()
					}
				}
			}))
		})
		require.Positive(t, s.Stats().Preemptions, name)
		testsched.Close(t, s)
	}
}
