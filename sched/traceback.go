package sched

import (
	"bytes"
	"reflect"
	"runtime"
	"strconv"
	"strings"

	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/sema"
)

// Tracebacks of tasks. A task's stack is a native goroutine, so one call of runtime.Stack has them all, as
// text: it is cut into goroutines, and each task finds its own by the goroutine's id. The world stands
// still meanwhile, some microseconds for each goroutine. The same in Go: runtime/traceback.go,
// tracebackothers.

// maxTraceback bounds that text, as net/http/pprof does.
const maxTraceback = 64 << 20

// traceback is what runtime.Stack tells of one goroutine.
type traceback struct {
	status string // "chan receive", "running", ...; without "locked to thread" and minutes
	frames string // two lines for each call, the innermost first; then who created it
}

// tracebacks returns those of all goroutines by their ids; whole is false when there are too many.
func tracebacks() (all map[uint64]traceback, whole bool) {
	size := 64<<10 + 2<<10*runtime.NumGoroutine()
	for {
		buf := make([]byte, min(size, maxTraceback))
		n := runtime.Stack(buf, true)
		if n < len(buf) || size >= maxTraceback {
			return cutTracebacks(buf[:n]), n < len(buf)
		}
		size *= 2
	}
}

func cutTracebacks(text []byte) map[uint64]traceback {
	all := map[uint64]traceback{}
	for block := range bytes.SplitSeq(text, []byte("\n\n")) {
		head, frames, _ := strings.Cut(string(block), "\n")
		// goroutine 7 gp=0x.. [chan receive, 2 minutes, locked to thread]:
		rest, ok := strings.CutPrefix(head, "goroutine ")
		if !ok {
			continue
		}
		num, rest, _ := strings.Cut(rest, " ")
		id, err := strconv.ParseUint(num, 10, 64)
		if err != nil {
			continue
		}
		_, rest, _ = strings.Cut(rest, "[")
		status, _, _ := strings.Cut(rest, "]")
		status, _, _ = strings.Cut(status, ",")
		all[id] = traceback{status, strings.TrimRight(frames, "\n")}
	}
	return all
}

// Functions that stand above and below the user's.
var (
	coroPkg = reflect.TypeFor[coro.Stack]().PkgPath() + "."
	semaPkg = reflect.TypeFor[sema.Sema]().PkgPath() + "."
	ourPkg  = reflect.TypeFor[stack]().PkgPath() + "."
	bottom  = ourPkg + "(*stack).runTasks("
	above   = []string{"iter.", "runtime.", "internal/runtime/", "sync.", "internal/sync.", coroPkg, semaPkg}
)

// user returns the frames without those that every task has: below the task's function, and, if it is
// parked, those that made the switch.
func (t traceback) user(parked bool) string {
	frames := t.frames
	if i := strings.Index("\n"+frames, "\n"+bottom); i >= 0 {
		frames = frames[:max(i-1, 0)]
	}
	for parked {
		i := strings.Index(frames, "\n")          // behind the function
		j := strings.Index(frames[i+1:], "\n")    // behind its line
		if i < 0 || j < 0 || !switching(frames) { // the last is kept
			break
		}
		frames = frames[i+1+j+1:]
	}
	return frames
}

func switching(frames string) bool {
	for _, pkg := range above {
		if strings.HasPrefix(frames, pkg) {
			return true
		}
	}
	return false
}
