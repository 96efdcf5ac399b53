//go:build linux && !userrt_nofutex

package syswait_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var widened = flag.Bool("widened", false, "build programs with a runtime in which the hole that doc.go tells of is wider")

// TestStopsGoOn runs testdata/stop with a runtime that takes 30 µs for what is a few ns otherwise: to go from its look at a
// pending stop to the mark that it is in a system call. In it every few stops of the world come in between. Without -widened, the
// program runs with the runtime as it is.
func TestStopsGoOn(t *testing.T) {
	dir := t.TempDir()
	args := []string{"build", "-o", filepath.Join(dir, "stop")}
	if *widened {
		args = append(args, "-overlay", overlay(t, dir))
	}
	out, err := exec.Command("go", append(args, "./testdata/stop")...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.True(t, ends(t, filepath.Join(dir, "stop"), "futex", time.Minute))
	if *widened && !ends(t, filepath.Join(dir, "stop"), "native", 10*time.Second) {
		t.Log(runtime.Version() + ": a program without userrt stands still")
	}
}

// overlay makes a copy of runtime/proc.go with the wider hole, and returns the file that tells the go command of it.
func overlay(t *testing.T, dir string) string {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	proc := filepath.Join(strings.TrimSpace(string(root)), "src", "runtime", "proc.go")
	src, err := os.ReadFile(proc)
	require.NoError(t, err)
	const after = "	// As soon as we switch to _Gsyscall, we are in danger of losing our P.\n"
	require.Equal(t, 1, strings.Count(string(src), after), "reentersyscall has changed: look whether it still has the hole")
	wide := filepath.Join(dir, "proc.go")
	require.NoError(t, os.WriteFile(wide, []byte(strings.Replace(string(src), after, "	usleep(30)\n"+after, 1)), 0o600))
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{proc: wide}})
	require.NoError(t, err)
	file := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return file
}

// ends reports whether the program ends within limit.
func ends(t *testing.T, program, how string, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, how).CombinedOutput()
	if ctx.Err() != nil {
		return false
	}
	require.NoError(t, err, "%s", out)
	require.Equal(t, "done\n", string(out))
	return true
}
