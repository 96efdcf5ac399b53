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
	"golang.org/x/sys/unix"
)

// What only the kernel can tell: threads and context switches.

// lifeRounds is how many Schedulers TestThreadsAreBackAfterClose makes.
var lifeRounds = flag.Int("liferounds", 1000, "rounds of New, work and Close or Shutdown in TestThreadsAreBackAfterClose")

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

// usage is what all threads of the process, also those that have ended, have taken so far: how often they have gone to sleep, and the
// processors' time.
type usage struct {
	switches int
	cpu      time.Duration
}

func usageNow(t *testing.T) usage {
	t.Helper()
	var u unix.Rusage
	require.NoError(t, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return usage{int(u.Nvcsw), time.Duration(u.Utime.Nano() + u.Stime.Nano())}
}

// quietest returns the fewest context switches of the process in windows of time; it stops at the
// first window with no more than enough.
func quietest(t *testing.T, window time.Duration, enough int) int {
	t.Helper()
	fewest := 1 << 30
	for range 10 {
		before := usageNow(t)
		timer := time.NewTimer(window)
		<-timer.C
		after := usageNow(t)
		n := after.switches - before.switches
		t.Logf("in %v: %d voluntary context switches, %v of processor time", window, n, after.cpu-before.cpu)
		if fewest = min(fewest, n); fewest <= enough {
			break
		}
	}
	return fewest
}

// idleWindow is for how long TestIdleSchedulerRunsNothing looks at a time.
var idleWindow = flag.Duration("idlewindow", baseWindow, "idle time after a load in TestIdleSchedulerRunsNothing; with -v it tells what was used")

const baseWindow = 300 * time.Millisecond

// TestIdleSchedulerRunsNothing watches the process after a load. The native runtime's own sleeps, which
// the test's timer causes, are measured before there is a scheduler, in the same way; an
// idle scheduler may add a handful, and one more for each second. A single ticker of 10 ms would add 30 in the shortest time.
func TestIdleSchedulerRunsNothing(t *testing.T) {
	const handful = 6
	native := quietest(t, baseWindow, handful)
	allowed := func() int { return native + handful*int(1+*idleWindow/time.Second) }
	s := newTest(t, Config{Procs: 8})
	for range 50 {
		work(t, s)
	}
	s.Go(parkForever)
	n := quietest(t, *idleWindow, allowed())
	if n > allowed() { // if the machine has become busier, it is so without a scheduler too
		within(t, func() { require.NoError(t, s.Close()) }, s)
		native = max(native, quietest(t, baseWindow, handful))
	}
	require.LessOrEqual(t, n, allowed())
}
