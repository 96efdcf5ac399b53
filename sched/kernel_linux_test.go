package sched

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What only the kernel can tell: threads and context switches.

// lifeRounds is how many Schedulers TestThreadsAreBackAfterClose makes.
var lifeRounds = flag.Int("liferounds", 200, "rounds of New, work and Close or Shutdown in TestThreadsAreBackAfterClose")

// statusField adds up a field of status files in /proc.
func statusField(t *testing.T, field string, files ...string) (sum int) {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + field + `:\s+(\d+)`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // that thread has ended
		}
		m := line.FindSubmatch(text)
		require.NotNil(t, m, "%s in %s", field, name)
		n, err := strconv.Atoi(string(m[1]))
		require.NoError(t, err)
		sum += n
	}
	return sum
}

func threads(t *testing.T) int { return statusField(t, "Threads", "/proc/self/status") }

// TestThreadsAreBackAfterClose counts threads after the tenth round and after the last. The runtime
// itself may start a thread now and then, so a few more are none of ours.
func TestThreadsAreBackAfterClose(t *testing.T) {
	const slack = 3
	tenth := 0
	for round := 1; round <= *lifeRounds; round++ {
		with(t, 4, func(s *Scheduler) {
			work(t, s)
			switch round % 3 {
			case 0: // ended by Close
				s.Go(parkForever)
			case 1:
				s.Go(func() { work(t, s) })
				require.NoError(t, shutdown(t, s, context.Background()))
			case 2:
				s.Go(parkForever)
				require.Error(t, shutdown(t, s, canceled()))
			}
		})
		if round == 10 {
			tenth = threads(t)
		}
	}
	until(t, fmt.Sprintf("threads go back to %d", tenth), func() bool { return threads(t) <= tenth+slack })
}

// contextSwitches returns how often this process's threads have gone to sleep so far.
func contextSwitches(t *testing.T) int {
	t.Helper()
	dir, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	var files []string
	for _, e := range dir {
		files = append(files, "/proc/self/task/"+e.Name()+"/status")
	}
	return statusField(t, "voluntary_ctxt_switches", files...)
}

// quietest returns the fewest context switches of the process in windows of 300 ms; it stops at the
// first window with no more than enough.
func quietest(t *testing.T, enough int) int {
	t.Helper()
	fewest := 1 << 30
	for range 10 {
		before := contextSwitches(t)
		window := time.NewTimer(300 * time.Millisecond)
		<-window.C
		n := contextSwitches(t) - before
		if n < 0 {
			continue // a thread has ended and taken its count with it
		}
		if fewest = min(fewest, n); fewest <= enough {
			break
		}
	}
	return fewest
}

// TestIdleSchedulerRunsNothing watches the process after a load. The native runtime's own sleeps, which
// the test's timer and file reads cause, are measured before there is a scheduler, in the same way; an
// idle scheduler may add a handful. A single ticker of 10 ms would add 30.
func TestIdleSchedulerRunsNothing(t *testing.T) {
	const handful = 6
	native := max(quietest(t, 0), 0) // threads that end take their count with them
	s := newTest(t, Config{Procs: 8})
	for range 50 {
		work(t, s)
	}
	s.Go(parkForever)
	n := quietest(t, native+handful)
	if n > native+handful { // if the machine has become busier, it is so without a scheduler too
		within(t, func() { require.NoError(t, s.Close()) }, s)
		native = max(native, quietest(t, 0))
	}
	require.LessOrEqual(t, n, native+handful)
}
