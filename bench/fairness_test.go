// Fairness: what a contest counts, that the pairs' own are right, and that each format shows what was seen.

package main

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fairRows is how many rows the tables of rep have.
func fairRows(rep *Report) (n int) {
	for _, res := range rep.Results {
		for _, f := range []*Fairness{res.NativeFair, res.UserrtFair} {
			if f != nil {
				n++
			}
		}
	}
	return n
}

// TestOutcome sums up turns that are known.
func TestOutcome(t *testing.T) {
	nothing := func() {}
	c := newContest(4, 0, nothing, nothing, nothing)
	c.turns, c.longest, c.sum = []int{1, 3, 1, 3}, []time.Duration{5, 7, 2000, 0}, 8
	f, err := c.outcome()
	require.NoError(t, err)
	require.Equal(t, &Fairness{Tasks: 4, Turns: 8, Least: 1, Most: 3, Deviation: 0.5, Longest: 2000}, f)
	c.sum = 7
	_, err = c.outcome()
	require.EqualError(t, err, "wrong result: sum 7, want 8")
}

// TestCompete follows one task: its calls in their order, its turns, and the wait that is longest. The lock is slow, by a clock that the
// test sets back: the contest began earlier each time.
func TestCompete(t *testing.T) {
	const hour = time.Hour
	var calls strings.Builder
	var c *contest
	c = newContest(2, 10*hour,
		func() {
			calls.WriteString("l")
			c.start = c.start.Add(-hour)
			if c.sum == 1 {
				c.start = c.start.Add(-2 * hour)
			}
		},
		func() { calls.WriteString("s"); c.start = c.start.Add(-4 * hour) },
		func() { calls.WriteString("u") },
	)
	c.compete(1)
	require.Equal(t, "lsulsu", calls.String(), "after 12 hours of 10 it is over")
	require.Equal(t, []int{0, 2}, c.turns)
	require.Equal(t, 2, c.sum)
	require.GreaterOrEqual(t, c.longest[1], 3*hour)
	require.Less(t, c.longest[1], 4*hour, "the section is no wait")
	require.Zero(t, c.longest[0])
}

// TestFairnessOfPairs runs the contests of all pairs that have one.
func TestFairnessOfPairs(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	var names []string
	for _, p := range pairs() {
		require.Equal(t, p.NativeShares == nil, p.UserrtShares == nil, p.Name)
		if p.NativeShares == nil {
			continue
		}
		names = append(names, p.Name)
		for _, procs := range []int{1, 2} {
			res := Result{Procs: procs}
			require.NoError(t, p.fairness(&res, 5*time.Millisecond))
			require.Equal(t, before, runtime.GOMAXPROCS(0))
			for _, f := range []*Fairness{res.NativeFair, res.UserrtFair} {
				require.Equal(t, p.Step, f.Tasks)
				require.Positive(t, f.Least, "each had the lock")
				require.LessOrEqual(t, f.Least*f.Tasks, f.Turns)
				require.LessOrEqual(t, f.Turns, f.Most*f.Tasks)
				require.Equal(t, f.Least == f.Most, f.Deviation == 0)
				require.Positive(t, f.Longest)
			}
		}
	}
	require.Equal(t, []string{
		"locks/mutex-2", "locks/mutex-8", "locks/mutex-1000", "locks/mutex-yield-2", "locks/mutex-yield-8", "locks/mutex-yield-1000",
	}, names)
}

// sharingPair is a fake pair whose sides say what came of sharing.
func sharingPair(name string, native, userrt sharing) Pair {
	p := fakePair(name, 300, 200)
	p.NativeShares, p.UserrtShares = native, userrt
	return p
}

func TestFairnessIsPrinted(t *testing.T) {
	var asked []time.Duration
	side := func(f Fairness) sharing {
		return func(d time.Duration) (*Fairness, error) { asked = append(asked, d); return &f, nil }
	}
	ps := append(fakePairs(), sharingPair("c/lock",
		side(Fairness{Tasks: 2, Turns: 3000, Least: 1000, Most: 2000, Deviation: 0.3333333, Longest: 1_000_000}),
		side(Fairness{Tasks: 2, Turns: 4000, Least: 2000, Most: 2000, Longest: 4000})))
	status, stdout, stderr := command(ps, "-count", "1", "-procs", "1,2", "-time", "2ms")
	require.Equal(t, 0, status, stderr)
	d := fairRounds * 2 * time.Millisecond
	require.Equal(t, []time.Duration{d, d, d, d}, asked)
	table := `
c/lock                  native       3,000       1,000       2,000      33 %       1.00 ms
c/lock                  userrt       4,000       2,000       2,000       0 %       4.00 µs
`
	require.Equal(t, 2, strings.Count(stdout, table))
	require.Equal(t, 2, strings.Count(stdout, ": 40ms for each side"))
	require.Regexp(t, `(?s)procs 1\npair .*fairness, procs 1:.*procs 2\npair .*fairness, procs 2:`, stdout, "each below the table of its results")

	file := saved(t, ps, "-count", "1", "-procs", "2")
	rep, err := readReportFile(file)
	require.NoError(t, err)
	require.Nil(t, rep.Results[0].NativeFair)
	require.Equal(t, &Fairness{Tasks: 2, Turns: 3000, Least: 1000, Most: 2000, Deviation: 0.333, Longest: 1_000_000}, rep.Results[3].NativeFair)
	require.Equal(t, 2, fairRows(rep))
	_, stdout, _ = command(nil, "-from", file)
	require.Contains(t, stdout, table, "as measured")
	_, stdout, _ = command(nil, "-from", file, "-run", "^a/")
	require.NotContains(t, stdout, "fairness")
}

// TestFairnessOfAnOlderFile has no time in it.
func TestFairnessOfAnOlderFile(t *testing.T) {
	rep := fullReport()
	rep.Results = rep.Results[1:]
	require.Contains(t, markdownOf(t, rep), "Measured for some time a side")
	var b bytes.Buffer
	require.NoError(t, rep.write(&textOutput{w: &b}))
	require.Contains(t, b.String(), "fairness, procs 2: some time for each side")
	rep.Results[0].NativeFair = nil
	require.NotContains(t, markdownOf(t, rep), "`a/pair` | native | 3,000")
	require.Contains(t, markdownOf(t, rep), "`a/pair` | userrt | 4,000")
}

func TestFairnessFails(t *testing.T) {
	right := func(time.Duration) (*Fairness, error) { return &Fairness{}, nil }
	wrong := func(time.Duration) (*Fairness, error) { return nil, errors.New("wrong") }
	for side, p := range map[string]Pair{"native": sharingPair("c/lock", wrong, right), "userrt": sharingPair("c/lock", right, wrong)} {
		status, stdout, stderr := command(append(fakePairs(), p), "-count", "1", "-procs", "1")
		require.Equal(t, 1, status)
		require.Contains(t, stderr, "bench: fairness of c/lock at procs 1: "+side+": wrong\n")
		require.Contains(t, stdout, "b/even", "what was measured before is printed")
	}
}
