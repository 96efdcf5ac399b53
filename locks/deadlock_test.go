// Deadlocks: what is told of tasks that wait for each other's locks.

package locks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// deadlock runs fn as the only task, which may start others, and returns what they are found to wait for, by name.
func deadlock(t *testing.T, fn func()) map[string]sched.DeadlockTask {
	t.Helper()
	s, err := sched.New(sched.Config{Procs: 2, DetectDeadlock: true})
	require.NoError(t, err)
	var dead *sched.DeadlockError
	testsched.Within(t, func() { require.ErrorAs(t, s.Run(fn), &dead) })
	testsched.Close(t, s)
	tasks := map[string]sched.DeadlockTask{}
	for _, task := range dead.Tasks {
		tasks[task.Name] = task
	}
	return tasks
}

func named(name string, fn func()) { sched.GoWith(fn, sched.TaskOptions{Name: name}) }

// forever parks the caller for good.
func forever() { sched.Park(sched.WaitReasonZero, nil, nil) }

// crossed starts two tasks that each have one lock and then want the other's.
func crossed(one, two Locker) {
	var first, second Mutex
	first.Lock()
	second.Lock()
	named("one", func() {
		one.Lock()
		first.Unlock()
		second.Lock() // until two has its lock
		two.Lock()
	})
	named("two", func() {
		two.Lock()
		second.Unlock()
		first.Lock()
		one.Lock()
	})
}

// TestLockOrderDeadlock names both tasks and both locks.
func TestLockOrderDeadlock(t *testing.T) {
	var one, two Mutex
	tasks := deadlock(t, func() { crossed(&one, &two); forever() })
	require.Len(t, tasks, 3)
	for name, want := range map[string]struct {
		other string
		lock  *Mutex
	}{"one": {"two", &two}, "two": {"one", &one}} {
		task := tasks[name]
		require.Equal(t, sched.WaitReasonMutexLock, task.Reason)
		require.Equal(t, want.other, task.Holder.Name)
		require.Equal(t, tasks[want.other].ID, task.Holder.ID)
		require.Equal(t, fmt.Sprintf("Mutex %p locked", want.lock), task.On)
		require.Regexp(t, fmt.Sprintf(`^task \d+ \(%s\) \[sync\.Mutex\.Lock\] on Mutex %p locked held by task \d+ \(%s\)$`, name, want.lock, want.other), task.String())
	}
}

// TestDeadlockOfReadersAndWriters: each of the waits for an RWMutex knows whom it waits for.
func TestDeadlockOfReadersAndWriters(t *testing.T) {
	var one, two RWMutex
	tasks := deadlock(t, func() { crossed(&one, &two); forever() })
	for name, other := range map[string]string{"one": "two", "two": "one"} {
		require.Equal(t, sched.WaitReasonRWMutexLock, tasks[name].Reason)
		require.Equal(t, other, tasks[name].Holder.Name, "another writer")
	}
	var rw RWMutex
	var m Mutex
	tasks = deadlock(t, func() {
		named("reader", func() {
			rw.RLock()
			for m.TryLock() {
				m.Unlock()
				sched.Yield()
			}
			m.Lock()
		})
		named("writer", func() {
			m.Lock()
			for rw.TryLock() {
				rw.Unlock()
				sched.Yield()
			}
			rw.Lock()
		})
		forever()
	})
	require.Equal(t, "writer", tasks["reader"].Holder.Name)
	require.Equal(t, "reader", tasks["writer"].Holder.Name)
}

// TestRecursiveReadDeadlock: the hazard that the documentation speaks of.
func TestRecursiveReadDeadlock(t *testing.T) {
	var rw RWMutex
	tasks := deadlock(t, func() {
		named("reader", func() {
			rw.RLock()
			named("writer", rw.Lock)
			for rw.readers.Load() >= 0 { // until the writer is there
				sched.Yield()
			}
			rw.RLock()
		})
		forever()
	})
	require.Equal(t, sched.WaitReasonRWMutexRLock, tasks["reader"].Reason)
	require.Equal(t, "writer", tasks["reader"].Holder.Name)
	require.Equal(t, sched.WaitReasonRWMutexLock, tasks["writer"].Reason)
	require.Equal(t, "reader", tasks["writer"].Holder.Name)
	require.Contains(t, tasks["writer"].On, "RWMutex 0x")
}

// TestDeadlockWithItself: Once and Mutex.
func TestDeadlockWithItself(t *testing.T) {
	var once Once
	var m Mutex
	tasks := deadlock(t, func() {
		named("once", func() { once.Do(func() { once.Do(func() {}) }) })
		named("mutex", func() { m.Lock(); m.Lock() })
		forever()
	})
	require.Equal(t, "once", tasks["once"].Holder.Name)
	require.Equal(t, "mutex", tasks["mutex"].Holder.Name)
}

