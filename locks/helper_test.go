// What the tests of all locks share, besides internal/testsched.

package locks

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// length counts those in q; lock guards it. A G that is counted has parked: the lock is released only after that.
func length(lock *rawlock.Mutex, q *sched.WaitQueue) (n int) {
	lock.Lock()
	defer lock.Unlock()
	for w := q.First(); w != nil; w = w.Next() {
		n++
	}
	return n
}

func untilQueued(t *testing.T, lock *rawlock.Mutex, q *sched.WaitQueue, n int) {
	t.Helper()
	testsched.Until(t, func() bool { return length(lock, q) == n }, "%d in the queue", n)
}

func (m *Mutex) untilQueued(t *testing.T, n int) {
	t.Helper()
	untilQueued(t, &m.lock, &m.queue, n)
}

// contended reports whether somebody sleeps for lock, or is about to: its second word says so, see package rawlock.
func contended(lock *rawlock.Mutex) bool {
	return atomic.LoadUint32((*uint32)(unsafe.Add(unsafe.Pointer(lock), 4))) != 0
}

// requireIdle: nobody holds m or waits for it, and the word has nothing of them.
func (m *Mutex) requireIdle(t *testing.T) {
	t.Helper()
	require.Zero(t, length(&m.lock, &m.queue))
	require.Zero(t, m.state.Load()&^(woken|noted))
	testsched.Until(t, m.lock.TryLock, "a context that ended late lets go")
	m.lock.Unlock()
	require.True(t, m.TryLock())
	m.Unlock()
}

// closing runs f with a Scheduler that f closes, for Procs of 1, 2 and 8, and nothing may be left behind.
func closing(t *testing.T, cfg sched.Config, f func(t *testing.T, s *sched.Scheduler)) {
	for _, procs := range []int{1, 2, 8} {
		before := runtime.NumGoroutine()
		cfg.Procs, cfg.Seed = procs, 1
		s, err := sched.New(cfg)
		require.NoError(t, err)
		testsched.Within(t, func() { f(t, s) })
		testsched.GoroutinesBack(t, before)
	}
}

// misuseVar names the misuse that a child process is to commit.
const misuseVar = "USERRT_TEST_MISUSE"

// requireFatalIn has a child process run a test, with name in misuseVar, and requires the text of a fatal error.
func requireFatalIn(t *testing.T, test, name, text string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), misuseVar+"="+name)
	out, err := cmd.CombinedOutput()
	require.Error(t, err, "%s", out)
	require.Contains(t, string(out), "fatal error: "+text)
}

// done is a context that has ended.
func done() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// contextFor returns a context that lasts for longer than it takes to find a deadlock.
func contextFor(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), 100*time.Millisecond)
}

// starve puts m into a mode, 0 or starving, as a waiter would that has lost for a millisecond.
func (m *Mutex) starve(mode int32) {
	m.lock.Lock()
	m.starved = sched.Self().Nanotime()
	m.lock.Unlock()
	m.state.Or(mode)
}
