package sched

import "github.com/userrt/userrt/internal/hb"

// Calls at the moments of a task's and a worker's life. The same in Go: runtime/trace.go, which writes events instead.

// Hooks are functions that a Scheduler calls at certain moments; those that are nil are not called, and with
// none set each moment costs a test of one word. They are called on the worker in the midst of scheduling,
// several at a time: they must be quick and must not block, panic or call anything of this package. Tracing and
// tests are made of them; for sums Stats is cheaper. Task ids are those of ID, Ps are numbered from 0.
//
// The order of the calls for one task is that of its life: spawned, started, then parked and readied in turn,
// ended. Readied comes before what the task does next, and parked before readied, although another worker may
// call it.
type Hooks struct {
	TaskSpawned func(id, parent uint64)          // a task was made, by the task parent or, 0, by a plain goroutine
	TaskStarted func(id uint64, p int)           // it begins to run, on P p
	TaskParked  func(id uint64, why WaitReason)  // it waits, and its stack has been left
	TaskReadied func(id uint64)                  // it is about to be made runnable again
	TaskEnded   func(id uint64)                  // it is over, deferred calls included, or was dropped before it started
	TaskStolen  func(id uint64, from, thief int) // P thief runs it, which it has taken from P from, maybe with others

	WorkerStarted  func(workers int) // a worker, that is a thread, is about to be started; so many there are then
	WorkerStuck    func(p int)       // the task on P p makes no call of ours; one more P and worker will stand in for it
	WorkerRelieved func(p int)       // it moves again
}

// any reports whether there is a hook at all.
func (h *Hooks) any() bool {
	return h.TaskSpawned != nil || h.TaskStarted != nil || h.TaskParked != nil || h.TaskReadied != nil ||
		h.TaskEnded != nil || h.TaskStolen != nil ||
		h.WorkerStarted != nil || h.WorkerStuck != nil || h.WorkerRelieved != nil
}

// The moments. Who comes by one looks at s.hooks, which is nil when no hook is set (a P has a copy), and calls
// the method only if it is not: a test of a word instead of a call.

func (h *Hooks) spawned(gp *G) {
	if f := h.TaskSpawned; f != nil {
		spawnHook(f, gp.id, gp.parent)
	}
}

// spawnHook calls f, which to the race detector is part of the caller's call of Go.
func spawnHook(f func(id, parent uint64), id, parent uint64) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	f(id, parent)
}

func (h *Hooks) started(gp *G, p *P) {
	if h.TaskStarted != nil {
		h.TaskStarted(gp.id, int(p.id))
	}
}

func (h *Hooks) parked(gp *G) {
	if h.TaskParked != nil {
		h.TaskParked(gp.id, gp.reason)
	}
}

func (h *Hooks) readied(gp *G) {
	if h.TaskReadied != nil {
		h.TaskReadied(gp.id)
	}
}

func (h *Hooks) ended(gp *G) {
	if h.TaskEnded != nil {
		h.TaskEnded(gp.id)
	}
}

func (h *Hooks) stolen(gp *G, from, thief *P) {
	if h.TaskStolen != nil {
		h.TaskStolen(gp.id, int(from.id), int(thief.id))
	}
}

func (h *Hooks) workerStarted(workers int) {
	if h.WorkerStarted != nil {
		h.WorkerStarted(workers)
	}
}

func (h *Hooks) relief(p *P, stuck bool) {
	switch {
	case stuck && h.WorkerStuck != nil:
		h.WorkerStuck(int(p.id))
	case !stuck && h.WorkerRelieved != nil:
		h.WorkerRelieved(int(p.id))
	}
}
