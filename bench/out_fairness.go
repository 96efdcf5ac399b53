// Tables of fairness: two rows for each pair that has it, the same in all formats.

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// fairHeads are the headings of the columns.
var fairHeads = []string{"pair", "side", "turns", "least", "most", "deviation", "longest wait"}

// fairRow is one side of a pair, as cells.
type fairRow struct {
	Pair, Side, Doc string
	Family          int
	Cells           []string // under fairHeads, from turns on
}

// fairView is what was seen at one value of -procs.
type fairView struct {
	Procs int
	Rows  []fairRow
}

// fairTime is how long the tasks tried.
func fairTime(env Env) string {
	d, err := time.ParseDuration(env.Round)
	if err != nil {
		return "some time" // the file doesn't say
	}
	return (fairRounds * d).String()
}

// fairNote says how to read the tables.
func fairNote(env Env) string {
	return fmt.Sprintf("Measured for %s a side, in which all tasks want the lock all the time: turns of all tasks, of the one that had least and of the one that had most, "+
		"their standard deviation relative to the mean, and how long a task has waited for the lock at most, for a processor included.", fairTime(env))
}

// fairViews sorts what results have of fairness into tables.
func fairViews(results []Result, known pageIndex) (views []fairView) {
	for _, g := range byProcs(results) {
		v := fairView{Procs: g.procs}
		for _, res := range g.results {
			v.add(res, "native", res.NativeFair, known)
			v.add(res, "userrt", res.UserrtFair, known)
		}
		if len(v.Rows) > 0 {
			views = append(views, v)
		}
	}
	return views
}

func (v *fairView) add(res Result, side string, f *Fairness, known pageIndex) {
	if f != nil {
		v.Rows = append(v.Rows, fairRow{Pair: res.Name, Side: side, Doc: known.docs[res.Name], Family: known.family(res.Name), Cells: f.cells()})
	}
}

func (f *Fairness) cells() []string {
	return []string{grouped(float64(f.Turns)), grouped(float64(f.Least)), grouped(float64(f.Most)), percent(f.Deviation), shortTime(f.Longest)}
}

// fairTables prints those of the results so far, below their tables, and forgets them.
func (o *textOutput) fairTables() error {
	views := fairViews(o.fair, pageIndex{})
	o.fair = nil
	if len(views) == 0 {
		return nil
	}
	var b strings.Builder
	for _, v := range views {
		fmt.Fprintf(&b, `
fairness, %s: %s for each side in which all tasks want the lock all the time; turns of all, of the task that had least and of the
one that had most, their standard deviation/mean, and the longest wait for the lock, for a processor included
`, o.env.procs(v.Procs), fairTime(o.env))
		line := func(cells ...string) {
			fmt.Fprintf(&b, "%-*s  %-6s %11s %11s %11s %9s  %12s\n", nameWidth, cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6])
		}
		line(fairHeads...)
		for _, r := range v.Rows {
			line(slices.Concat([]string{r.Pair, r.Side}, r.Cells)...)
		}
	}
	_, err := io.WriteString(o.w, b.String())
	return err
}

func (md *markdown) fairness(rep *Report) {
	views := fairViews(rep.Results, pageIndex{})
	if len(views) == 0 {
		return
	}
	md.WriteString("## Fairness\n\n" + fairNote(rep.Env) + "\n\n")
	for _, v := range views {
		fmt.Fprintf(md, "### %s\n\n", rep.Env.procs(v.Procs))
		var rows [][]string
		for _, r := range v.Rows {
			rows = append(rows, slices.Concat([]string{"`" + r.Pair + "`", r.Side}, r.Cells))
		}
		md.table(fairHeads, "llrrrrr", rows)
	}
}