// TestDeadlockOfOthers: a Cond and a Semaphore tell what they are; nobody holds them.
func TestDeadlockOfOthers(t *testing.T) {
	c, s := NewCond(&Mutex{}), NewSemaphore(3)
	tasks := deadlock(t, func() {
		named("cond", func() { c.L.Lock(); c.Wait() })
		named("semaphore", func() { _ = s.Acquire(background, 2); _ = s.Acquire(background, 2) })
		forever()
	})
	require.Equal(t, fmt.Sprintf("Cond %p", c), tasks["cond"].On)
	require.Equal(t, "semacquire", tasks["semaphore"].Reason.String())
	require.Equal(t, fmt.Sprintf("Semaphore %p size 3 taken 2", s), tasks["semaphore"].On)
	require.Zero(t, tasks["semaphore"].Holder.ID)
}

// TestHolderThatTookItLater: who was handed the lock, or had to wait for it, is known as well as who found it free.
func TestHolderThatTookItLater(t *testing.T) {
	for _, mode := range []int32{0, starving} {
		var m Mutex
		tasks := deadlock(t, func() {
			m.Lock()
			named("holder", func() { m.Lock(); forever() })
			for length(&m.lock, &m.queue) == 0 {
				sched.Yield()
			}
			m.starve(mode)
			m.Unlock()
			for m.state.Load()&locked == 0 {
				sched.Yield()
			}
			named("waiter", m.Lock)
			forever()
		})
		require.Equal(t, "holder", tasks["waiter"].Holder.Name)
	}
}

// readFirst is an RWMutex that the first has for reading and the next wants for writing.
type readFirst struct {
	RWMutex
	taken atomic.Bool
}

func (l *readFirst) Lock() {
	if l.taken.CompareAndSwap(false, true) {
		l.RLock()
	} else {
		l.RWMutex.Lock()
	}
}

// TestPartialDeadlock: two tasks are stuck while others run, and a dump finds them.
func TestPartialDeadlock(t *testing.T) {
	t.Run("Mutex", func(t *testing.T) {
		var one, two Mutex
		partialDeadlock(t, &one, &two, "Mutex 0x[0-9a-f]+ locked", func() { one.untilQueued(t, 1); two.untilQueued(t, 1) })
	})
	t.Run("RWMutex", func(t *testing.T) {
		var one, two RWMutex
		partialDeadlock(t, &one, &two, "RWMutex 0x[0-9a-f]+ with a writer, 0 readers inside or waiting", func() {
			one.w.untilQueued(t, 1)
			two.w.untilQueued(t, 1)
		})
	})
	t.Run("RWMutex of readers", func(t *testing.T) {
		var one, two readFirst
		partialDeadlock(t, &one, &two, "RWMutex 0x[0-9a-f]+ with a writer, 1 readers inside or waiting", func() {
			one.untilQueued(t, 0, 1)
			two.untilQueued(t, 0, 1)
		})
	})
}

// partialDeadlock crosses two tasks; stuck waits until they wait, and what is how a dump tells of each lock.
func partialDeadlock(t *testing.T, one, two Locker, what string, stuck func()) {
	s := testsched.New(t, 2)
	stop := sched.NoteHolders()
	defer stop()
	var busy atomic.Bool
	require.NoError(t, s.Run(func() {
		crossed(one, two)
		sched.Go(func() {
			for !busy.Load() {
				sched.Yield()
			}
		})
	}))
	stuck()
	var d sched.DumpInfo
	var b bytes.Buffer
	require.NoError(t, s.DumpJSON(&b))
	require.NoError(t, json.Unmarshal(b.Bytes(), &d))
	require.Len(t, d.Circles, 1)
	require.Len(t, d.Circles[0], 2)
	names := map[string]uint64{}
	for _, task := range d.Tasks {
		names[task.Name] = task.ID
	}
	require.ElementsMatch(t, d.Circles[0], []uint64{names["one"], names["two"]})
	b.Reset()
	require.NoError(t, s.Dump(&b))
	require.Regexp(t, `(?m)^  deadlock: task \d+ waits for task \d+, which waits for task \d+$`, b.String())
	require.Len(t, regexp.MustCompile(`waits for `+what+`, held by task \d+\n`).FindAllString(b.String(), -1), 2)
	busy.Store(true)
	testsched.Close(t, s)
}

// TestNoFalseCircles: tasks that take two locks in order, over and over, are never found in a circle.
func TestNoFalseCircles(t *testing.T) {
	s := testsched.New(t, 2)
	defer sched.NoteHolders()()
	var one, two Mutex
	var over atomic.Bool
	for range 6 {
		s.Go(func() {
			for !over.Load() {
				one.Lock()
				two.Lock()
				sched.Yield()
				one.Unlock()
				sched.Yield()
				two.Unlock()
			}
		})
	}
	for range 30 {
		var d sched.DumpInfo
		var b bytes.Buffer
		require.NoError(t, s.DumpJSON(&b))
		require.NoError(t, json.Unmarshal(b.Bytes(), &d))
		require.Empty(t, d.Circles)
	}
	over.Store(true)
	testsched.Close(t, s)
}

// TestWaitWithContextIsNoDeadlock: its context may yet end.
func TestWaitWithContextIsNoDeadlock(t *testing.T) {
	s, err := sched.New(sched.Config{Procs: 1, DetectDeadlock: true})
	require.NoError(t, err)
	ctx, cancel := contextFor(t)
	defer cancel()
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			var m Mutex
			m.Lock()
			require.ErrorIs(t, m.LockContext(ctx), ctx.Err())
		}))
	})
	testsched.Close(t, s)
}
