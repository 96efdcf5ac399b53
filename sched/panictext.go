package sched

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime/debug"
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
)

// The text of a panic: its value as the runtime prints it, and the task's own part of the stack.

// newPanicError is called by the deferred function that has recovered v, in the task with that id, 0 for a
// plain goroutine.
func newPanicError(v any, id uint64) *PanicError {
	if e, ok := v.(*PanicError); ok {
		return e // raised again by Join or its like
	}
	e := &PanicError{Value: v, Stack: taskStack(debug.Stack()), TaskID: id}
	if gp := currentTask(); gp != nil && gp.id == id {
		e.TaskName = gp.name
		e.Stack = append(e.Stack, createdBy(gp.pc, gp.parent)...)
	}
	if hb.On {
		hb.Fresh(unsafe.Pointer(unsafe.SliceData(e.Stack)), uintptr(cap(e.Stack)))
		hb.Fresh(unsafe.Pointer(e), unsafe.Sizeof(*e))
	}
	return e
}

// recovered is newPanicError for the calling task, or plain goroutine.
func recovered(v any) *PanicError {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	id, _ := ID()
	return newPanicError(v, id)
}

// taskStack cuts from a goroutine's traceback, taken by a deferred function that has recovered a panic, what
// is ours: the head line, the frames above the panic, the frames below the task's function. Without those
// (on a plain goroutine, say) the rest stays whole.
func taskStack(stack []byte) []byte {
	if i := bytes.IndexByte(stack, '\n'); i >= 0 {
		stack = stack[i+1:] // "goroutine 7 [running]:"
	}
	if i := bytes.Index(stack, []byte("\npanic(")); i >= 0 {
		rest := stack[i+1:]
		for range 2 { // the function's line and the file's
			if j := bytes.IndexByte(rest, '\n'); j >= 0 {
				rest = rest[j+1:]
			}
		}
		stack = rest
	}
	for _, base := range []string{"(*frame).runStolen(", "(*stack).runTasks("} {
		if i := bytes.Index(stack, []byte("\ngithub.com/userrt/userrt/sched."+base)); i >= 0 {
			return bytes.Clone(stack[:i+1])
		}
	}
	return bytes.Clone(stack)
}

// traceback returns the task's stack under its head line.
func (e *PanicError) traceback() string { return taskHead(e.TaskID, e.TaskName) + string(e.Stack) }

// panicText returns what the runtime would print for v after "panic: ".
// The same in Go: runtime/error.go, printpanicval and printanycustomtype.
func panicText(v any) string {
	switch v := v.(type) {
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	}
	r := reflect.ValueOf(v)
	var text string
	switch k := r.Kind(); {
	case k == reflect.String:
		text = r.String()
	case k >= reflect.Bool && k <= reflect.Complex128:
		text = fmt.Sprint(v)
	default:
		type eface struct{ typ, data unsafe.Pointer }
		return fmt.Sprintf("(%T) %p", v, (*eface)(unsafe.Pointer(&v)).data)
	}
	switch k := r.Kind(); {
	case r.Type().PkgPath() == "": // predeclared
		return text
	case k == reflect.String:
		return fmt.Sprintf("%T(\"%s\")", v, text)
	case k == reflect.Complex64 || k == reflect.Complex128:
		return fmt.Sprintf("%T%s", v, text) // it has brackets of its own
	}
	return fmt.Sprintf("%T(%s)", v, text)
}
