package sched

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/clock"
)

var errFailing = errors.New("nothing can be written here")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errFailing }

const traceVar = "USERRT_SCHEDTRACE"

var traceRE = regexp.MustCompile(`^SCHED \d+ms: gomaxprocs=2 idleprocs=[0-2] threads=\d spinningthreads=[0-2] ` +
	`needspinning=[01] idlethreads=\d runqueue=\d+ \[ \d+ \d+ \] schedticks=\[ \d+ \d+ \] scheduler=\d+ tasks=\d+$`)

// The test runs itself once more with the variable set: work, an idle time, work, Close.
func TestSchedtraceFromTheEnvironment(t *testing.T) {
	if os.Getenv(traceVar) != "" {
		s, err := New(Config{Procs: 2})
		require.NoError(t, err)
		spin := func() {
			run(t, s, func() {
				for end := clock.Nanotime() + 60e6; clock.Nanotime() < end; {
					Go(func() {})
					Yield()
				}
			})
		}
		spin()
		quiet(t, s)
		os.Stderr.WriteString("idle\n")
		time.Sleep(60 * time.Millisecond) // in which nothing is to be seen
		os.Stderr.WriteString("busy\n")
		spin()
		os.Stderr.WriteString("close\n")
		require.NoError(t, s.Close())
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestSchedtraceFromTheEnvironment$", "-test.count=1")
	cmd.Env = append(os.Environ(), traceVar+"=5")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s\n%s", out, stderr.String())
	text := stderr.String()
	busy, rest, ok := strings.Cut(text, "idle\n")
	require.True(t, ok, text)
	idle, rest, ok := strings.Cut(rest, "busy\n")
	require.True(t, ok, text)
	again, end, ok := strings.Cut(rest, "close\n")
	require.True(t, ok, text)
	require.NotEmpty(t, traceLines(t, busy))
	require.LessOrEqual(t, len(traceLines(t, idle)), 1, "at most the round in which sysmon sees that all is idle: %s", text)
	require.NotEmpty(t, traceLines(t, again))
	last := traceLines(t, end)
	require.NotEmpty(t, last)
	require.Contains(t, last[len(last)-1], " threads=0 ")
	require.Regexp(t, ` tasks=0$`, last[len(last)-1])
}

func traceLines(t *testing.T, text string) (lines []string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		require.Regexp(t, traceRE, line)
		lines = append(lines, line)
	}
	return lines
}

func TestSchedTrace(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	run(t, s, func() {
		Go(func() {})
		Go(func() {})
		var b strings.Builder
		require.NoError(t, s.SchedTrace(&b))
		require.Regexp(t, `^SCHED \d+ms: gomaxprocs=1 idleprocs=0 threads=2 spinningthreads=0 needspinning=[01] idlethreads=0 runqueue=0 \[ 1 \] schedticks=\[ 1 \] scheduler=\d+ tasks=3\n$`,
			b.String(), "threads: the worker and the monitor")
	})
}

// The line begins with the runtime's own names, in its order, so that what reads that can read this.
func TestSchedTraceHasTheRuntimesFields(t *testing.T) {
	if os.Getenv("GODEBUG") == "schedtrace=1" {
		_, err := io.Copy(io.Discard, os.Stdin) // until the other has seen the first line
		require.NoError(t, err)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestSchedTraceHasTheRuntimesFields$", "-test.count=1")
	cmd.Env = append(os.Environ(), "GODEBUG=schedtrace=1")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var native string
	within(t, func() {
		text := bufio.NewReader(stderr)
		line, err := text.ReadString('\n')
		require.NoError(t, err)
		native = strings.TrimSuffix(line, "\n")
		require.NoError(t, stdin.Close())
		_, err = io.Copy(io.Discard, text)
		require.NoError(t, err)
		require.NoError(t, cmd.Wait())
	})
	require.NotEmpty(t, native)
	var ours strings.Builder
	require.NoError(t, newTest(t, Config{Procs: 2}).SchedTrace(&ours))
	require.True(t, strings.HasPrefix(shape(ours.String()), shape(native)), "%s\n%s", native, ours.String())
}

// shape is line without its numbers, and with one for each list.
func shape(line string) string {
	return regexp.MustCompile(`(\d+ )+\]`).ReplaceAllString(regexp.MustCompile(`\d+`).ReplaceAllString(line, "0"), "0 ]")
}

func TestParseTraceEvery(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "x": 0, "-1": 0, "0": 0, "1": 1e6, "1000": 1e9, "99999999999": 0} {
		require.Equal(t, want, parseTraceEvery(text), text)
	}
}
