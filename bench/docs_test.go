// The documents: that docs/results.md and the tables of README.md hold what docs/results.json has, and nothing that is typed; and that it has everything.

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// kept is the run that the documents are made from.
func kept(t *testing.T) *Report {
	t.Helper()
	rep, err := readReportFile("../docs/results.json")
	require.NoError(t, err)
	return rep
}

// TestResultsDocument makes docs/results.md again.
func TestResultsDocument(t *testing.T) {
	text, err := os.ReadFile("../docs/results.md")
	require.NoError(t, err)
	requireSameLines(t, markdownOf(t, kept(t)), string(text), "docs/results.md")
}

// TestReadmeShowsResults makes the tables of README.md again.
func TestReadmeShowsResults(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	_, block, _, ok := cutReadme(string(text))
	require.True(t, ok)
	var want bytes.Buffer
	require.NoError(t, kept(t).write(outputs["readme"](&want)))
	requireSameLines(t, want.String(), block, "README.md")
}

func requireSameLines(t *testing.T, want, got, file string) {
	t.Helper()
	wants, gots := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(wants), len(gots)) {
		require.Equal(t, wants[i], gots[i], "line %d of the results in %s; make it with docs/results.sh docs/results.json", i+1, file)
	}
	require.Len(t, gots, len(wants), file)
}

// TestKeptRunIsComplete looks for every pair, series, mechanism and floor of today, and profiles, in the run that the documents show.
func TestKeptRunIsComplete(t *testing.T) {
	rep := kept(t)
	has := map[string]bool{}
	for _, res := range rep.Results {
		has[res.Name] = true
		require.NotNil(t, res.SpeedupCI, res.Name)
	}
	for _, p := range rep.Points {
		has["growth of "+p.Series] = true
	}
	for _, a := range rep.Ablations {
		has["without "+a.Without] = true
	}
	for _, f := range rep.Floors {
		has["floor "+f.Name] = true
		has["floor again "+f.Name] = has["floor again "+f.Name] || f.Again
	}
	for _, p := range pairs() {
		require.True(t, has[p.Name], p.Name)
	}
	for _, s := range allSeries() {
		require.True(t, has["growth of "+s.name], s.name)
	}
	for _, m := range mechanisms {
		require.True(t, has["without "+m.name], m.name)
	}
	require.True(t, has["without "+noHandOff])
	for _, op := range floorOps() {
		require.True(t, has["floor "+op.Name] && has["floor again "+op.Name], op.Name)
	}
	require.True(t, rep.profilesAreSummary())
	require.Contains(t, markdownOf(t, rep), "Made by `go run ./bench -growth -ablate -profile=summary -format markdown`")
}
