package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/fence"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/patience"
)

// opened counts the Schedulers of newTest that are open; goroutinesBefore is from before the first.
var opened, goroutinesBefore int

// newTest makes a Scheduler for one test; at the test's end it is closed, and the last of the test's
// must leave no goroutine. Not for use within forProcs: see with.
func newTest(t *testing.T, cfg Config) *Scheduler {
	t.Helper()
	if opened == 0 {
		goroutinesBefore = plainGoroutines()
	}
	opened++
	if cfg.Seed == 0 {
		cfg.Seed = 1
	}
	s, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		within(t, func() { require.NoError(t, s.Close()) }, s)
		if opened--; opened == 0 {
			goroutinesBack(t, goroutinesBefore)
		}
	})
	return s
}

// unhelped is for tests in which one task is to have its P for itself: the kernel may stop the thread for longer
// than a time slice, and then the task would be asked to give way, or another worker would stand in.
var unhelped = Tunables{NoRelief: true, NoPreemption: true}

// with calls f with a Scheduler of the given Procs, which is closed afterwards.
func with(t *testing.T, procs int, f func(s *Scheduler)) {
	t.Helper()
	s, err := New(Config{Procs: procs, Seed: 1})
	require.NoError(t, err)
	f(s)
	within(t, func() { require.NoError(t, s.Close()) }, s)
}

// run is s.Run of fn, which must return, within the limit.
func run(t *testing.T, s *Scheduler, fn func()) {
	t.Helper()
	var err error
	within(t, func() { err = s.Run(fn) }, s)
	require.NoError(t, err)
}

// work makes s start all its workers, and wake and put to sleep some of them.
func work(t *testing.T, s *Scheduler) {
	var wg sync.WaitGroup
	for range 20 {
		wg.Add(1)
		s.Go(func() {
			defer wg.Done()
			var g door
			Go(func() { Join(Yield, Yield, g.signal) })
			g.wait()
			if id, _ := ID(); id%5 == 0 {
				Exit()
			}
		})
	}
	within(t, wg.Wait, s)
}

// until waits, on a plain goroutine, for cond.
func until(t *testing.T, what string, cond func() bool, ss ...*Scheduler) {
	t.Helper()
	for end := time.Now().Add(hangLimit); !cond(); runtime.Gosched() {
		if time.Now().After(end) {
			buf := make([]byte, 1<<20)
			buf = buf[:runtime.Stack(buf, true)]
			for _, s := range ss {
				t.Log(describe(s))
			}
			t.Logf("%s", buf)
			require.FailNow(t, "has not happened", what)
		}
	}
}

// waiting counts the tasks of s that are parked. It is called in a loop, and so long under the lock it would keep the workers from it.
func waiting(s *Scheduler) (n int) {
	for gp := range gsOf(s.slabs()) {
		if gp.state.Load() == gWaiting {
			n++
		}
	}
	return n
}

// parkForever waits for what never comes.
func parkForever() { Park(WaitReasonZero, nil, nil) }

// collecting runs the collector all the time until the function that it returns is called.
func collecting() (stop func()) {
	var enough atomic.Bool
	var done sync.WaitGroup
	done.Go(func() {
		for !enough.Load() {
			runtime.GC()
		}
	})
	return func() { enough.Store(true); done.Wait() }
}

// journal is a list that tasks and goroutines append to.
type journal[T any] struct {
	mu   sync.Mutex
	list []T
}

func (j *journal[T]) add(v T) {
	j.mu.Lock()
	j.list = append(j.list, v)
	j.mu.Unlock()
}

func (j *journal[T]) all() []T {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]T{}, j.list...)
}

// ends is an Ender that keeps what it is told.
type ends struct{ journal[End] }

func (e *ends) TaskEnded(how End) { e.add(how) }

// needsForks is for tests of what Join does with functions that nobody takes; see joinApart.
func needsForks(t *testing.T) {
	if hb.On {
		t.Skip("before the race detector each function of a Join has a task of its own; -tags userrt_nohb tests the forks")
	}
}

// awaitFence waits for the service of package fence, which some systems do not grant.
func awaitFence() {
	fence.Start()
	for end := time.Now().Add(patience.Times(5 * time.Second)); fence.Exists && !fence.Ready() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

// The next few look at what is the scheduler's own, as its code.

func selfP() *P {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return self().m.p
}

func overflows() uint32 {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return self().m.p.nOverflow
}

func selfM() *M {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return self().m
}

func selfStack() *stack {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return self()
}

func procID() int32 {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return self().m.p.id
}

func waitSeq() uint32 {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return self().wait.seq.Load()
}

// runsOn returns the scheduler of which the calling task is; nil on a plain goroutine.
func runsOn() *Scheduler {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if st := self(); st != nil {
		return st.m.s
	}
	return nil
}
