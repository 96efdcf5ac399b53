package sched

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

// The moments, each behind the one test: s.hooks is nil when no hook is set.

func (s *Scheduler) hookSpawned(gp *G) {
	if h := s.hooks; h != nil && h.TaskSpawned != nil {
		h.TaskSpawned(gp.id, gp.parent)
	}
}

func (p *P) hookStarted(gp *G) {
	if h := p.s.hooks; h != nil && h.TaskStarted != nil {
		h.TaskStarted(gp.id, int(p.id))
	}
}

func (s *Scheduler) hookParked(gp *G) {
	if h := s.hooks; h != nil && h.TaskParked != nil {
		h.TaskParked(gp.id, gp.reason)
	}
}

func (s *Scheduler) hookReadied(gp *G) {
	if h := s.hooks; h != nil && h.TaskReadied != nil {
		h.TaskReadied(gp.id)
	}
}

func (s *Scheduler) hookEnded(gp *G) {
	if h := s.hooks; h != nil && h.TaskEnded != nil {
		h.TaskEnded(gp.id)
	}
}

func (s *Scheduler) hookRelief(p *P, stuck bool) {
	switch h := s.hooks; {
	case h == nil:
	case stuck && h.WorkerStuck != nil:
		h.WorkerStuck(int(p.id))
	case !stuck && h.WorkerRelieved != nil:
		h.WorkerRelieved(int(p.id))
	}
}

func (p *P) hookStolen(gp *G, from *P) {
	if h := p.s.hooks; h != nil && h.TaskStolen != nil {
		h.TaskStolen(gp.id, int(from.id), int(p.id))
	}
}
