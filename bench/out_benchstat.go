// Results in Go's benchmark format, a line for each round, for benchstat and whatever else reads it.
//
//	go run ./bench -format benchstat -o new.txt && benchstat -filter .name:Pair -col /impl new.txt
//
// Names are those of bench_test.go, without the number that `go test` puts behind them, GOMAXPROCS of the process: procs is what counts.
//
// Go's counterparts: testing/benchmark.go, BenchmarkResult.String and RunBenchmarks; golang.org/x/perf/benchfmt.

package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// benchstatOutput prints lines. What they say of the machine is what testing prints, and no more: benchstat makes a table of
// its own for each value of such a key, so the load or the time of day would keep two runs apart.
type benchstatOutput struct{ w io.Writer }

func (o *benchstatOutput) begin(env Env, _ int) error {
	_, system, _ := strings.Cut(env.Go, " ")
	goos, goarch, ok := strings.Cut(system, "/")
	var b strings.Builder
	if ok {
		fmt.Fprintf(&b, "goos: %s\ngoarch: %s\n", goos, goarch)
	}
	fmt.Fprintf(&b, "pkg: %s\ncpu: %s\n", benchPackage, orUnknown(env.CPU))
	_, err := io.WriteString(o.w, b.String())
	return err
}

const benchPackage = "github.com/userrt/userrt/bench"

func (o *benchstatOutput) result(res Result) error {
	return o.sides(fmt.Sprintf("Pair/%s/procs=%d", res.Name, res.Procs), res)
}

func (o *benchstatOutput) point(p Point) error {
	return o.sides(fmt.Sprintf("Growth/%s/%s=%d/procs=%d", p.Series, strings.ReplaceAll(p.Of, " ", "-"), p.Size, p.Procs), p.Result)
}

// sides prints the rounds in the order in which they ran, but for the turns that the sides take in coming first.
func (o *benchstatOutput) sides(name string, res Result) error {
	if len(res.NativeRounds) == 0 { // from a file that has medians only
		res.NativeRounds, res.UserrtRounds = []float64{res.Native}, []float64{res.Userrt}
	}
	for i := range res.NativeRounds {
		if err := o.line(name+"/impl=native", res.NativeRounds[i], res.Unit); err != nil {
			return err
		}
		if err := o.line(name+"/impl=userrt", res.UserrtRounds[i], res.Unit); err != nil {
			return err
		}
	}
	return nil
}

func (o *benchstatOutput) floor(f Floor) error {
	rounds := f.Rounds
	if len(rounds) == 0 {
		rounds = []float64{f.Cost}
	}
	name := "Floor/" + strings.ReplaceAll(f.Name, " ", "-")
	if f.Again {
		name += "/when=end"
	}
	return each(rounds, func(cost float64) error { return o.line(name, cost, f.Unit) })
}

// ablation prints medians: there is nothing else of an Ablation.
func (o *benchstatOutput) ablation(a Ablation) error {
	name := fmt.Sprintf("Ablation/%s/procs=%d/mechanism=%s", a.Name, a.Procs, a.Without)
	if err := o.line(name+"/state=on", a.With, a.Unit); err != nil {
		return err
	}
	return o.line(name+"/state=off", a.Off, a.Unit)
}

// profile prints the parts, which benchstat can tell apart by -col /part.
func (o *benchstatOutput) profile(p Profile) error {
	for _, part := range systemParts {
		if err := o.line(fmt.Sprintf("Profile/%s/procs=%d/part=%s/impl=%s", p.Name, p.Procs, part.name, p.Side), p.Parts[part.name], cpuPerOp); err != nil {
			return err
		}
	}
	return nil
}

func (o *benchstatOutput) end() error { return nil }

// line prints one measurement. That of a round is an average over many operations already, so it counts as one iteration.
func (o *benchstatOutput) line(name string, cost float64, unit string) error {
	_, err := fmt.Fprintf(o.w, "Benchmark%s \t1\t%s %s\n", name, strconv.FormatFloat(cost, 'f', -1, 64), unit)
	return err
}
