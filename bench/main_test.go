// The command line: what is refused, what -list and the formats print, how progress looks.

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fakePair is a pair whose rounds say how long they took, so that its results are known.
func fakePair(name string, nativeCost, userrtCost time.Duration) Pair {
	body := func(cost time.Duration) Body {
		return func(r *Round) error {
			r.Took = cost * time.Duration(r.N)
			return nil
		}
	}
	return Pair{
		Name: name, Doc: "what " + name + " does", Unit: nsPerOp, Step: 1,
		Native: body(nativeCost), Userrt: body(userrtCost),
	}
}

// failing is a pair whose userrt side gives err.
func failing(name string, err error) Pair {
	p := fakePair(name, 1000, 1000)
	p.Userrt = func(*Round) error { return err }
	return p
}

func fakePairs() []Pair {
	return []Pair{fakePair("a/win", 300, 200), fakePair("a/loss", 100, 400), fakePair("b/even", 5000, 5000)}
}

// command runs the command on ps.
func command(ps []Pair, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(args, ps, &out, &errs)
	return status, out.String(), errs.String()
}

func TestBadCommandLine(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-run", "nothing"}, `bench: -run "nothing" matches no pair; -list shows them all`},
		{[]string{"-run", "("}, "bench: -run: error parsing regexp: missing closing ): `(`"},
		{[]string{"-list", "-run", "nothing"}, `bench: -run "nothing" matches no pair; -list shows them all`},
		{[]string{"-count", "0"}, "bench: -count 0: at least one round is needed"},
		{[]string{"-count", "-3"}, "bench: -count -3: at least one round is needed"},
		{[]string{"-count", "x"}, `bench: invalid value "x" for flag -count: parse error`},
		{[]string{"-procs", ""}, `bench: -procs "": "" is not a number from 1 to 1024`},
		{[]string{"-procs", "1,,2"}, `bench: -procs "1,,2": "" is not a number from 1 to 1024`},
		{[]string{"-procs", "2,0"}, `bench: -procs "2,0": "0" is not a number from 1 to 1024`},
		{[]string{"-procs", "two"}, `bench: -procs "two": "two" is not a number from 1 to 1024`},
		{[]string{"-procs", "1025"}, `bench: -procs "1025": "1025" is not a number from 1 to 1024`},
		{[]string{"-format", "xml"}, `bench: -format "xml": want one of ` + formats()},
		{[]string{"-time", "x"}, `bench: invalid value "x" for flag -time: parse error`},
		{[]string{"-time", "20"}, `bench: invalid value "20" for flag -time: parse error`},
		{[]string{"-time", "0"}, "bench: -time 0s: want 1ms to 1m0s"},
		{[]string{"-time", "-20ms"}, "bench: -time -20ms: want 1ms to 1m0s"},
		{[]string{"-time", "999us"}, "bench: -time 999µs: want 1ms to 1m0s"},
		{[]string{"-time", "61s"}, "bench: -time 1m1s: want 1ms to 1m0s"},
		{[]string{"-from", "x", "-count", "3"}, "bench: -count: with -from nothing is measured"},
		{[]string{"-from", "x", "-procs", "1"}, "bench: -procs: with -from nothing is measured"},
		{[]string{"-from", "x", "-time", "1s"}, "bench: -time: with -from nothing is measured"},
		{[]string{"-from", "x", "-list"}, "bench: -list: with -from nothing is measured"},
		{[]string{"-compare", "x", "-format", "json"}, "bench: -compare prints text: give -format json a file, with -o"},
		{[]string{"-nonsense"}, "bench: flag provided but not defined: -nonsense"},
		{[]string{"hchan"}, `bench: unexpected argument "hchan": pairs are chosen with -run`},
	} {
		status, stdout, stderr := command(fakePairs(), c.args...)
		require.Equal(t, 2, status, c.args)
		require.Empty(t, stdout, c.args)
		require.Equal(t, c.want+"\n", stderr, c.args)
	}
}

func TestHelp(t *testing.T) {
	status, stdout, stderr := command(fakePairs(), "-h")
	require.Equal(t, 0, status)
	require.Empty(t, stdout)
	for _, flag := range []string{"-run", "-count", "-time", "-procs", "-format", "-o", "-from", "-compare", "-list"} {
		require.Regexp(t, "(?m)^  "+flag+"( |$)", stderr)
	}
}

func TestList(t *testing.T) {
	status, stdout, stderr := command(fakePairs(), "-list", "-run", "^a/")
	require.Equal(t, 0, status)
	require.Empty(t, stderr)
	require.Equal(t, "a/win                   what a/win does\na/loss                  what a/loss does\n", stdout)

	_, stdout, _ = command(pairs(), "-list")
	require.Equal(t, len(pairs()), strings.Count(stdout, "\n"))
}

