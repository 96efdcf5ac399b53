// Verdicts on runs that are made up: the same, better, worse, noise, too little to judge, nothing in common.

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// near returns ten rounds about a median, within a tenth of it.
func near(median float64) []float64 {
	rounds := make([]float64, 10)
	for i := range rounds {
		rounds[i] = median * (1 + float64((i*7)%10-4)/50)
	}
	return rounds
}

// flat returns n rounds that all cost as much.
func flat(n int, cost float64) []float64 {
	rounds := make([]float64, n)
	for i := range rounds {
		rounds[i] = cost
	}
	return rounds
}

func measured(name string, procs int, native, userrt []float64) Result {
	return summarize(Pair{Name: name, Unit: nsPerOp}, procs, native, userrt)
}

func TestVerdicts(t *testing.T) {
	few := func(rounds []float64) []float64 { return rounds[:5] }
	noisy := []float64{60, 150, 80, 140, 100, 90, 130, 70, 120, 110}
	for _, c := range []struct {
		what          string
		old, now      Result
		speedup, cost string
		regressed     bool
	}{
		{"the same run", measured("a", 1, near(200), near(100)), measured("a", 1, near(200), near(100)), "~", "~", false},
		{"another of the same", measured("a", 1, near(200), near(100)), measured("a", 1, near(202), near(101)), "~", "~", false},
		{"userrt slower", measured("a", 1, flat(10, 200), near(100)), measured("a", 1, flat(10, 200), near(150)), "worse", "worse", true},
		{"userrt faster", measured("a", 1, flat(10, 200), near(150)), measured("a", 1, flat(10, 200), near(100)), "better", "better", false},
		{"the machine slower", measured("a", 1, near(200), near(100)), measured("a", 1, near(400), near(200)), "~", "worse", false},
		{"native faster", measured("a", 1, near(200), flat(10, 100)), measured("a", 1, near(100), flat(10, 100)), "worse", "~", true},
		{"noise", measured("a", 1, flat(10, 200), noisy), measured("a", 1, flat(10, 200), near(115)), "~", "~", false},
		{"few rounds now", measured("a", 1, near(200), near(100)), measured("a", 1, few(near(200)), few(near(900))), "?", "?", false},
		{"few rounds then", measured("a", 1, few(near(200)), few(near(100))), measured("a", 1, near(200), near(900)), "?", "?", false},
		{"medians only", Result{Name: "a", Procs: 1, Native: 200, Userrt: 100, Speedup: 2}, measured("a", 1, near(200), near(900)), "?", "?", false},
	} {
		change := changeOf(&c.old, &c.now)
		require.Equal(t, c.speedup, change.speedup.verdict(true), c.what)
		require.Equal(t, c.cost, change.userrt.verdict(false), c.what)
		require.Equal(t, c.regressed, change.regressed(), c.what)
	}
}

// TestBothTestsMustAgree has medians that the U test tells apart and the intervals do not.
func TestBothTestsMustAgree(t *testing.T) {
	old := []float64{100, 101, 102, 103, 104, 105, 106, 107, 108, 109}
	now := []float64{104, 105, 106, 107, 108, 109, 110, 111, 112, 113}
	s := shiftOf(104.5, 108.5, old, now, medianInterval(old), medianInterval(now))
	require.True(t, s.judged)
	require.Less(t, s.p, alpha)
	require.False(t, s.real)
	require.Equal(t, []float64{100, 101, 102, 103, 104, 105, 106, 107, 108, 109}, old)
}

