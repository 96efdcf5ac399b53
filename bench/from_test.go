// -from: what was measured before, in other formats.

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFromFile(t *testing.T) {
	file := saved(t, fakePairs(), "-count", "7", "-procs", "1,2")
	for format := range outputs {
		if format == "readme" {
			continue // it has pairs of its own
		}
		status, stdout, stderr := command(nil, "-from", file, "-format", format)
		require.Equal(t, 0, status, stderr)
		require.Empty(t, stderr)
		require.Contains(t, stdout, "a/win", format)
	}
	status, stdout, _ := command(nil, "-from", file, "-format", "json")
	require.Equal(t, 0, status)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(text), stdout)

	_, stdout, _ = command(nil, "-from", file)
	require.Contains(t, stdout, "medians of 7 rounds of 10ms a side")
	require.Contains(t, stdout, "\na/win                       300.0 ns   0 %    3.33 M/s      200.0 ns   0 %    5.00 M/s     1.50 [1.50 1.50]        0 %\n")
	require.Contains(t, stdout, "     1.00 [1.00 1.00] ~      0 %\n")
}

// TestFromSelects has -run choose among the results, also those of pairs that are no more.
func TestFromSelects(t *testing.T) {
	file := saved(t, fakePairs(), "-count", "1", "-procs", "1,2")
	status, stdout, stderr := command(nil, "-from", file, "-run", "^a/", "-format", "json")
	require.Equal(t, 0, status, stderr)
	require.Equal(t, 5, strings.Count(stdout, "\n"))
	require.NotContains(t, stdout, "b/even")

	status, stdout, stderr = command(fakePairs(), "-from", file, "-run", "c/none")
	require.Equal(t, 1, status)
	require.Empty(t, stdout)
	require.Equal(t, "bench: -run \"c/none\" matches no result of the file\n", stderr)
}

// TestFromOntoItself reads before it writes.
func TestFromOntoItself(t *testing.T) {
	file := saved(t, fakePairs(), "-count", "6", "-procs", "1")
	before, err := os.ReadFile(file)
	require.NoError(t, err)
	status, _, stderr := command(nil, "-from", file, "-format", "json", "-o", file)
	require.Equal(t, 0, status, stderr)
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
}

// TestFromOlderFile has results without intervals, one with its rounds and one without.
func TestFromOlderFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "old.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"name":"a/rounds","procs":1,"unit":"ns/op","native":30,"userrt":20,"speedup":1.5,"runs":6,`+
		`"native_rounds":[30,30,30,30,30,30],"userrt_rounds":[20,20,20,20,20,20]}
{"name":"a/none","procs":1,"unit":"ns/op","native":30,"userrt":20,"speedup":1.5,"runs":6}
`), 0o600))
	rep, err := readReportFile(file)
	require.NoError(t, err)
	require.Equal(t, &Interval{1.5, 1.5}, rep.Results[0].SpeedupCI)
	require.Nil(t, rep.Results[1].SpeedupCI)
	status, stdout, stderr := command(nil, "-from", file)
	require.Equal(t, 0, status, stderr)
	require.Contains(t, stdout, "cpu         unknown\n")
	require.Contains(t, stdout, "load        unknown\n")
}

func TestMatching(t *testing.T) {
	rep := fullReport()
	opts, err := parse([]string{"-run", "^tasks"}, os.Stderr)
	require.NoError(t, err)
	m, err := rep.matching(opts.run)
	require.NoError(t, err)
	require.Equal(t, &Report{Env: rep.Env, Floors: rep.Floors, Points: rep.Points}, m)
}