func TestTextTable(t *testing.T) {
	status, stdout, stderr := command(fakePairs(), "-count", "2", "-procs", "1,2")
	require.Equal(t, 0, status, stderr)
	for _, key := range []string{
		"cpu ", "cores ", "go ", "GOMAXPROCS ", "kernel ", "governor ", "virtual ", "load ", "userrt ", "start ",
		"medians of 2 rounds of 10ms a side",
	} {
		require.Contains(t, stdout, key)
	}
	_, tables, _ := strings.Cut(stdout, "\nprocs 1\n")
	want := `pair                          native     ±        rate        userrt     ±        rate  speedup                 spread  floor
a/win                       300.0 ns          3.33 M/s      200.0 ns          5.00 M/s     1.50                    0 %
a/loss                      100.0 ns         10.00 M/s      400.0 ns          2.50 M/s     0.25                    0 %
b/even                     5000.0 ns        200.00 k/s     5000.0 ns        200.00 k/s     1.00                    0 %
`
	require.Equal(t, want+"\nprocs 2\n"+want, tables)
	require.Equal(t, "[1/6] a/win, procs 1: 1.50", strings.Split(stderr, "\n")[0])
	require.Equal(t, 6, strings.Count(stderr, "\n"), "one line a pair where stderr is no terminal")
}

func TestCostsFitTheirColumn(t *testing.T) {
	for unit, want := range map[string]string{nsPerOp: "2717.8 ns", cpuPerOp: "2717.8 ns", bytesPerOp: "2717.8 B", bytesPerConn: "2717.8 B", percentOf: "2717.8 %"} {
		require.Equal(t, want, cost(2717.8, unit))
	}
}

func TestJSONLines(t *testing.T) {
	status, stdout, stderr := command(fakePairs(), "-format", "json", "-count", "3", "-procs", "2", "-run", "win|loss")
	require.Equal(t, 0, status, stderr)
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	require.Len(t, lines, 3)
	require.Regexp(t, `^{"env":{"cpu":"`, lines[0])
	require.Equal(t, []string{
		`{"name":"a/win","procs":2,"unit":"ns/op","native":300,"userrt":200,"speedup":1.5,"spread":0,"runs":3,"native_rounds":[300,300,300],"userrt_rounds":[200,200,200]}`,
		`{"name":"a/loss","procs":2,"unit":"ns/op","native":100,"userrt":400,"speedup":0.25,"spread":0,"runs":3,"native_rounds":[100,100,100],"userrt_rounds":[400,400,400]}`,
	}, lines[1:])

	rep, err := readReport(strings.NewReader(stdout))
	require.NoError(t, err)
	require.Equal(t, cpuModel(), rep.Env.CPU)
	require.Equal(t, "10ms", rep.Env.Round)
	require.Len(t, rep.Results, 2)
	require.Equal(t, 0.25, rep.Results[1].Speedup)
}

// TestRealPairJSON measures a pair in earnest, for what no fake can show: real numbers.
func TestRealPairJSON(t *testing.T) {
	status, stdout, stderr := command(pairs(), "-format", "json", "-count", "2", "-procs", "1", "-run", "^hchan/uncontended$")
	require.Equal(t, 0, status, stderr)
	rep, err := readReport(strings.NewReader(stdout))
	require.NoError(t, err)
	require.Len(t, rep.Results, 1)
	res := rep.Results[0]
	require.Positive(t, res.Native)
	require.Positive(t, res.Userrt)
	require.Len(t, res.NativeRounds, 2)
	require.Len(t, res.UserrtRounds, 2)
	require.InDelta(t, res.Native/res.Userrt, res.Speedup, 0.02*res.Speedup+0.0005) // it has three decimals
}

func TestOutputFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json")
	status, stdout, stderr := command(fakePairs(), "-format", "json", "-count", "1", "-procs", "1", "-o", path)
	require.Equal(t, 0, status, stderr)
	require.Empty(t, stdout)
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(string(written), `"speedup"`))

	status, _, stderr = command(fakePairs(), "-o", filepath.Join(path, "below-a-file"))
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "below-a-file")
}

func TestWrongResultFails(t *testing.T) {
	ps := append(fakePairs(), failing("c/wrong", mismatch("sum", 3, 4)))
	closed := 0
	ps[0].Close = func() error { closed++; return nil }
	status, stdout, stderr := command(ps, "-count", "1", "-procs", "1")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "bench: c/wrong at procs 1: userrt: wrong result: sum 3, want 4\n")
	require.Contains(t, stdout, "b/even", "what was measured before is printed")
	require.NotContains(t, stdout, "c/wrong")
	require.Equal(t, 1, closed)
}

