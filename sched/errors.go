package sched

import (
	"errors"
	"fmt"
	"strings"
)

// ErrClosed is returned by what was asked of a Scheduler after its Close, and by Run when the
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

// CloseError names the tasks that Close could not unwind: each was still running, in a loop without
// calls or a native block, when Close gave up waiting.
type CloseError struct {
	Tasks []uint64 // their ids
}

// Error lists the ids.
func (e *CloseError) Error() string {
	var b strings.Builder
	for i, id := range e.Tasks {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d", id)
	}
	return "sched: Close: still running: task " + b.String()
}
