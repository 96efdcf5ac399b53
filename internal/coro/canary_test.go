//go:build (amd64 || arm64 || 386 || riscv64) && !userrt_goroutine && !userrt_nogetg

// The canary: what cell.go and table.go take for granted of iter.Pull and of the runtime below it, one
// assumption after the other, with no more than swap.go around it. No Go release promises these; so a new one has to pass
// here before cell.go is built for it (CONTRIBUTING.md, "A new Go version").
//
// Each check runs in a process of its own: an assumption that breaks may well kill it, and the others are
// to be heard too.

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
		"found", "runtime.coroswitch and the coroutine of an iter.Pull are found as swap.go looks for them",
		"all of this backend", checkFound, "",
	},
	{
		"lazy", "a coroutine does not run before somebody swaps with it",
		"New, which makes a stack that nobody has the right to run yet", checkLazy, "",
	},
	{
		"swap", "coroswitch swaps the caller, whoever it is, with who lies in the cell",
		"Switch from task to task, and so the whole backend", checkSwap, "",
	},
	{
		"permute", "three parties and more may swap in any order, and come to lie in any cell",
		"Leave, which looks at nothing but the cell", checkPermute, "",
	},
	{
		"frame", "a switch leaves its caller's frame alone, also where the stack grows on the way into it",
		"throughCoroswitch, and the jump to mcall", checkFrame, "",
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
		"goexit", "so it does when Goexit ends it, and nothing is handed on to who lies there",
		"reap, and so FailNow and Exit in a task", func(t *testing.T) { checkEnd(t, runtime.Goexit) }, "",
	},
	{
		"goexit-defer", "a deferred call may swap away while a Goexit is under way, and be continued",
		"Bury: the dead wait in any cell", checkGoexitDefer, "",
	},
	{
		"panic", "a panic that ends a coroutine is not handed on to who lies in its own cell",
		"sched's base frame, which must let no panic pass: nobody would hear of it",
		func(t *testing.T) { checkEnd(t, func() { panic("lost") }) }, "",
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
	require.NoError(t, learn())
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

// void is what iter.Pull would pass.
type void = struct{}

// A hole is one iter.Pull and the way into it, with nothing of cell.go around it.
type hole struct{ way }

func dig(body func()) *hole {
	h := &hole{}
	next, _ := iter.Pull(func(func(void) bool) {
		h.begin()
		defer h.end()
		body()
	})
	h.set(coroOf(next))
	return h
}

// enter swaps the caller with who lies there.
func (h *hole) enter() { h.swap()() }
