package sched

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/callerpc"
)

// Panics that end the process. The test binary runs itself again, with the name of what to do in the
// environment, and looks at how that ended.

const crashVar = "USERRT_TEST_CRASH"

func TestMain(m *testing.M) {
	if name := os.Getenv(crashVar); name != "" {
		crashNow(name)
	}
	os.Exit(m.Run())
}

// crashValues are what tasks and goroutines panic with, for comparison.
var crashValues = map[string]func(){
	"error":         func() { failDeepInside(errors.New("an error")) },
	"wrapped error": func() { failDeepInside(fmt.Errorf("an error: %w", os.ErrNotExist)) },
	"stringer":      func() { failDeepInside(stringer{}) },
	"string":        func() { failDeepInside("a string") },
	"two lines":     func() { failDeepInside("a string\nof two lines") },
	"int":           func() { failDeepInside(-42) },
	"uint8":         func() { failDeepInside(uint8(200)) },
	"bool":          func() { failDeepInside(true) },
	"float64":       func() { failDeepInside(1234.5) },
	"float32":       func() { failDeepInside(float32(0.1)) },
	"complex128":    func() { failDeepInside(complex(1.5, -2)) },
	"named string":  func() { failDeepInside(namedString("a string\nof two lines")) },
	"named int":     func() { failDeepInside(namedInt(-3)) },
	"named float":   func() { failDeepInside(namedFloat(0.5)) },
	"named bool":    func() { failDeepInside(namedBool(true)) },
	"struct":        func() { failDeepInside(plain{1, 2}) },
	"pointer":       func() { failDeepInside(&plain{1, 2}) },
	"slice":         func() { failDeepInside([]int{1}) },
	"nil":           func() { failDeepInside(nil) },
	"index":         func() { failDeepInside([]int{1, 2, 3}[len(os.Args)+5]) },
	"nil pointer":   func() { failDeepInside((*plain)(nil).b) },
	"type":          func() { failDeepInside(any("text").(int)) },
}

// crashScenes are further ways to end the process.
var crashScenes = map[string]func(s *Scheduler){
	"child of a task": func(s *Scheduler) { s.Go(func() { Go(func() { failDeepInside("boom") }); parkForever() }) },
	"after a park":    func(s *Scheduler) { s.Go(func() { var g door; Go(g.signal); g.wait(); failDeepInside("boom") }) },
	"in Run":          func(s *Scheduler) { _ = s.Run(func() { failDeepInside("boom") }) },
	"in Join":         func(s *Scheduler) { s.Go(func() { Join(Yield, func() { failDeepInside("boom") }) }) },
	"in a deferred":   func(s *Scheduler) { s.Go(func() { defer func() { failDeepInside("boom") }(); Yield() }) },
	"while exiting":   func(s *Scheduler) { s.Go(func() { defer func() { failDeepInside("boom") }(); Exit() }) },
	"handler panics": func(s *Scheduler) {
		s.cfg.PanicHandler = func(*PanicError) { failDeepInside("boom") }
		s.Go(func() { panic("first") })
	},
	"handler exits": func(s *Scheduler) {
		s.cfg.PanicHandler = func(*PanicError) { Exit() }
		s.Go(func() { failDeepInside("boom") })
	},
	"below a recover":   func(s *Scheduler) { defer func() { _ = recover() }(); _ = s.Run(func() { failDeepInside("boom") }) },
	"ender panics":      func(s *Scheduler) { s.GoEnd(func() {}, enderFunc(func(End) { failDeepInside("boom") })) },
	"ender panics late": func(s *Scheduler) { s.GoEnd(Exit, enderFunc(func(End) { failDeepInside("boom") })) },
}

// crashReports are crashes whose whole report is looked at.
var crashReports = map[string]func(s *Scheduler){
	"named": func(s *Scheduler) {
		s.GoWith(func() {
			GoWith(func() { Yield(); failDeepInside("boom") }, TaskOptions{Name: "the child"})
			parkForever()
		}, TaskOptions{Name: "the parent"})
	},
	"from a goroutine": func(s *Scheduler) { s.Go(func() { failDeepInside(errors.New("boom")) }) },
	"raised again": func(s *Scheduler) {
		s.Go(func() {
			_ = Scoped(context.Background(), func(sc *Scope) error {
				sc.Go(func(context.Context) error { failDeepInside("boom"); return nil })
				return nil
			})
		})
	},
	"to a file": func(s *Scheduler) {
		f, err := os.Create(os.Getenv(crashFileVar))
		if err != nil {
			panic(err)
		}
		if err := debug.SetCrashOutput(f, debug.CrashOptions{}); err != nil {
			panic(err)
		}
		s.Go(func() { failDeepInside("boom") })
	},
}

const crashFileVar = "USERRT_TEST_CRASH_FILE"

