package sched

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The errors that calls return. (PanicError is in panic.go.) The runtime ends the process in their place.

// ErrClosed is returned by what was asked of a Scheduler after its Close or Shutdown, and by Run when the
// Scheduler closed before the task's end.
var ErrClosed = errors.New("sched: Scheduler closed")

// ErrExited is returned for a task that ended by Exit or runtime.Goexit.
var ErrExited = errors.New("sched: task exited")

// ConfigError says which field of a Config is not usable, and why.
type ConfigError struct {
	Field  string // the field's name in Config
	Reason string
}

// Error returns "sched: Config.FIELD: REASON".
func (e *ConfigError) Error() string { return "sched: Config." + e.Field + ": " + e.Reason }

// TaskRef names a task.
type TaskRef struct {
	ID   uint64
	Name string // as GoWith was told; may be empty
}

// String returns "task ID" or "task ID (NAME)".
func (r TaskRef) String() string {
	if r.Name == "" {
		return fmt.Sprintf("task %d", r.ID)
	}
	return fmt.Sprintf("task %d (%s)", r.ID, r.Name)
}

// CloseError says what Close or Shutdown could not see to its end. A task can't be unwound while it is in a loop without
// calls, in a native block, or in Block.
type CloseError struct {
	Op    string    // "Close" or "Shutdown"
	Tasks []TaskRef // those that could not be unwound, see below; they end later, when they next park
	Cut   int       // Shutdown only: how many tasks were unwound, or dropped before they started
	Err   error     // Shutdown only: why, the context's error, ErrClosed after a Close, or a *DeadlockError
}

// Error tells how many tasks were cut short and why, and names those that still run.
func (e *CloseError) Error() string {
	var b strings.Builder
	b.WriteString("sched: " + e.Op)
	if e.Err != nil {
		tasks := "tasks"
		if e.Cut == 1 {
			tasks = "task"
		}
		fmt.Fprintf(&b, ": %v: %d %s cut short", e.Err, e.Cut, tasks)
	}
	for i, t := range e.Tasks {
		sep := ", "
		if i == 0 {
			sep = ": still running: "
		}
		b.WriteString(sep + t.String())
	}
	return b.String()
}

// Unwrap returns Err.
func (e *CloseError) Unwrap() error { return e.Err }

// DeadlockError is what Run returns, with Config.DetectDeadlock, when no task can ever run again. The tasks
// stay parked, the caller's own among them: Close unwinds them, and new ones run as ever.
//
// It is reported when all of this has held for 10 ms or longer:
//
//   - no task is runnable, running or in Block, no timer of the scheduler is pending and nobody waits in its
//     Poller;
//   - the same holds for every other Scheduler of the process, since their tasks might wake one of ours;
//   - no plain goroutine is in a call of this package or one built on it, other than to wait there;
//   - no Expect is open.
//
// It may come up to a minute later if what the scheduler waited for was ended by a plain goroutine, which stopped the last
// timer or gave up the last wait in the Poller, and no task has run since.
//
// A plain goroutine that is not in such a call doesn't count: nobody can know what it is going to do. One that
// waits natively, in time.Sleep or for a request, and will send to a task afterwards, must be announced by
// Expect. Only while other goroutines run, or are ready to, is the report put off, by two seconds at the most,
// so that a goroutine which computes between two calls needs no Expect.
//
// A deadlock of some tasks while others go on is not reported.
type DeadlockError struct {
	Tasks []DeadlockTask // all that are parked, in no order
}

// DeadlockTask is one task that can never go on.
type DeadlockTask struct {
	TaskRef
	Reason WaitReason
	Since  time.Duration // how long it has waited; 0: not known
	On     string        // what it waits for; "": not known
	Holder TaskRef       // who holds that; zero: nobody or not known
}

// String returns a line such as "task 7 (reader) [chan receive, 2 minutes]".
func (t DeadlockTask) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v [%v", t.TaskRef, t.Reason)
	if m := int(t.Since.Minutes()); m >= 1 {
		fmt.Fprintf(&b, ", %d minutes", m)
	}
	b.WriteByte(']')
	if t.On != "" {
		b.WriteString(" on " + t.On)
	}
	if t.Holder.ID != 0 {
		fmt.Fprintf(&b, " held by %v", t.Holder)
	}
	return b.String()
}

// Error returns the runtime's text and a line for each task.
func (e *DeadlockError) Error() string {
	var b strings.Builder
	b.WriteString("sched: all tasks are asleep - deadlock!")
	for _, t := range e.Tasks {
		b.WriteString("\n" + t.String())
	}
	return b.String()
}

// deadlockTask describes gp, which is parked and can't be woken meanwhile.
func (gp *G) deadlockTask(now int64) DeadlockTask {
	t := DeadlockTask{TaskRef: TaskRef{gp.id, gp.name}, Reason: gp.reason}
	if st := gp.stackOf(); st != nil {
		w := gp.note(st)
		t.Since = time.Duration(sinceNS(w.since, now))
		t.On, t.Holder.ID = describeWait(gp.s, gp.reason, w.on)
	}
	return t
}
