//go:build (amd64 || arm64 || 386 || riscv64) && !userrt_goroutine && !userrt_nogetg

// The canary: what cell.go and table.go take for granted of iter.Pull and of the runtime below it, one
// assumption after the other, on iter.Pull itself. No Go release promises these; so a new one has to pass
// here before cell.go is built for it (CONTRIBUTING.md, "A new Go version").
//
// Each check runs in a process of its own: an assumption that breaks may well kill it, and the others are
// to be heard too. Under -race they also show that a switch states an edge: whatever the parties of a
// check share is a plain variable.

package coro

import (
	"context"
	"iter"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/patience"
)

// An assumption is what a check shows, and what falls with it.
type assumption struct {
	name  string
	says  string
	needs string
	check func(*testing.T)
	dies  string // what the process says when it dies of the check with status 2, as it has to; "" if it must live
}

const lockText = "fatal error: coro: OS thread locking must match locking at coroutine creation"

var assumptions = []assumption{
	{
		"lazy", "a coroutine does not run before its first next",
		"New, which makes a stack that nobody has the right to run yet", checkLazy, "",
	},
	{
		"swap", "next and yield both swap the caller, whoever it is, with who lies in the cell",
		"Switch from task to task, and so the whole backend", checkSwap, "",
	},
	{
		"permute", "next and yield ask only that they alternate on one cell: three parties may lie in any cell",
		"Leave, which picks next or yield by the cell alone", checkPermute, "",
	},
	{
		"shape", "next and yield may be called as func() bool, since what has no size leaves no trace in a call",
		"cell.swap, New and Leave", checkShape, "",
	},
	{
		"unlocked", "a coroutine made without thread lock may be switched without, and lock its thread in between",
		"New, Unpin and Pin", checkUnlocked, "",
	},
	{
		"locked-in", "a switch with the thread locked to a coroutine made without kills the process",
		"nothing; but the dance of Unpin and Pin answers a rule that is no longer this one", checkLockedIn, lockText,
	},
	{
		"locked-out", "a switch away from a coroutine made without thread lock that holds one kills the process",
		"nothing; but the dance of Unpin and Pin answers a rule that is no longer this one", checkLockedOut, lockText,
	},
	{
		"threads", "a coroutine may be switched to from one locked thread after the other",
		"stealing: a stack continues on any worker", checkThreads, "",
	},
	{
		"edge", "a switch states a happens-before edge to the race detector (seen under -race only)",
		"every test under -race of what is built on this backend", checkEdge, "",
	},
	{
		"identity", "a goroutine keeps its g and its id over swaps, growth of its stack and collections",
		"the table that Self looks into", checkIdentity, "",
	},
	{
		"kept", "the g of an ended goroutine is neither freed nor moved, and is handed on",
		"getg.Ended, and the sweeps of the table that read through it", checkKept, "",
	},
	{
		"native", "a coroutine may block natively and is woken natively, while its caller lies in the cell",
		"tasks that call into native channels, locks, timers and files", checkNative, "",
	},
	{
		"return", "a coroutine's end releases who lies in its own cell, as if called, and leaves no goroutine",
		"Bury, Clear and reap", func(t *testing.T) { checkEnd(t, func() {}) }, "",
	},
	{
		"goexit", "so it does when Goexit ends it, and nothing is handed on to who lies there by way of yield",
		"reap, and so FailNow and Exit in a task", func(t *testing.T) { checkEnd(t, runtime.Goexit) }, "",
	},
	{
		"goexit-next", "who lies there by way of next is handed on the Goexit",
		"reap, which has one more swap to keep g0 from this", checkGoexitNext, "",
	},
	{
		"goexit-defer", "a deferred call may swap away while a Goexit is under way, and be continued",
		"Bury: the dead wait in any cell", checkGoexitDefer, "",
	},
	{
		"panic", "a panic that ends a coroutine is not handed on to who lies in its own cell by way of yield",
		"sched's base frame, which must let no panic pass: nobody would hear of it",
		func(t *testing.T) { checkEnd(t, func() { panic("lost") }) }, "",
	},
	{
		"panic-next", "a panic that ends a coroutine goes on in who lies in its own cell by way of next",
		"sched's base frame, which must let no panic pass: it would strike an innocent", checkPanicNext, "",
	},
	{
		"labels", "a coroutine has the pprof labels of its maker, not of who switches to it",
		"the starter, who makes all stacks; labels set at a task's start", checkLabels, "",
	},
	{
		"bubble", "a coroutine is in the synctest bubble of its maker",
		"the starter, who makes all stacks outside any bubble", checkBubble, "",
	},
}

const (
	checkVar = "USERRT_CANARY_CHECK" // names the one check that this process is to run
	forceVar = "USERRT_CANARY"       // not empty: also where cell.go is not built, for a Go version that is new
)

func TestCanary(t *testing.T) {
	if Backend != "cell" && os.Getenv(forceVar) == "" {
		t.Skip("nothing here depends on it; " + forceVar + "=1 runs it")
	}
	only := os.Getenv(checkVar)
	for _, a := range assumptions {
		t.Run(a.name, func(t *testing.T) {
			if a.name == only {
				a.check(t)
			} else if only == "" {
				a.test(t)
			}
		})
	}
}

// test runs the check in a process of its own, which the testing package ends with a dump if it hangs.
func (a *assumption) test(t *testing.T) {
	t.Helper()
	limit := patience.Times(time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 2*limit) // should not even the dump come
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestCanary$/^"+a.name+"$", "-test.count=1",
		"-test.v", "-test.timeout="+limit.String())
	cmd.Env = append(os.Environ(), checkVar+"="+a.name, forceVar+"=1", "GOTRACEBACK=all",
		"GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0")
	out, err := cmd.CombinedOutput()
	msg := "\nWith " + runtime.Version() + " this no longer holds: " + a.says + ".\nOn it depends: " + a.needs + ".\n" + string(out)
	if a.dies == "" {
		require.NoError(t, err, msg)
		require.Contains(t, string(out), "--- PASS: TestCanary/"+a.name, "it has not run")
		return
	}
	require.NotNil(t, cmd.ProcessState, msg)
	require.Equal(t, 2, cmd.ProcessState.ExitCode(), msg)
	require.Contains(t, string(out), a.dies, msg)
}

// void is what iter.Pull passes and cell.go leaves out.
type void = struct{}

// A hole is one iter.Pull, with nothing of cell.go around it.
type hole struct {
	next  func() (void, bool)
	yield func(void) bool // from the first next on
}

func dig(body func()) *hole {
	h := &hole{}
	h.next, _ = iter.Pull(func(yield func(void) bool) {
		h.yield = yield
		body()
	})
	return h
}
