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
	require.Len(t, gots, len(wants), "lines of the results in %s; make it with docs/results.sh docs/results.json", file)
}

// TestKeptRunIsComplete looks for every pair, series, mechanism and floor of today, and profiles, in the run that the documents show; and for what is no more.
func TestKeptRunIsComplete(t *testing.T) {
	const remedy = "docs/results.sh measures everything again; for a new name alone, change it in docs/results.json and run docs/results.sh docs/results.json"
	rep := kept(t)
	has, floors := map[string]bool{}, map[string]bool{}
	for _, res := range rep.Results {
		has["pair "+res.Name] = true
		require.NotNil(t, res.SpeedupCI, "%s has too few rounds for an interval; %s", res.Name, remedy)
	}
	for _, p := range rep.Points {
		has["series "+p.Series] = true
	}
	for _, a := range rep.Ablations {
		has["mechanism "+a.Without] = true
	}
	for _, f := range rep.Floors {
		floors[map[bool]string{false: "first ", true: "again "}[f.Again]+f.Name] = true
	}
	var missing []string
	look := func(what string) {
		if !has[what] {
			missing = append(missing, what)
		}
		delete(has, what)
	}
	for _, p := range pairs() {
		look("pair " + p.Name)
	}
	for _, s := range allSeries() {
		look("series " + s.name)
	}
	for _, m := range mechanisms {
		look("mechanism " + m.name)
	}
	look("mechanism " + noHandOff)
	require.Empty(t, missing, "docs/results.json has no such; %s", remedy)
	require.Empty(t, has, "docs/results.json has what is no more; %s", remedy)
	for _, op := range floorOps() { // some systems have fewer
		require.True(t, floors["first "+op.Name] && floors["again "+op.Name], "docs/results.json has no floor %s; %s", op.Name, remedy)
	}
	require.True(t, rep.profilesAreSummary(), "docs/results.json has profiles of other pairs than README.md shows, or none; %s", remedy)
	require.Contains(t, markdownOf(t, rep), "Made by `go run ./bench -growth -ablate -profile=summary -format markdown`", remedy)
}
