// A panic in a task started by Go, which nobody handles. The same in Go: sync/waitgroup_test.go, TestIssue76126.

package waitgroup

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// crashVar asks a child process to panic so.
const crashVar = "USERRT_TEST_CRASH"

var crashes = map[string]func(t *testing.T, waits func(fn func())){
	"goroutine": func(_ *testing.T, waits func(func())) { waits(func() { panic("boom") }) },
	"task": func(t *testing.T, waits func(func())) {
		s := testsched.New(t, 1)
		require.NoError(t, s.Run(func() { waits(func() { panic("boom") }) }))
	},
	"tasks": func(t *testing.T, waits func(func())) { // on several Ps, after some time
		s := testsched.New(t, 2)
		require.NoError(t, s.Run(func() { waits(func() { sched.Yield(); panic("boom") }) }))
	},
}

// TestPanicInGoEndsTheProcess, and no Wait returns before.
func TestPanicInGoEndsTheProcess(t *testing.T) {
	const returned = "Wait has returned"
	if f := crashes[os.Getenv(crashVar)]; f != nil {
		testsched.Within(t, func() {
			f(t, func(fn func()) {
				var wg WaitGroup
				wg.Go(fn)
				wg.Wait()
				fmt.Println(returned)
			})
		})
		return
	}
	for name := range crashes {
		for range 3 { // it would be a race
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
			cmd.Env = append(os.Environ(), crashVar+"="+name)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			require.True(t, errors.As(err, &exit), "%v\n%s", err, out)
			require.Equal(t, 2, exit.ExitCode(), "%s", out)
			require.Contains(t, string(out), "panic: boom")
			require.NotContains(t, string(out), returned)
		}
	}
}
