// The formats that -format knows, and the first of them: a table to read.

package main

import (
	"fmt"
	"io"
	"strconv"
)

// output writes results. begin comes first and once, result once for each measured pair, those of
// one value of -procs together and in the order of pairs.
type output interface {
	begin(env Env, count int) error
	result(res Result) error
}

// outputs maps the values of -format to what makes them.
var outputs = map[string]func(w io.Writer) output{
	"text": func(w io.Writer) output { return &textOutput{w: w} },
	"json": func(w io.Writer) output { return newJSONOutput(w) },
}

// textOutput prints a table for each value of -procs, a row as soon as it is known. Costs have the
// rate that follows from them beside them. Losses are printed as wins are.
type textOutput struct {
	w     io.Writer
	procs int // of the table being printed, 0 before the first
}

// begin prints the environment and how to read the numbers.
func (o *textOutput) begin(env Env, count int) error {
	_, err := fmt.Fprintf(o.w, `cpu         %s
cores       %d
go          %s
GOMAXPROCS  %d (each table sets its own, for both sides)
kernel      %s

medians of %s a side, fewer where they are long, the sides taking turns; speedup = native/userrt, above 1 userrt is faster;
spread = the larger interquartile range of the two, relative to its median
`, env.CPU, env.Cores, env.Go, env.GOMAXPROCS, env.Kernel, plural(count, "round"))
	return err
}

// result prints a row, below a heading when it begins a table.
func (o *textOutput) result(res Result) error {
	if res.Procs != o.procs {
		o.procs = res.Procs
		_, err := fmt.Fprintf(o.w, "\nprocs %d\n%-*s  %12s %11s  %12s %11s  %7s  %6s\n", res.Procs, nameWidth, "pair",
			"native", "rate", "userrt", "rate", "speedup", "spread")
		if err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(o.w, "%-*s  %12s %11s  %12s %11s  %7.2f  %6s\n", nameWidth, res.Name,
		cost(res.Native, res.Unit), rate(res.Native, res.Unit),
		cost(res.Userrt, res.Unit), rate(res.Userrt, res.Unit),
		res.Speedup, strconv.FormatFloat(100*res.Spread, 'f', 0, 64)+" %")
	return err
}

// cost prints a number with its unit: "ns" for ns/op, since the rows are operations. The pair's name tells
// processor time from the clock's.
func cost(v float64, unit string) string {
	if unit == nsPerOp || unit == cpuPerOp {
		unit = "ns"
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + unit
}

// rate turns nanoseconds an operation into operations a second, of a processor's time if it is that. Other costs have no rate.
func rate(v float64, unit string) string {
	if unit != nsPerOp && unit != cpuPerOp {
		return ""
	}
	perSecond := 1e9 / v
	switch {
	case perSecond >= 1e6:
		return strconv.FormatFloat(perSecond/1e6, 'f', 2, 64) + " M/s"
	case perSecond >= 1e3:
		return strconv.FormatFloat(perSecond/1e3, 'f', 2, 64) + " k/s"
	}
	return strconv.FormatFloat(perSecond, 'f', 2, 64) + " /s"
}

// plural prints a count and what is counted.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
