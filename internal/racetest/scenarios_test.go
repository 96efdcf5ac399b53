//go:build race

package racetest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/patience"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// scenario is a small program, done again and again with the same schedulers: what has gone well once may have been luck.
type scenario struct {
	name string
	run  func(e *env)
	reps int   // 0 means 200
	proc []int // numbers of processors; none means 1 and 8

	inside bool // it touches the inside of what is ours
}

// env is what a scenario works with. Its functions are called on a plain goroutine.
type env struct {
	s, other *sched.Scheduler
	procs    int
}

// tasks runs functions in tasks of their own, in this order if there is one processor, and waits for all by
// native means, which put no edge between one of them and another.
func (e *env) tasks(fns ...func()) {
	var wg sync.WaitGroup
	wg.Add(len(fns))
	for _, fn := range fns {
		e.s.Go(func() {
			defer wg.Done()
			fn()
		})
	}
	wg.Wait()
}

// task runs fn in a task.
func (e *env) task(fn func()) { must(e.s.Run(fn)) }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func newScheduler(procs int) *sched.Scheduler {
	s, err := sched.New(sched.Config{Procs: procs})
	must(err)
	return s
}

// scenarioVar has the name of the scenario that this process is to run, procsVar the numbers of processors.
const (
	scenarioVar = "USERRT_TEST_SCENARIO"
	procsVar    = "USERRT_TEST_PROCS"
	ended       = "the scenario has ended"
)

func allScenarios() []scenario {
	return slices.Concat(races, racesInCalls, racesLocks, orderedSched, orderedCalls, orderedChan, orderedOthers, orderedLocks)
}

// TestRunScenario is what the other tests start a process for.
func TestRunScenario(t *testing.T) {
	name := os.Getenv(scenarioVar)
	if name == "" {
		t.Skip("runs only where another test asks for it")
	}
	all := allScenarios()
	i := slices.IndexFunc(all, func(sc scenario) bool { return sc.name == name })
	require.GreaterOrEqual(t, i, 0, "there is a scenario %q", name)
	for _, n := range strings.Fields(os.Getenv(procsVar)) {
		testsched.Within(t, func() { all[i].repeat(n) })
	}
	fmt.Println(ended)
}

func (sc scenario) repeat(procs string) {
	var n int
	_, err := fmt.Sscan(procs, &n)
	must(err)
	e := &env{s: newScheduler(n), other: newScheduler(2), procs: n}
	if sc.reps == 0 {
		sc.reps = 200
	}
	for range sc.reps {
		sc.run(e)
	}
	must(e.s.Close())
	must(e.other.Close())
}

func (sc scenario) procs() []int {
	if sc.proc == nil {
		return []int{1, 8}
	}
	return sc.proc
}

// start runs a scenario in a process of its own and returns what that has printed, and how it has ended.
func (sc scenario) start(t *testing.T, procs ...int) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience.Times(time.Minute)) // the process itself gives up sooner
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestRunScenario$", "-test.count=1")
	cmd.Env = append(os.Environ(), scenarioVar+"="+sc.name, procsVar+"="+strings.Trim(fmt.Sprint(procs), "[]"),
		"GORACE="+raceOptions)
	return finish(cmd)
}

// finish runs cmd; if its time is over it is to say where it hangs.
func finish(cmd *exec.Cmd) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	return out.String(), err
}

const (
	warning = "WARNING: DATA RACE"

	// The detector sleeps for a second before a process ends, to see late accesses; nothing is left to run here.
	raceOptions = "halt_on_error=0 exitcode=66 atexit_sleep_ms=0"
)

// access matches the first lines of an access in a report, and the function that it was made in.
var access = regexp.MustCompile(`(?m)^(?:Read|Write|Previous read|Previous write) at 0x[0-9a-f]+ by .*:\n  (.*)$`)

// theirs matches functions of this package, and calls of which the detector is told as if they were accesses, since
// to make them at the same time is misuse: Send and Close, Add and Wait. So are the writes by which a select gives its user what
// it has received. What the detector has forgotten counts too.
var theirs = regexp.MustCompile(`/racetest\.|^\[failed to restore|hchan\.\(\*Chan\[.*\]\)\.(?:Send|TrySend|Close)\(|hchan\.putByUser\[|hchan\.\(\*Case\)\.setOK\(` +
	`|waitgroup\.\(\*WaitGroup\)\.(?:Add|Done|Go|Wait|WaitContext)\(|locks\.\(\*(?:RW)?Mutex\)\.\w+\(|^runtime\.race(?:read|write)\(`)

// onlyTheirs reports whether a report, or output with several, tells of the program's own doings and of nothing inside
// userrt.
func onlyTheirs(report string) bool {
	for _, m := range access.FindAllStringSubmatch(report, -1) {
		if !theirs.MatchString(m[1]) {
			return false
		}
	}
	return true
}

// seesTasks skips a test of what must be reported in builds that can't tell the detector of tasks; see package hb.
func seesTasks(t *testing.T) {
	t.Helper()
	if !hb.On {
		t.Skip("all tasks of one worker are ordered to the race detector in this build")
	}
}

func TestRacesAreReported(t *testing.T) {
	seesTasks(t)
	for _, sc := range slices.Concat(races, racesInCalls, racesLocks) {
		for _, n := range sc.procs() {
			t.Run(fmt.Sprintf("%s/procs=%d", sc.name, n), func(t *testing.T) {
				t.Parallel()
				out, err := sc.start(t, n)
				require.Contains(t, out, ended)
				require.Contains(t, out, warning)
				require.Error(t, err, "a race is reported in the exit status too")
				require.True(t, sc.inside || onlyTheirs(out), "accesses of the scenario only, none of userrt's:\n%s", out)
			})
		}
	}
}

func testOrdered(t *testing.T, scs []scenario) {
	for _, sc := range scs {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			out, err := sc.start(t, sc.procs()...)
			require.NotContains(t, out, warning)
			require.Contains(t, out, ended)
			require.NoError(t, err, out)
		})
	}
}

func TestCallsOfUsersAreOrdered(t *testing.T) { testOrdered(t, orderedCalls) }

func TestSchedIsOrdered(t *testing.T) { testOrdered(t, orderedSched) }

func TestChannelsAreOrdered(t *testing.T) { testOrdered(t, orderedChan) }

func TestOthersAreOrdered(t *testing.T) { testOrdered(t, orderedOthers) }

func TestLocksAreOrdered(t *testing.T) { testOrdered(t, orderedLocks) }

func TestNamesOfScenariosDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, sc := range allScenarios() {
		require.False(t, seen[sc.name], sc.name)
		seen[sc.name] = true
	}
}