func TestComparisonText(t *testing.T) {
	old := &Report{
		Env: Env{CPU: "a machine", Cores: 2, Go: "go1.26 linux/amd64", Start: "2026-01-02T03:04:05Z", Userrt: "abc", Round: "20ms"},
		Results: []Result{
			measured("a/same", 1, near(200), near(100)), measured("a/better", 1, flat(10, 300), near(200)),
			measured("a/gone", 1, near(1), near(1)), measured("a/same", 2, near(200), near(100)), measured("a/worse", 2, near(200), near(100)),
		},
	}
	now := &Report{
		Env: Env{CPU: "another", Cores: 2, Go: "go1.26 linux/amd64", Round: "100ms"},
		Results: []Result{
			measured("a/same", 1, near(200), near(100)), measured("a/better", 1, flat(10, 300), near(100)),
			measured("a/same", 2, near(200), near(100)), measured("a/worse", 2, near(200), near(200)), measured("a/new", 2, near(1), near(1)),
		},
	}
	var b bytes.Buffer
	require.ErrorIs(t, compare(&b, "old.json", old, now), errRegressed)
	require.Equal(t, `
compared with old.json (of 2026-01-02T03:04:05Z, userrt abc)
better, worse: p < 0.05 by the Mann-Whitney U test of all rounds, and 95 % intervals that do not meet; ~: no such difference;
?: not judged, fewer than 6 rounds a side
not alike: cpu was a machine, is another
not alike: round was 20ms, is 100ms

procs 1
pair                       speedup, old and new    change          userrt's cost, old and new    change
a/same                         2.00        2.00      +0 % ~            101.0 ns      101.0 ns      +0 % ~
a/better                       1.49        2.97    +100 % better       202.0 ns      101.0 ns     -50 % better
`, b.String()[:strings.Index(b.String(), "\nprocs 2")])
	_, words, _ := strings.Cut(b.String(), "\n\nonly")
	require.Equal(t, ` in the old results: a/gone at procs 1
only in the new results: a/new at procs 2
userrt's speedup is worse, above the noise:
  a/worse at procs 2: 1.00, was 2.00 (p < 0.001); userrt costs 100 % more, native the same
`, words)
	require.NotContains(t, b.String(), "not alike: cores")

	b.Reset()
	require.NoError(t, compare(&b, "old.json", old, old))
	require.Contains(t, b.String(), "\n\nuserrt's speedup is nowhere worse, above the noise\n")
	b.Reset()
	few := *old
	few.Results = slices.Clone(old.Results)
	for i := range few.Results {
		few.Results[i].SpeedupCI = nil // as with few rounds
		b.Reset()
		require.NoError(t, compare(&b, "old.json", old, &few))
		if left := len(few.Results) - i - 1; left > 0 {
			require.Contains(t, b.String(), fmt.Sprintf("\n\nuserrt's speedup is nowhere worse, above the noise, but %d of %d were not judged\n", i+1, len(few.Results)))
		}
	}
	require.Contains(t, b.String(), "\n\nnothing was judged: fewer than 6 rounds a side\n")
	require.EqualError(t, compare(&b, "old.json", old, &Report{Results: []Result{measured("a/new", 1, near(1), near(1))}}),
		"old.json has no pair in common with these results")
	require.ErrorIs(t, compare(&failAfter{0}, "old.json", old, now), errFull)
}

// TestUnitsMustAgree takes a pair whose unit has changed for another pair.
func TestUnitsMustAgree(t *testing.T) {
	old, now := measured("a", 1, near(1), near(1)), measured("a", 1, near(1), near(1))
	now.Unit = bytesPerOp
	c := compareReports(&Report{Results: []Result{old}}, &Report{Results: []Result{now}})
	require.Equal(t, comparison{onlyOld: []string{"a at procs 1"}, onlyNow: []string{"a at procs 1"}}, c)
}

// TestPointsAreCompared: sizes of a series are pairs like the others.
func TestPointsAreCompared(t *testing.T) {
	c := compareReports(fullReport(), fullReport())
	require.Len(t, c.changes, 3)
	require.Equal(t, "tasks/1000", c.changes[2].name)
}

// saved measures ps and returns the file with the results.
func saved(t *testing.T, ps []Pair, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "results.json")
	status, _, stderr := command(ps, append(args, "-format", "json", "-o", file)...)
	require.Equal(t, 0, status, stderr)
	return file
}

