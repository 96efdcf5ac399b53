// The formats that -format knows, and the first of them: a table to read.

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// output writes what a run finds out. begin comes first and once; then results, those of one value of -procs together and
// in the order of pairs, and whatever else is measured, in its order; end comes last and once, and is where a format that
// needs the whole Report first prints anything. After an error nothing more is called.
type output interface {
	begin(env Env, count int) error
	result(res Result) error
	floor(f Floor) error
	point(p Point) error
	ablation(a Ablation) error
	profile(p Profile) error
	end() error
}

// outputs maps the values of -format to what makes them.
var outputs = map[string]func(w io.Writer) output{
	"text":      func(w io.Writer) output { return &textOutput{w: w} },
	"json":      func(w io.Writer) output { return newJSONOutput(w) },
	"html":      collecting(writeHTML),
	"benchstat": func(w io.Writer) output { return &benchstatOutput{w: w} },
	"markdown":  collecting(writeMarkdown),
	"readme":    collecting(writeReadme),
}

// formats names the values of -format.
func formats() string { return strings.Join(slices.Sorted(maps.Keys(outputs)), ", ") }

// textOutput prints a table for each value of -procs, a row as soon as it is known. Costs have the
// rate that follows from them beside them. Losses are printed as wins are.
type textOutput struct {
	w     io.Writer
	table string // the heading of the table being printed, "" before the first

	env       Env
	fair      []Result   // of the table being printed
	floors    []Floor    // so far
	series    []Point    // of the table being printed, if it is one of growth
	ablations []Ablation // all of them; their table is printed behind the last
}

// begin prints the environment and how to read the numbers.
func (o *textOutput) begin(env Env, count int) error {
	o.env = env
	var b strings.Builder
	for _, f := range envFields(env) {
		fmt.Fprintf(&b, "%-10s  %s\n", f.Name, f.Value)
	}
	fmt.Fprintf(&b, `
medians of %s a side, fewer and longer for some pairs, the sides taking turns; speedup = native/userrt, above 1
userrt is faster; ± and [ ] = 95 %% confidence intervals, from 6 rounds on; ~ = the speedup's holds 1, no difference is shown;
spread = the larger interquartile range of the two, relative to its median; floor = userrt/what its operation can't do without;
what each pair does, and why: go run ./bench -list
`, roundsOf(env, count))
	_, err := io.WriteString(o.w, b.String())
	return err
}

// loadLine prints the load, and what a high one means.
func loadLine(env Env) string {
	switch {
	case env.Load < 0 || env.Start == "": // unknown now, or to those who wrote the file
		return "unknown"
	case env.busy():
		return fmt.Sprintf("%.2f: something else was at work on the %s, so expect wide intervals", env.Load, plural(env.Cores, "core"))
	}
	return fmt.Sprintf("%.2f", env.Load)
}

// heading begins a table, unless it is the one being printed.
func (o *textOutput) heading(table string) error {
	if o.table == table {
		return nil
	}
	if err := o.below(); err != nil {
		return err
	}
	o.table = table
	_, err := fmt.Fprintf(o.w, "\n%s\n", table)
	return err
}

// columns are the headings of both sides' results.
func columns(first string) string {
	return fmt.Sprintf("%-*s  %12s %5s %11s  %12s %5s %11s  %7s %-14s  %6s", nameWidth, first,
		"native", "±", "rate", "userrt", "±", "rate", "speedup", "", "spread")
}

// result prints a row of the table of its value of -procs.
func (o *textOutput) result(res Result) error {
	if err := o.heading(fmt.Sprintf("%s\n%s", o.env.procs(res.Procs), columns("pair")+"  floor")); err != nil {
		return err
	}
	o.fair = append(o.fair, res)
	return o.row(res)
}

func (o *textOutput) row(res Result) error {
	_, err := fmt.Fprintf(o.w, "%-*s  %12s %5s %11s  %12s %5s %11s  %7.2f %-14s  %6s%s\n", nameWidth, res.Name,
		cost(res.Native, res.Unit), within(res.Native, res.NativeCI), rate(res.Native, res.Unit),
		cost(res.Userrt, res.Unit), within(res.Userrt, res.UserrtCI), rate(res.Userrt, res.Unit),
		res.Speedup, bounds(res.SpeedupCI), percent(res.Spread), aboveFloor(res))
	return err
}

// within prints how far an interval reaches from its median, at most and relative to it.
func within(median float64, ci *Interval) string {
	if ci == nil {
		return ""
	}
	return percent(max(ci[1]/median-1, 1-ci[0]/median))
}

// bounds prints the interval of a speedup, and a mark when it holds 1.
func bounds(ci *Interval) string {
	switch {
	case ci == nil:
		return ""
	case ci.contains(1):
		return fmt.Sprintf("[%.2f %.2f] ~", ci[0], ci[1])
	}
	return fmt.Sprintf("[%.2f %.2f]", ci[0], ci[1])
}

// aboveFloor prints how many times as much as its floor a result is; nothing where it has none.
func aboveFloor(res Result) string {
	if res.AboveFloor == 0 {
		return ""
	}
	return fmt.Sprintf(" %6s", strconv.FormatFloat(res.AboveFloor, 'f', 1, 64)+"×")
}

// point prints a row of the table of its series.
func (o *textOutput) point(p Point) error {
	if err := o.heading(fmt.Sprintf("growth of %s, in %s, %s\n%s", p.Series, p.Of, o.env.procs(p.Procs), columns("size"))); err != nil {
		return err
	}
	o.series = append(o.series, p)
	res := p.Result
	res.Name = strconv.Itoa(p.Size)
	return o.row(res)
}

// below prints what belongs below the table that ends.
func (o *textOutput) below() error {
	if err := o.growth(); err != nil {
		return err
	}
	return o.fairTables()
}

// growth prints, below the table of a series, how its costs grow.
func (o *textOutput) growth() error {
	native, userrt, ok := slopes(o.series)
	if !ok {
		o.series = nil
		return nil
	}
	cause := causeOf(o.series[0].Series, native, userrt)
	o.series = nil
	if cause != "" {
		cause = "cause       " + cause + "\n"
	}
	_, err := fmt.Fprintf(o.w, "in all      native %v; userrt %v\n%s", native, userrt, cause)
	return err
}

func (o *textOutput) ablation(a Ablation) error {
	o.ablations = append(o.ablations, a)
	return nil
}

func (o *textOutput) end() error {
	if err := o.below(); err != nil {
		return err
	}
	return o.ablationTable()
}

// percent prints a share.
func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 0, 64) + " %" }

// cost prints a number with its unit: "ns" for ns/op and "B" for B/task, since the rows are operations. The pair's name tells
// processor time from the clock's.
func cost(v float64, unit string) string {
	unit, _, _ = strings.Cut(strings.TrimPrefix(unit, "cpu-"), "/")
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
