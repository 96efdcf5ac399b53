// What README.md shows, and how it gets into the file; and what -profile=summary looks at.

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadmeFormat(t *testing.T) {
	names := map[string]bool{}
	for _, p := range pairs() {
		names[p.Name] = true
	}
	for _, name := range shownPairs {
		require.True(t, names[name], name)
	}
	rep := fullReport()
	require.ErrorContains(t, writeReadme(&bytes.Buffer{}, rep), "none of the pairs that README.md shows")
	rep.Results[1].Name = "hchan/mixed"
	var b bytes.Buffer
	require.NoError(t, writeReadme(&b, rep))
	require.True(t, strings.HasPrefix(b.String(), "```text\ncpu         a machine\n"))
	require.True(t, strings.HasSuffix(b.String(), "\n```\n"))
	require.Regexp(t, `(?m)\nprocs 2\npair .*\nhchan/mixed .* 0\.50 .*[^ ]$`, b.String())
	for _, other := range []string{"a/pair", "floors", "growth", "fairness", "mechanism", "the time goes"} {
		require.NotContains(t, b.String(), other)
	}
	for line := range strings.Lines(b.String()) {
		require.False(t, strings.HasSuffix(line, " \n"), line)
	}
}

// TestReadmeKeepsItsText writes tables into a README.md twice, and refuses one that has no place for them.
func TestReadmeKeepsItsText(t *testing.T) {
	dir := t.TempDir()
	readme, saved := filepath.Join(dir, "README.md"), filepath.Join(dir, "old.json")
	require.NoError(t, os.WriteFile(readme, []byte("above\n"+readmeBegin+"old\n"+readmeEnd+"below\n"), 0o600))
	mixed := fakePairs()
	mixed[0].Name = "hchan/mixed"
	status, _, stderr := command(mixed, "-count", "1", "-procs", "1", "-o", saved+","+readme)
	require.Equal(t, 0, status, stderr)
	first, err := os.ReadFile(readme)
	require.NoError(t, err)
	before, block, after, ok := cutReadme(string(first))
	require.True(t, ok)
	require.Equal(t, []string{"above\n" + readmeBegin, readmeEnd + "below\n"}, []string{before, after})
	require.Contains(t, block, "\nhchan/mixed ")
	status, _, stderr = command(nil, "-from", saved, "-o", readme)
	require.Equal(t, 0, status, stderr)
	again, err := os.ReadFile(readme)
	require.NoError(t, err)
	require.Equal(t, string(first), string(again))
	status, stdout, stderr := command(nil, "-from", saved, "-format", "readme")
	require.Equal(t, 0, status, stderr)
	require.Equal(t, block, stdout)

	for _, text := range []string{"no place\n", readmeBegin, readmeEnd + readmeBegin} {
		require.NoError(t, os.WriteFile(readme, []byte(text), 0o600))
		status, _, stderr = command(nil, "-from", saved, "-o", readme)
		require.Equal(t, 1, status)
		require.Contains(t, stderr, "no place for results between")
		kept, err := os.ReadFile(readme)
		require.NoError(t, err)
		require.Equal(t, text, string(kept))
	}
	require.NoError(t, os.Remove(readme))
	status, _, _ = command(nil, "-from", saved, "-o", readme)
	require.Equal(t, 1, status)
	require.NoFileExists(t, readme)
}

// TestReadmeEditedMeanwhile changes the text between the begin and the end of a run.
func TestReadmeEditedMeanwhile(t *testing.T) {
	readme := filepath.Join(t.TempDir(), "README.md")
	require.NoError(t, os.WriteFile(readme, []byte("old\n"+readmeBegin+readmeEnd), 0o600))
	out, closeAll, err := openTargets([]target{{readme, "readme"}}, nil)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(readme, []byte("new\n"+readmeBegin+readmeEnd+"more\n"), 0o600))
	rep := fullReport()
	rep.Results[0].Name = "hchan/mixed"
	require.NoError(t, rep.write(out))
	require.NoError(t, closeAll())
	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	before, block, after, ok := cutReadme(string(text))
	require.True(t, ok)
	require.Equal(t, []string{"new\n" + readmeBegin, readmeEnd + "more\n"}, []string{before, after})
	require.Contains(t, block, "\nhchan/mixed ")
}

func TestProfileSummary(t *testing.T) {
	list := func(args ...string) (profiled []string) {
		status, stdout, stderr := command(pairs(), append(args, "-list")...)
		require.Equal(t, 0, status, stderr)
		for line := range strings.Lines(stdout) {
			if strings.Contains(line, "under the profiler") {
				profiled = append(profiled, strings.Join(strings.Fields(line)[:1], "")+line[strings.LastIndex(line, " "):])
			}
		}
		return profiled
	}
	all, some := list("-profile"), list("-profile=summary", "-procs", "1,2")
	require.Empty(t, list())
	require.Empty(t, list("-profile=false"))
	require.Contains(t, all, "hchan/try 1\n")
	require.Contains(t, some, "hchan/pingpong 2\n")
	require.False(t, slices.ContainsFunc(some, func(s string) bool { return strings.HasSuffix(s, " 1\n") }), "the last value of procs only")
	require.Less(t, len(some), len(shownPairs))
	status, _, stderr := command(pairs(), "-profile=some")
	require.Equal(t, 2, status)
	require.Contains(t, stderr, `invalid boolean value "some" for -profile: want nothing or summary`)
}
