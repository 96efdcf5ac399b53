// Lines for benchstat: read by the library that it is made of, and by the tool itself.

package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/perf/benchfmt"
)

// readBenchmarks reads lines in Go's benchmark format, and fails on one that isn't.
func readBenchmarks(t *testing.T, text string) (results []*benchfmt.Result) {
	t.Helper()
	r := benchfmt.NewReader(strings.NewReader(text), "text")
	for r.Scan() {
		switch rec := r.Result().(type) {
		case *benchfmt.Result:
			results = append(results, rec.Clone())
		default:
			t.Fatalf("%T: %v", rec, rec)
		}
	}
	require.NoError(t, r.Err())
	return results
}

func TestBenchstatFormat(t *testing.T) {
	status, stdout, stderr := command(fakePairs(), "-format", "benchstat", "-count", "2", "-procs", "1,2", "-run", "win|loss")
	require.Equal(t, 0, status, stderr)
	results := readBenchmarks(t, stdout)
	require.Len(t, results, 2*2*2*2)
	require.Equal(t, "Pair/a/win/procs=1/impl=native", results[0].Name.String())
	require.Equal(t, "Pair/a/win/procs=1/impl=userrt", results[1].Name.String())
	require.Equal(t, "Pair/a/loss/procs=2/impl=userrt", results[15].Name.String())
	require.Len(t, results[0].Values, 1)
	require.Equal(t, "ns/op", results[0].Values[0].OrigUnit)
	require.Equal(t, 300.0, results[0].Values[0].OrigValue)
	require.Len(t, results[15].Values, 1)
	require.Equal(t, "ns/op", results[15].Values[0].OrigUnit)
	require.Equal(t, 400.0, results[15].Values[0].OrigValue)
	for _, key := range []string{"goos", "goarch", "pkg", "cpu"} {
		require.NotEmpty(t, results[0].GetConfig(key), key)
	}
	require.Len(t, results[0].Config, 4, "one more would keep two runs apart")
}

// TestBenchstatHasAll writes what has rounds, and what comes from a file that has medians only.
func TestBenchstatHasAll(t *testing.T) {
	rep := fullReport()
	rep.Results[0].NativeRounds, rep.Results[0].UserrtRounds = []float64{31, 29}, []float64{20, 20}
	rep.Results[1].Unit = bytesPerOp
	var b bytes.Buffer
	require.NoError(t, rep.write(&benchstatOutput{w: &b}))
	var names []string
	for _, res := range readBenchmarks(t, b.String()) {
		require.Len(t, res.Values, 1)
		names = append(names, res.Name.String())
	}
	require.Equal(t, []string{
		"Floor/cas", "Floor/cas", "Floor/cas",
		"Pair/a/pair/procs=1/impl=native", "Pair/a/pair/procs=1/impl=userrt",
		"Pair/a/pair/procs=1/impl=native", "Pair/a/pair/procs=1/impl=userrt",
		"Pair/a/pair/procs=2/impl=native", "Pair/a/pair/procs=2/impl=userrt",
		"Growth/tasks/tasks=1000/procs=2/impl=native", "Growth/tasks/tasks=1000/procs=2/impl=userrt",
		"Ablation/a/pair/procs=2/mechanism=wakeup/state=on", "Ablation/a/pair/procs=2/mechanism=wakeup/state=off",
	}, names[:13])
	require.Len(t, names, 13+2*len(systemParts))
	require.Contains(t, b.String(), "impl=userrt \t1\t60 B/task\n")
}

// TestBenchstatTool gives the lines to the tool that they are for.
func TestBenchstatTool(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new.txt")
	status, _, stderr := command(fakePairs(), "-format", "benchstat", "-count", "6", "-procs", "2", "-o", file)
	require.Equal(t, 0, status, stderr)
	out, err := exec.Command("go", "tool", "-modfile=../internal/tools/go.mod", "benchstat", "-col", "/impl", file).CombinedOutput()
	require.NoError(t, err, string(out))
	for _, row := range []string{
		`Pair/a/win/procs=2 +300\.0n ± 0% +200\.0n ± 0% +-33\.33% \(p=0\.002 n=6\)`,
		`Pair/a/loss/procs=2 +100\.0n ± 0% +400\.0n ± 0% +\+300\.00% \(p=0\.002 n=6\)`,
		`Pair/b/even/procs=2 +5\.000µ ± 0% +5\.000µ ± 0% +~ \(p=1\.000 n=6\)`,
	} {
		require.Regexp(t, row, string(out))
	}
}
