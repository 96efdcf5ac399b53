package sched

import (
	"fmt"
	"os"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

// Conformance with the Go scheduler: ends of the process. A child does what its name says in a task (crash_test.go).

// conformCrashes are ways to end the process, with what its report has to contain. The tests are those of runtime/crash_test.go.
var conformCrashes = map[string]struct {
	f    func()
	want []string
}{
	// runtime/crash_test.go, TestPanicAfterGoexit
	"panic after Goexit": {func() { defer panics("hello"); Exit() }, []string{"panic: hello"}},
	// runtime/crash_test.go, TestPanicTraceback: the frames from the last panic down to the task's function
	"panics in panics": {nestedPanics, []string{"panic: last", "nestedPanics.func1", "nestedPanics.", "conformance_crash_test.go"}},
	// runtime/crash_test.go, TestPanicDeadlockGosched
	"error that yields": {func() { panic(yieldingError{}) }, []string{"panic: it has yielded"}},
	// runtime/crash_test.go, TestPanicDeadlockSyscall
	"error that writes": {func() { panic(writingError{}) }, []string{"1\n2\npanic: 3"}},
	// runtime/crash_test.go, TestPanicLoop
	"error that panics": {func() { panic(panickingError{}) }, []string{"panic while printing panic value"}},
	// runtime/crash_test.go, TestStackOverflow
	"stack overflow": {func() { debug.SetMaxStack(1474560); overflow(1) }, []string{"stack exceeds 1474560-byte limit", "fatal error: stack overflow"}},
	// runtime/crash_test.go, TestMainGoroutineID: it is the task that the report names
	"task id": {func() { panic("test") }, []string{"panic: test", "task 1 [running]:"}},
	// runtime/crash_test.go, TestPanicRace: the first report is complete although others follow on its heels
	"many at once": {func() {
		for i := range 20 {
			Go(func() { panic(fmt.Sprintf("crash %d", i)) })
		}
		parkForever()
	}, []string{"panic: crash", "task ", "conformance_crash_test.go"}},
}

func nestedPanics() {
	defer panics("last")
	defer func() { panic("second") }()
	panic("first")
}

type yieldingError struct{}

func (yieldingError) Error() string { Yield(); return "it has yielded" }

type writingError struct{}

func (writingError) Error() string {
	Block(func() { fmt.Fprintln(os.Stderr, 1) })
	fmt.Fprintln(os.Stderr, 2)
	return "3"
}

type panickingError struct{}

func (panickingError) Error() string { panic("double error") }

//go:noinline
func overflow(n int) byte {
	var buf [64 << 10]byte
	if n < 0 {
		return 0 // never
	}
	buf[n] = byte(n)
	return buf[0] + overflow(n+1)
}

func TestConformanceCrash(t *testing.T) {
	for name, c := range conformCrashes {
		t.Run(name, func(t *testing.T) {
			stderr := unindent(crashOf(t, "conform/"+name))
			for _, want := range c.want {
				require.Contains(t, stderr, want)
			}
		})
	}
}
