//go:build race

package racetest

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/patience"
)

// caseDir returns the folder of the race detector's own test cases, in the Go that runs the tests.
func caseDir(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	dir := filepath.Join(strings.TrimSpace(string(out)), "src", "runtime", "race", "testdata")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("this Go came without the race detector's test cases: %v", err)
	}
	return dir
}

// buildCases builds the program inside the module, laid over the tree without being written to it, with the
// tags of this test, and returns its path.
func buildCases(t *testing.T, c *cases) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	dir := t.TempDir()
	replace := map[string]string{}
	for name, text := range c.files {
		at := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(at, []byte(text), 0o600))
		replace[filepath.Join(root, "internal", "racecases", name)] = at
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	over := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(over, overlay, 0o600))
	bin := filepath.Join(dir, "cases")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-race", "-tags", buildTags(), "-overlay", over, "-o", bin, modulePath+"/internal/racecases")
	cmd.Dir = root
	out, err := finish(cmd)
	require.NoError(t, err, out)
	return bin
}

// buildTags returns the tags that this test was built with.
func buildTags() string {
	if bi, ok := debug.ReadBuildInfo(); ok {
		for _, s := range bi.Settings {
			if s.Key == "-tags" {
				return s.Value
			}
		}
	}
	return ""
}

// tries is how often a case may run until its race shows: the order of what happens is up to chance in some.
const tries = 3

// reported runs a case in dir, of which some read files, and says whether a race was reported.
func reported(t *testing.T, dir, bin, name string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience.Times(30*time.Second))
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, name)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CASE_TEMP="+t.TempDir(), "GORACE="+raceOptions+" suppress_equal_stacks=0 suppress_equal_addresses=0")
	out, _ := finish(cmd)
	if strings.Contains(out, warning) || strings.Contains(out, "fatal error: concurrent map") { // the latter is the runtime's own finding
		return true
	}
	require.Contains(t, out, "case ended: <nil>")
	return false
}

// TestCasesOfGo puts the race detector's own test cases onto userrt and expects its verdicts.
func TestCasesOfGo(t *testing.T) {
	seesTasks(t)
	dir := caseDir(t)
	c, err := generate(dir)
	require.NoError(t, err)
	require.Greater(t, len(c.names), 100)
	bin := buildCases(t, c)
	var lock sync.Mutex
	same := 0
	t.Run("verdicts", func(t *testing.T) {
		for _, name := range c.names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				racy, why := strings.HasPrefix(name, "Race"), differences[name]
				if why != "" {
					racy = !racy
				}
				got := false
				for i := 0; i < tries && !got; i++ {
					got = reported(t, dir, bin, name)
					if !racy {
						break
					}
				}
				require.Equal(t, racy, got, "a race is reported, with the known difference %q", why)
				lock.Lock()
				defer lock.Unlock()
				same++
			})
		}
	})
	t.Logf("%d of %d cases as expected, %d of them with known differences; %d left out", same, len(c.names), len(differences), len(c.leftOut))
}

// TestLeftOutCases looks at which cases can't be rewritten, and why.
func TestLeftOutCases(t *testing.T) {
	c, err := generate(caseDir(t))
	require.NoError(t, err)
	for name, why := range c.leftOut {
		require.Equal(t, leftOut[name], why, name)
	}
	for _, name := range c.names {
		require.Empty(t, leftOut[name], "%s is not left out any more", name)
	}
	for name := range differences {
		require.NotContains(t, c.leftOut, name)
	}
}

// docRow matches a reason with the cases that it is the reason for.
var docRow = regexp.MustCompile("^\\| (.*) \\| (`.*`) \\|$")

// TestDifferencesAreDocumented holds docs/reliability.md to the tables, in both directions.
func TestDifferencesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/reliability.md")
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(text), "## The race detector's test cases and ours\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n## ")
	got := map[string]string{}
	for _, line := range strings.Split(section, "\n") {
		if m := docRow.FindStringSubmatch(line); m != nil {
			for _, name := range strings.Split(m[2], ", ") {
				got[strings.Trim(name, "`")] = m[1]
			}
		}
	}
	want := maps.Clone(differences)
	maps.Copy(want, leftOut)
	require.Equal(t, want, got)
}