func TestCompareCommand(t *testing.T) {
	old := saved(t, fakePairs(), "-procs", "1,2", "-count", "6")
	status, stdout, stderr := command(fakePairs(), "-compare", old, "-procs", "2,4", "-count", "6")
	require.Equal(t, 0, status, stderr)
	require.Contains(t, stdout, "\ncompared with "+old)
	require.Contains(t, stdout, "\nonly in the old results: a/win at procs 1, a/loss at procs 1, b/even at procs 1\n")
	require.True(t, strings.HasSuffix(stdout, "\nuserrt's speedup is nowhere worse, above the noise\n"), stdout)

	worse := fakePairs()
	worse[0] = fakePair("a/win", 300, 250)
	status, stdout, stderr = command(worse, "-compare", old, "-procs", "2", "-count", "6")
	require.Equal(t, 3, status)
	require.True(t, strings.HasSuffix(stdout, "\n  a/win at procs 2: 1.20, was 1.50 (p = 0.002); userrt costs 25 % more, native the same\n"), stdout)
	require.True(t, strings.HasSuffix(stderr, "\nbench: userrt's speedup has become worse\n"), stderr)

	// Results as JSON into a file, the comparison to standard output.
	out := filepath.Join(t.TempDir(), "new.json")
	status, stdout, _ = command(worse, "-compare", old, "-procs", "2", "-count", "6", "-format", "json", "-o", out)
	require.Equal(t, 3, status)
	require.True(t, strings.HasPrefix(stdout, "\ncompared with "), stdout)
	status, again, _ := command(nil, "-from", out, "-compare", old)
	require.Equal(t, 3, status)
	require.True(t, strings.HasSuffix(again, stdout), "a file says what was measured")
}

func TestCompareBadFiles(t *testing.T) {
	measuring := failing("c/never", errors.New("measured before the file was read"))
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"empty.json":   {"", "no results"},
		"env.json":     {`{"env":{"cpu":"x"}}`, "no results"},
		"text.json":    {"hchan/pingpong 1.5\n", "line 1: invalid character 'h' looking for beginning of value"},
		"cut.json":     {`{"env":{}}` + "\n" + `{"name":"a","pro`, "line 2: unexpected end of JSON input"},
		"zero.json":    {`{"name":"a","procs":1,"native":0,"userrt":1,"speedup":1}`, "a at procs 1: a cost that is not positive"},
		"rounds.json":  {`{"name":"a","procs":1,"native":1,"userrt":1,"speedup":1,"native_rounds":[1]}`, "a at procs 1: 1 rounds of native, 0 of userrt"},
		"round0.json":  {`{"name":"a","procs":1,"native":1,"userrt":1,"speedup":1,"native_rounds":[-1],"userrt_rounds":[1]}`, "a at procs 1: a cost that is not positive"},
		"noprocs.json": {`{"name":"a","native":1,"userrt":1,"speedup":1}`, `a result of "a" at procs 0`},
	} {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(c.text), 0o600))
		for _, flag := range []string{"-compare", "-from"} {
			status, stdout, stderr := command([]Pair{measuring}, flag, file)
			require.Equal(t, 1, status, name)
			require.Empty(t, stdout, name)
			require.Equal(t, "bench: "+file+": "+c.want+"\n", stderr)
		}
	}
	for _, flag := range []string{"-compare", "-from"} {
		status, stdout, stderr := command([]Pair{measuring}, flag, filepath.Join(dir, "absent"))
		require.Equal(t, 1, status)
		require.Empty(t, stdout)
		require.Contains(t, stderr, "absent")
	}
}

func TestCompareNothingInCommon(t *testing.T) {
	old := saved(t, fakePairs(), "-run", "even", "-count", "1")
	status, _, stderr := command(fakePairs(), "-run", "win", "-count", "1", "-compare", old)
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "bench: "+old+" has no pair in common with these results\n")
}
