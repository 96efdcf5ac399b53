package sched

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHooksTellALife: the moments of one task's life, in order.
func TestHooksTellALife(t *testing.T) {
	forKinds := map[string]func(s *Scheduler, fn func()){
		"goroutine": func(s *Scheduler, fn func()) { s.Go(fn) },
		"task":      func(s *Scheduler, fn func()) { require.NoError(t, s.Run(func() { Go(fn) })) },
	}
	for kind, start := range forKinds {
		t.Run(kind, func(t *testing.T) {
			type moment struct {
				task uint64
				what string
			}
			var all journal[moment]
			var id, parent atomic.Uint64 // of the task spawned last
			note := func(task uint64, format string, args ...any) {
				all.add(moment{task, fmt.Sprintf(format, args...)})
			}
			told := func() (list []string) {
				for _, m := range all.all() {
					if m.task == id.Load() {
						list = append(list, m.what)
					}
				}
				return list
			}
			var workers atomic.Int32
			s := newTest(t, Config{Procs: 1, Hooks: Hooks{
				TaskSpawned:   func(task, by uint64) { id.Store(task); parent.Store(by); note(task, "spawned") },
				TaskStarted:   func(task uint64, p int) { note(task, "started on P%d", p) },
				TaskParked:    func(task uint64, why WaitReason) { note(task, "parked: %v", why) },
				TaskReadied:   func(task uint64) { note(task, "readied") },
				TaskEnded:     func(task uint64) { note(task, "ended") },
				WorkerStarted: func(int) { workers.Add(1) },
			}})
			var g door
			start(s, func() {
				g.wait()
				Sleep(1)
				Yield() // no moment: it does not wait
			})
			until(t, "it waits", func() bool { return waiting(s) == 1 }, s)
			g.signal()
			until(t, "it has ended", func() bool { l := told(); return l[len(l)-1] == "ended" }, s)
			require.Equal(t, []string{
				"spawned", "started on P0", "parked: ", "readied", "parked: sleep", "readied", "ended",
			}, told())
			require.NotZero(t, workers.Load())
			require.Equal(t, kind == "task", parent.Load() != 0)
		})
	}
}

// TestHooksTellOfUnwindingAndDropping: who is never woken is readied to end, who never started just ends.
func TestHooksTellOfUnwindingAndDropping(t *testing.T) {
	var spawned, ended, parked, readied atomic.Int32
	s := newTest(t, Config{Procs: 2, Hooks: Hooks{
		TaskSpawned: func(_, _ uint64) { spawned.Add(1) },
		TaskEnded:   func(uint64) { ended.Add(1) },
		TaskParked:  func(uint64, WaitReason) { parked.Add(1) },
		TaskReadied: func(uint64) { readied.Add(1) },
	}})
	for range 100 {
		s.Go(parkForever)
	}
	within(t, func() { require.NoError(t, s.Close()) }, s)
	require.EqualValues(t, 100, spawned.Load())
	require.EqualValues(t, 100, ended.Load())
	require.Equal(t, parked.Load(), readied.Load())
}

// TestHooksTellOfStuckWorkers: one that makes no call is stuck, then relieved.
func TestHooksTellOfStuckWorkers(t *testing.T) {
	var stuck, relieved atomic.Int32
	s := newTest(t, Config{Procs: 1, Hooks: Hooks{
		WorkerStuck:    func(int) { stuck.Add(1) },
		WorkerRelieved: func(int) { relieved.Add(1) },
	}})
	var stop, other atomic.Bool
	s.Go(func() {
		Go(func() { other.Store(true) })
		for !stop.Load() {
		}
	})
	until(t, "the other task has run", other.Load, s)
	until(t, "it is told", func() bool { return stuck.Load() > 0 }, s)
	stop.Store(true)
	until(t, "the worker moves again", func() bool {
		_ = s.Run(func() {})
		return relieved.Load() == stuck.Load()
	}, s)
}
