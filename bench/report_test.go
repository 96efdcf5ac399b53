// A Report survives being written and read again, and says which line it cannot read.

package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fullReport has something of every kind.
func fullReport() *Report {
	return &Report{
		Env:    Env{CPU: "a machine", Cores: 2, Go: "go1.26", GOMAXPROCS: 2, Kernel: "Linux 6"},
		Floors: []Floor{{Name: "cas", Doc: "one compare-and-swap", Unit: nsPerOp, Cost: 5, Spread: 0.1, Rounds: []float64{4, 5, 6}}},
		Results: []Result{
			{Name: "a/pair", Procs: 1, Unit: nsPerOp, Native: 30, Userrt: 20, Speedup: 1.5, Runs: 2},
			{
				Name: "a/pair", Procs: 2, Unit: nsPerOp, Native: 30, Userrt: 60, Speedup: 0.5, Runs: 3,
				NativeFair: &Fairness{Tasks: 2, Turns: 3000, Least: 1000, Most: 2000, Deviation: 0.333, Longest: 1_000_000},
				UserrtFair: &Fairness{Tasks: 2, Turns: 4000, Least: 2000, Most: 2000, Longest: 4000},
			},
		},
		Points: []Point{{
			Series: "tasks", Of: "tasks", Size: 1000,
			Result: Result{Name: "tasks/1000", Procs: 2, Unit: nsPerOp, Native: 7, Userrt: 7, Speedup: 1, Runs: 2},
		}},
		Ablations: []Ablation{{Without: "wakeup", Name: "a/pair", Procs: 2, Unit: nsPerOp, With: 20, Off: 30, Worth: 1.5, Runs: 2}},
		Profiles: []Profile{
			{Name: "a/pair", Side: "native", Procs: 2, Cost: 30, Busy: 1, Samples: 200, Parts: map[string]float64{"switch": 4, "runtime": 26}},
			{Name: "a/pair", Side: "userrt", Procs: 2, Cost: 20, Busy: 0.75, Samples: 150, Parts: map[string]float64{"switch": 5, "work": 7, "of later": 3}},
		},
	}
}

func TestReportIsReadAgain(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, fullReport().write(newJSONOutput(&b)))
	require.Equal(t, 8, strings.Count(b.String(), "\n"))
	rep, err := readReport(&b)
	require.NoError(t, err)
	require.Equal(t, fullReport(), rep)
}

func TestReportAsText(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, fullReport().write(&textOutput{w: &b}))
	for _, heading := range []string{"\nfloors\n", "\nprocs 1\n", "\nprocs 2\n", "\ngrowth of tasks, in tasks, procs 2\n"} {
		require.Equal(t, 1, strings.Count(b.String(), heading), heading)
	}
	require.Regexp(t, `(?m)^pair .* wakeup$`, b.String())
}

// TestWriteStopsAtAnError lets the writer below fail at each of the writes.
func TestWriteStopsAtAnError(t *testing.T) {
	for n := range 8 {
		w := &failAfter{n}
		require.ErrorIs(t, fullReport().write(newJSONOutput(w)), errFull, n)
		require.Equal(t, -1, w.n, "nothing is written after the error")
	}
}

var errFull = errors.New("full")

// failAfter takes n writes and then none; n ends at -1 after one refusal.
type failAfter struct{ n int }

func (w *failAfter) Write(b []byte) (int, error) {
	if w.n--; w.n < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestBadReport(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"{", "line 1: unexpected end of JSON input"},
		{"\n{\"name\":1}", "line 2: json: cannot unmarshal number into Go struct field Result.name of type string"},
		{`{"who":1}`, `line 1: no line of a benchmark's results: {"who":1}`},
	} {
		_, err := readReport(strings.NewReader(c.file))
		require.EqualError(t, err, c.want)
	}
}

// TestSmallNumbersAreKept rounds what a user reads as zero and a file must not hold as zero.
func TestSmallNumbersAreKept(t *testing.T) {
	res := rounded(Result{Name: "a/pair", Procs: 1, Native: 5.8912, Userrt: 117093.054, Speedup: 5.8912 / 117093.054, Spread: 0})
	require.Equal(t, Result{Name: "a/pair", Procs: 1, Native: 5.89, Userrt: 117093.05, Speedup: 0.0000503, Spread: 0}, res)
	require.NoError(t, res.check())
}
