package sched

import (
	"fmt"
	"sync"

	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/thread"
)

// Which OS thread a worker is on, and on which CPU that may run. The runtime has nothing like it: an m is a
// thread, and where that runs is the kernel's affair.
//
// A worker is pinned to its thread but for the instants of a swap and for coro.Gosched; there the native scheduler
// may go on with it on another one. So a worker notes its thread and compares: after it has given way, which it
// does every few milliseconds (nativeSliceNS), when it has slept, and when it ends. That costs a system call
// each time, and nothing for each task.
//
// Config.Affinity: P i runs on CPU Affinity[i%len]. The thread gets that CPU when its worker first runs a task
// with the P (execute, or exitsyscall), and all of the process's back before it gives way, since the native
// scheduler may run any goroutine there meanwhile, and before it sleeps. A preemption just within a swap can take a
// worker off a thread that is still bound to a CPU. It gets its CPUs back when the worker notices.
// A task in Block keeps the CPU of the P that it had. sysmon and wired tasks (lockthread.go) have none.

// tracksThreads tells that workers have threads, and that these can be told apart.
const tracksThreads = thread.Exists && coro.Backend == "cell"

// noCPU is where no CPU has been asked for, or set.
const noCPU = -1

// threadLookNS is how often a worker that gives way all the time looks at its thread.
const threadLookNS = 1_000_000

// bound tells which worker has bound a thread to a CPU, so that one that has left it does not take it off another
// that has come since. It is used only with Config.Affinity.
var bound = struct {
	sync.Mutex
	by map[int]*M
}{by: map[int]*M{}}

// checkAffinity refuses a Config.Affinity that can't be had.
func checkAffinity(cpus []int) error {
	if len(cpus) == 0 {
		return nil
	}
	all, err := thread.Initial()
	if err != nil {
		return &ConfigError{"Affinity", "not possible on this system: " + err.Error()}
	}
	for _, cpu := range cpus {
		if cpu < 0 {
			return &ConfigError{"Affinity", fmt.Sprintf("%d is negative", cpu)}
		}
		if !all.Has(cpu) {
			return &ConfigError{"Affinity", fmt.Sprintf("%d is no CPU on which this process may run", cpu)}
		}
	}
	return nil
}

// cpuOf returns the CPU of P id.
func (s *Scheduler) cpuOf(id int) int32 {
	if cpus := s.cfg.Affinity; tracksThreads && len(cpus) > 0 {
		return int32(cpus[id%len(cpus)])
	}
	return noCPU
}

// noteThread finds out whether m is on another thread than when it last looked.
func (m *M) noteThread() {
	if !tracksThreads {
		return
	}
	id := thread.ID()
	if id == m.thread {
		return
	}
	if m.thread != 0 {
		m.s.nThreadMoves.Add(1)
		if m.p != nil {
			m.p.n.threadMoves.add(1)
		}
		m.freeCPU()
	}
	m.thread = id
}

// takeCPU binds m's thread to the CPU of its P, which is not that to which it is bound now.
func (m *M) takeCPU() {
	m.noteThread()
	cpu := m.p.cpu
	bound.Lock()
	bound.by[m.thread] = m
	_ = thread.Set(m.thread, thread.Only(int(cpu))) // refused only if the process has lost that CPU
	bound.Unlock()
	m.cpu = cpu
}

// freeCPU gives the thread that m has noted, where it may be no longer, all CPUs of the process again.
func (m *M) freeCPU() {
	if m.cpu == noCPU {
		return
	}
	m.cpu = noCPU
	bound.Lock()
	if bound.by[m.thread] == m {
		delete(bound.by, m.thread)
		if all, err := thread.Initial(); err == nil {
			_ = thread.Set(m.thread, all) // fails if the thread has ended
		}
	}
	bound.Unlock()
}

// unbind takes the CPU off m's thread before others may run there. It runs on g0.
func (m *M) unbind() {
	if m.cpu != noCPU {
		m.noteThread()
		m.freeCPU()
	}
}

// gosched lets other goroutines run, on m's thread too; m may come back on another one. It runs on g0.
func (m *M) gosched() {
	m.unbind()
	coro.Gosched()
	m.at = m.s.nanotime()
	m.nativeAt = m.at
}

// gaveWay is called when m has given way to the native scheduler, at time now.
func (m *M) gaveWay(now int64) {
	if tracksThreads && now-m.threadAt > threadLookNS {
		m.threadAt = now
		m.noteThread()
	}
}
