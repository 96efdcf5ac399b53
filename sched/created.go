package sched

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
)

// Where tasks come from: the call that made one, the task that made that call, and a name. Kept as one
// program counter and one id, which cost a spawn 2 ns; names of functions and files are looked up when
// somebody prints them. The same in Go: runtime/runtime2.go, g.gopc and g.parentGoid;
// runtime/traceback.go, printcreatedby.

// created notes where gp, which is new, comes from. The two words are overwritten by the next task that gets
// this G, and mean nothing while gp is dead; a name is cleared at the task's end.
func (gp *G) created(parent uint64, pc uintptr, o *TaskOptions) {
	gp.parent, gp.pc = parent, pc
	if o != nil && o.Name != "" {
		gp.name = o.Name
		gp.extras |= hasName
	}
}

// idOf returns gp's id, 0 for nil.
func (gp *G) idOf() uint64 {
	if gp == nil {
		return 0
	}
	return gp.id
}

// parent returns the id of the calling task for a task of s to remember: 0 for a plain goroutine and for a
// task of another scheduler, whose ids mean nothing here.
func (s *Scheduler) parent() uint64 {
	if gp := currentTask(); gp != nil && gp.s == s {
		return gp.id
	}
	return 0
}

// createdBy returns the last lines of the traceback of a task with these G.pc and G.parent, as a goroutine's
// has them, each with a line feed; "" when nothing is known.
func createdBy(pc uintptr, parent uint64) string {
	var f runtime.Frame
	if pc != 0 {
		f, _ = runtime.CallersFrames([]uintptr{pc}).Next() // a return address: it looks at the call before
	}
	switch {
	case f.Function != "":
	case parent != 0:
		return fmt.Sprintf("created in task %d\n", parent)
	default:
		return ""
	}
	var b strings.Builder
	b.WriteString("created by " + f.Function)
	if parent != 0 {
		b.WriteString(" in task " + strconv.FormatUint(parent, 10))
	}
	fmt.Fprintf(&b, "\n\t%s:%d", f.File, f.Line)
	if pc > f.Entry {
		fmt.Fprintf(&b, " +%#x", pc-f.Entry)
	}
	b.WriteByte('\n')
	return b.String()
}

// taskHead returns the first line of a task's traceback, as a goroutine's has it.
func taskHead(id uint64, name string) string {
	if name == "" {
		return fmt.Sprintf("task %d [running]:\n", id)
	}
	return fmt.Sprintf("task %d %q [running]:\n", id, name)
}