// crashNow does what name says, in the child. It does not return.
func crashNow(name string) {
	kind, what, _ := strings.Cut(name, "/")
	s, err := New(Config{Procs: 2})
	if err != nil {
		panic(err)
	}
	switch kind {
	case "goroutine":
		go crashValues[what]()
	case "task":
		s.Go(crashValues[what])
	case "scene":
		crashScenes[what](s)
	case "conform":
		s.Go(conformCrashes[what].f)
	case "report":
		crashReports[what](s)
	}
	select {}
}

// crashOf runs a child and returns what it wrote to stderr.
func crashOf(t *testing.T, name string, env ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(append(os.Environ(), crashVar+"="+name, "GOTRACEBACK=single"), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	var err error
	within(t, func() { err = cmd.Run() })
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, name)
	require.Equal(t, 2, exit.ExitCode(), "%s\n%s", name, stderr.String())
	return stderr.String()
}

var (
	panicLine = regexp.MustCompile(`(?s)panic: (.*?)(?:\n\[signal [^\n]*)?\n\t?\n`)
	address   = regexp.MustCompile(`0x[0-9a-f]+`)
)

// textOf returns what stands after "panic: ", up to the empty line, with addresses made equal.
func textOf(t *testing.T, stderr string) string {
	t.Helper()
	m := panicLine.FindStringSubmatch(stderr)
	require.NotNil(t, m, stderr)
	return address.ReplaceAllString(m[1], "0xADDRESS")
}

// TestCrash compares the text of an uncaught panic in a task with that in a goroutine.
func TestCrash(t *testing.T) {
	for name := range crashValues {
		t.Run(name, func(t *testing.T) {
			task, native := crashOf(t, "task/"+name), crashOf(t, "goroutine/"+name)
			require.Equal(t, textOf(t, native), textOf(t, task))
			require.Regexp(t, `task \d+ \[running\]`, task)
			require.Contains(t, task, "crash_test.go:", "the task's own stack")
		})
	}
}

func TestCrashScenes(t *testing.T) {
	for name := range crashScenes {
		t.Run(name, func(t *testing.T) {
			stderr := crashOf(t, "scene/"+name)
			require.Equal(t, "boom", textOf(t, stderr))
			require.Regexp(t, `task \d+ \[running\]`, stderr)
			require.Contains(t, stderr, "failDeepInside")
		})
	}
}

// TestCrashReport looks at what stands below the value: the task, its stack and nothing else, where and by
// whom it was made.
func TestCrashReport(t *testing.T) {
	const frame = `(?:\S+\(.*\)\n\t\S+\.go:\d+(?: \+0x[0-9a-f]+)?\n)`
	created := func(in string) string {
		if !callerpc.Known && in == "" {
			return ""
		}
		if !callerpc.Known { // the task is, by whom it was made
			return `created` + in + `\n`
		}
		return `created by github\.com/userrt/userrt/sched\.\S+` + in + `\n\t\S+crash_test\.go:\d+ \+0x[0-9a-f]+\n`
	}
	for name, want := range map[string]string{
		"named":            `task \d+ "the child" \[running\]:\n` + frame + `{2}` + created(` in task \d+`),
		"from a goroutine": `task \d+ \[running\]:\n` + frame + `{2}` + created(``),
		"raised again":     `task \d+ \[running\]:\n` + frame + `{3}` + created(` in task \d+`),
	} {
		stderr := unindent(crashOf(t, "report/"+name))
		require.Regexp(t, `^panic: boom\n\n`+want+`\n`, stderr)
		require.Contains(t, stderr, "failDeepInside")
		require.Contains(t, stderr, "goroutine ", "the native part follows")
	}
}

// TestCrashSettings: GOTRACEBACK and debug.SetCrashOutput hold for a task's panic too.
func TestCrashSettings(t *testing.T) {
	stderr := crashOf(t, "report/named", "GOTRACEBACK=none")
	require.Equal(t, "panic: boom\n", strings.TrimRight(strings.Split(stderr, "goroutine")[0], "\n")+"\n")
	require.NotContains(t, stderr, "task ")
	all := crashOf(t, "report/named", "GOTRACEBACK=all")
	require.Greater(t, strings.Count(all, "\ngoroutine "), 1, "other goroutines follow")

	file := filepath.Join(t.TempDir(), "crash")
	stderr = crashOf(t, "report/to a file", crashFileVar+"="+file)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, unindent(string(text)), "panic: boom\n\ntask ")
	require.Contains(t, string(text), "failDeepInside")
	require.Contains(t, unindent(stderr), "panic: boom\n\ntask ")
}

// unindent takes the tabs away that the runtime puts before the lines of a value that has more than one.
func unindent(text string) string { return strings.ReplaceAll(text, "\n\t", "\n") }
