package sched

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// threadName returns and sets what prctl keeps for each thread.
func threadName() string {
	b, _ := unix.ByteSliceFromString("0123456789abcde")
	if unix.Prctl(unix.PR_GET_NAME, ptr(b), 0, 0, 0) != nil {
		return "?"
	}
	return unix.ByteSliceToString(b)
}

func setThreadName(name string) {
	b, _ := unix.ByteSliceFromString(name)
	_ = unix.Prctl(unix.PR_SET_NAME, ptr(b), 0, 0, 0)
}

// TestWiredTaskStaysOnItsThread compares the thread and its name after every way to wait, while other tasks
// move about.
func TestWiredTaskStaysOnItsThread(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		const wired, rounds, others = 3, 5, 4
		var stop atomic.Bool
		var wg, busy sync.WaitGroup
		for range others {
			busy.Add(1)
			s.Go(func() {
				defer busy.Done()
				for !stop.Load() {
					Join(Yield, Yield, func() {})
					Yield()
				}
			})
		}
		for i := range wired {
			wg.Add(1)
			s.Go(func() {
				defer wg.Done()
				LockOSThread()
				tid, name := unix.Gettid(), "wired"+string(rune('0'+i))
				old := threadName()
				setThreadName(name)
				same := func(after string) {
					if unix.Gettid() != tid || threadName() != name {
						t.Errorf("after %s on thread %d %q, was on %d %q", after, unix.Gettid(), threadName(), tid, name)
					}
				}
				for range rounds {
					Yield()
					same("Yield")
					var d door
					Go(d.signal)
					d.wait()
					same("BeginPark")
					var c crowd
					Go(func() {
						for c.n.Load() == 0 {
							Yield()
						}
						c.release()
					})
					c.wait()
					same("Park")
					Block(runtime.Gosched)
					same("Block")
					Block(func() {
						var d door
						go d.signal()
						d.wait()
						same("a wait in Block")
					})
					Join(Yield, Yield, Yield)
					same("Join")
					LockOSThread()
					GiveWay()
					UnlockOSThread()
					same("a nested pair")
				}
				setThreadName(old)
				UnlockOSThread()
				Yield()
			})
		}
		wg.Wait()
		stop.Store(true)
		busy.Wait()
		require.Zero(t, s.nWired.Load())
	})
}

// TestThreadOfATaskThatEndsWiredEnds looks whether any thread is left with the name that such a task gave it.
func TestThreadOfATaskThatEndsWiredEnds(t *testing.T) {
	round := 0
	forProcs(t, func(t *testing.T, s *Scheduler) {
		round++
		name := fmt.Sprintf("dirty%d", round)
		for i := range 12 {
			err := s.Run(func() {
				LockOSThread()
				LockOSThread()
				setThreadName(name)
				Yield()
				if i%2 == 0 {
					Exit()
				}
			})
			if i%2 == 0 {
				require.ErrorIs(t, err, ErrExited)
			} else {
				require.NoError(t, err)
			}
		}
		until(t, "the threads have ended", func() bool { return threadsNamed(t, name) <= int(s.nLoose.Load()) }, s)
		if s.nLoose.Load() > 0 {
			t.Log("a preemption within the last swap")
		}
		require.LessOrEqual(t, s.nLoose.Load(), uint64(2), "of 12")
		until(t, "only counted workers live", func() bool {
			s.lock.Lock()
			defer s.lock.Unlock()
			return s.nm <= int(s.procs.Load())+1 && int(s.workersUp.Load()) == s.nm+1 // and sysmon
		}, s)
	})
}

// threadsNamed counts this process's threads of that name.
func threadsNamed(t *testing.T, name string) (n int) {
	t.Helper()
	dir, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	for _, e := range dir {
		if e.Name() == strconv.Itoa(os.Getpid()) {
			continue // the runtime can't end the main thread, and lets it sleep for ever
		}
		text, err := os.ReadFile("/proc/self/task/" + e.Name() + "/comm")
		if err == nil && strings.TrimSpace(string(text)) == name {
			n++
		}
	}
	return n
}

func ptr(b []byte) uintptr { return uintptr(unsafe.Pointer(&b[0])) }