func TestUnsupportedIsSkipped(t *testing.T) {
	ps := append([]Pair{failing("c/elsewhere", fmt.Errorf("listen: %w", errors.ErrUnsupported))}, fakePairs()...)
	status, stdout, stderr := command(ps, "-count", "1", "-procs", "1")
	require.Equal(t, 0, status)
	require.Contains(t, stderr, "[1/4] c/elsewhere, procs 1: skipped: ")
	require.NotContains(t, stdout, "c/elsewhere")
	require.Contains(t, stdout, "a/win")
}

// TestRounds checks what a body may rely on: sides in turns, GOMAXPROCS set and put back, a
// multiple of Step.
func TestRounds(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	var order []byte
	var procs, rest []int
	p := fakePair("a/seen", 1000, 1000)
	p.Step = 7
	look := func(mark byte, body Body) Body {
		return func(r *Round) error {
			order = append(order, mark)
			procs = append(procs, runtime.GOMAXPROCS(0))
			rest = append(rest, r.N%p.Step)
			return body(r)
		}
	}
	p.Native, p.Userrt = look('n', p.Native), look('u', p.Userrt)
	var announced []int
	res, err := measure(p, 3, 4, func(round int) { announced = append(announced, round) })
	require.NoError(t, err)
	require.Equal(t, before, runtime.GOMAXPROCS(0))
	require.Equal(t, []int{0, 1, 2, 3}, announced)
	require.Regexp(t, regexp.MustCompile("^n+u+nuunnuun$"), string(order))
	require.Equal(t, slices.Repeat([]int{3}, len(order)), procs)
	require.Equal(t, make([]int, len(order)), rest)
	rounds := []float64{1000, 1000, 1000, 1000}
	require.Equal(t, Result{
		Name: "a/seen", Procs: 3, Unit: nsPerOp, Native: 1000, Userrt: 1000, Speedup: 1, Runs: 4,
		NativeRounds: rounds, UserrtRounds: rounds,
	}, res)
	p.AtMost = 2
	res, err = measure(p, 3, 4, func(int) {})
	require.NoError(t, err)
	require.Equal(t, 2, res.Runs)
}

// TestAsked checks what -count and -time make of a pair.
func TestAsked(t *testing.T) {
	for _, c := range []struct {
		p            Pair
		count        int
		time, target time.Duration
		atMost       int
	}{
		{Pair{}, defaultCount, roundTarget, roundTarget, 0},
		{Pair{AtMost: 3}, defaultCount, roundTarget, roundTarget, 3},
		{Pair{AtMost: 3}, 1, roundTarget, roundTarget, 3},
		{Pair{AtMost: 3}, 3 * defaultCount, 2 * roundTarget, 2 * roundTarget, 9},
		{Pair{Target: netTarget}, defaultCount, roundTarget, netTarget, 0},
		{Pair{Target: netTarget}, defaultCount, 2 * netTarget, 2 * netTarget, 0},
	} {
		got := c.p.asked(c.count, c.time)
		require.Equal(t, c.target, got.Target, c)
		require.Equal(t, c.atMost, got.AtMost, c)
	}
}

// TestTimeIsHeeded looks at how large the rounds of a pair of known speed become.
func TestTimeIsHeeded(t *testing.T) {
	for _, c := range []struct {
		args []string
		want int
	}{{nil, 10}, {[]string{"-time", "7ms"}, 7}, {[]string{"-time", "1s"}, 1000}} {
		p := fakePair("a/slow", time.Millisecond, time.Millisecond)
		last := 0
		body := p.Native
		p.Native = func(r *Round) error { last = r.N; return body(r) }
		status, stdout, stderr := command([]Pair{p}, append(c.args, "-count", "1", "-procs", "1")...)
		require.Equal(t, 0, status, stderr)
		require.Equal(t, c.want, last)
		require.Contains(t, stdout, fmt.Sprintf("1 round of %v a side", time.Duration(c.want)*time.Millisecond))
	}
}

// TestProgressOnTerminal follows the bytes that a terminal would get.
func TestProgressOnTerminal(t *testing.T) {
	var w bytes.Buffer
	p := newProgress(&w, 2, 10)
	require.False(t, p.tty)
	p.tty = true
	p.round("a/pair", 1, 0)
	long := "[1/2] a/pair, procs 1, round 1 of 10"
	require.Equal(t, "\r"+long, w.String())
	w.Reset()
	p.measured(Result{Name: "a/pair", Procs: 1, Speedup: 1})
	require.Equal(t, "\r"+strings.Repeat(" ", len(long))+"\r", w.String())
	w.Reset()
	p.round("b", 1, 9)
	p.skipped("b", 1, errors.ErrUnsupported)
	short := "[2/2] b, procs 1, round 10 of 10"
	require.Equal(t, "\r"+short+"\r"+strings.Repeat(" ", len(short))+"\r[2/2] b, procs 1: skipped: unsupported operation\n", w.String())
}
