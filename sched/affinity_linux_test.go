package sched

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/thread"
)

// someCPUs returns up to n CPUs of this process.
func someCPUs(t *testing.T, n int) (cpus []int) {
	t.Helper()
	all, err := thread.Initial()
	require.NoError(t, err)
	for cpu := 0; cpu < 1024 && len(cpus) < n; cpu++ {
		if all.Has(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}

// changedThreads counts the threads of this process that may not run on all CPUs of the process.
func changedThreads(t *testing.T) (n int) {
	t.Helper()
	all, err := thread.Initial()
	require.NoError(t, err)
	dir, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	for _, e := range dir {
		tid, err := strconv.Atoi(e.Name())
		require.NoError(t, err)
		if m, err := thread.Of(tid); err == nil && m != all {
			n++
		}
	}
	return n
}

func TestAffinityIsThatOfTheP(t *testing.T) {
	if !tracksThreads {
		t.Skip("tasks have no threads in this build")
	}
	for _, procs := range []int{1, 2, 8} {
		for _, n := range []int{1, 2} {
			cpus := someCPUs(t, n)
			s := newTest(t, Config{Procs: procs, Affinity: cpus})
			var wrong, looks atomic.Int32
			check := func() {
				looks.Add(1)
				if hb.On {
					hb.Enter()
					defer hb.Leave()
				}
				m, err := thread.Of(0)
				st := self()
				if st == nil || err != nil || m != thread.Only(cpus[int(st.m.p.id)%len(cpus)]) {
					wrong.Add(1)
				}
			}
			var wg sync.WaitGroup
			for range 30 {
				wg.Add(1)
				s.Go(func() {
					defer wg.Done()
					for range 20 {
						check()
						Join(Yield, check, Yield)
						Block(runtime.Gosched)
						check()
						var d door
						go d.signal()
						d.wait()
						check()
					}
				})
			}
			within(t, wg.Wait, s)
			// After a preemption within a swap some tasks run on a thread that is not bound yet.
			require.Less(t, wrong.Load(), looks.Load()/10)
		}
	}
}

// TestAffinityLeavesNoThreadChanged has plain goroutines look at their threads while workers give way to them all
// the time, and looks at all threads after Close.
func TestAffinityLeavesNoThreadChanged(t *testing.T) {
	if !tracksThreads {
		t.Skip("tasks have no threads in this build")
	}
	require.Zero(t, changedThreads(t))
	all, err := thread.Initial()
	require.NoError(t, err)
	for _, procs := range []int{1, 2, 8} {
		s, err := New(Config{Procs: procs, Affinity: someCPUs(t, 1), Seed: 1})
		require.NoError(t, err)
		var wrong, looks atomic.Int64
		within(t, func() {
			var wg sync.WaitGroup
			for range 10 {
				wg.Add(1)
				s.Go(func() {
					defer wg.Done()
					for range 50 {
						var d door
						go func() {
							if m, err := thread.Of(0); err != nil || m != all {
								wrong.Add(1)
							}
							looks.Add(1)
							d.signal()
						}()
						d.wait()
						Yield()
					}
				})
			}
			wg.Wait()
		}, s)
		require.EqualValues(t, 500, looks.Load())
		within(t, func() { require.NoError(t, s.Close()) }, s)
		// After a preemption within a swap some may, until the worker has looked or has come back.
		// Without unbinding before a worker gives way it is 400 of 500.
		require.Less(t, wrong.Load(), looks.Load()/10)
		until(t, "all threads may run everywhere", func() bool { return changedThreads(t) == 0 })
	}
}

// TestWorkerThatHasMovedFreesItsOldThread plays a move: the worker has noted another thread, which it has bound.
func TestWorkerThatHasMovedFreesItsOldThread(t *testing.T) {
	if !tracksThreads {
		t.Skip("tasks have no threads in this build")
	}
	all, err := thread.Initial()
	require.NoError(t, err)
	cpu := int32(someCPUs(t, 1)[0])
	s := newTest(t, Config{Procs: 1, Affinity: []int{int(cpu)}})
	tid, end := make(chan int), make(chan bool)
	go func() {
		runtime.LockOSThread() // and ends with it
		tid <- thread.ID()
		<-end
	}()
	old := <-tid
	defer close(end)
	m := &M{s: s, p: (*s.allp.Load())[0], thread: old, cpu: noCPU}
	bind := func(m *M) {
		bound.Lock()
		bound.by[old] = m
		require.NoError(t, thread.Set(old, thread.Only(int(cpu))))
		bound.Unlock()
		m.cpu = cpu
	}
	mask := func() thread.Mask {
		got, err := thread.Of(old)
		require.NoError(t, err)
		return got
	}
	moves := s.nThreadMoves.Load()
	bind(m)
	m.noteThread()
	require.Equal(t, all, mask())
	require.Equal(t, moves+1, s.nThreadMoves.Load())
	require.EqualValues(t, moves+1, s.Stats().Ps[0].ThreadMoves)
	require.EqualValues(t, noCPU, m.cpu)

	// The same, but another worker has come to that thread since.
	m.thread = old
	bind(m)
	other := &M{s: s, thread: old}
	bind(other)
	m.noteThread()
	require.Equal(t, thread.Only(int(cpu)), mask())
	other.freeCPU()
	require.Equal(t, all, mask())
}

func TestWiredTaskKeepsTheAffinityItChose(t *testing.T) {
	if !tracksThreads {
		t.Skip("tasks have no threads in this build")
	}
	cpus := someCPUs(t, 2)
	s := newTest(t, Config{Procs: 2, Affinity: cpus})
	all, err := thread.Initial()
	require.NoError(t, err)
	run(t, s, func() {
		LockOSThread()
		require.NoError(t, thread.Set(0, all))
		for range 20 {
			var d door
			Go(d.signal)
			d.wait()
			Block(runtime.Gosched)
			got, err := thread.Of(0)
			require.NoError(t, err)
			require.Equal(t, all, got)
		}
		UnlockOSThread()
		got, err := thread.Of(0)
		require.NoError(t, err)
		require.Equal(t, thread.Only(cpus[int(procID())%len(cpus)]), got)
	})
}

// TestThreadMovesAreCounted has a worker give way until it comes back on another thread.
func TestThreadMovesAreCounted(t *testing.T) {
	if !tracksThreads {
		t.Skip("tasks have no threads in this build")
	}
	for _, cpus := range [][]int{nil, someCPUs(t, 1)} {
		s := newTest(t, Config{Procs: 1, Affinity: cpus})
		var stop atomic.Bool
		var others sync.WaitGroup
		for range 4 { // for which there is reason to give way
			others.Go(func() {
				for !stop.Load() {
					runtime.Gosched()
				}
			})
		}
		run(t, s, func() {
			for s.nThreadMoves.Load() == 0 {
				var d door
				go d.signal()
				d.wait()
				Yield()
			}
		})
		stop.Store(true)
		others.Wait()
		st := s.Stats()
		require.Equal(t, s.nThreadMoves.Load(), st.ThreadMoves)
		require.LessOrEqual(t, st.Ps[0].ThreadMoves, st.ThreadMoves)
	}
}
