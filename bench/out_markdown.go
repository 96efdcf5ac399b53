// Results as Markdown tables, for a document that is made by a command and not by hand: docs/results.md.

package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// markdown gathers the text of the document, so that the writer gets all of it or nothing.
type markdown struct {
	bytes.Buffer
	env Env
}

// writeMarkdown writes the document. Sections for which nothing was measured are left out.
func writeMarkdown(w io.Writer, rep *Report) error {
	md := markdown{env: rep.Env}
	fmt.Fprintf(&md, "# Results\n\nMade by `%s`; nothing here is typed by hand.\n\n", commandFor(rep))
	var rows [][]string
	for _, f := range knownEnv(rep.Env) {
		rows = append(rows, []string{f.Name, f.Value})
	}
	md.table([]string{"where", ""}, "ll", rows)
	md.howToRead(rep)
	for _, g := range byProcs(rep.Results) {
		t := outcomeOf(g.results)
		fmt.Fprintf(&md, "## %s\n\n%d faster, %d undecided, %d slower.\n\n", rep.Env.procs(g.procs), t.Faster, t.Undecided, t.Slower)
		md.results("pair", g.results, func(res Result) string { return "`" + res.Name + "`" })
	}
	md.fairness(rep)
	md.floors(rep.Floors)
	md.growth(rep.Points)
	md.ablations(rep.Ablations)
	md.profiles(rep.Profiles)
	md.pairs(rep.Results)
	_, err := w.Write(append(bytes.TrimRight(md.Bytes(), "\n"), '\n'))
	return err
}

// commandFor returns the command that measures what rep holds and writes it so, as far as the report shows: -run leaves no trace.
func commandFor(rep *Report) string {
	command := "go run ./bench"
	var procs []string
	for _, g := range byProcs(rep.Results) {
		procs = append(procs, strconv.Itoa(g.procs))
	}
	if list := strings.Join(procs, ","); list != "" && list != defaultProcs {
		command += " -procs " + list
	}
	if n := mostRounds(rep.Results); n != 0 && n != defaultCount {
		command += " -count " + strconv.Itoa(n)
	}
	if len(rep.Points) > 0 {
		command += " -growth"
	}
	if len(rep.Ablations) > 0 {
		command += " -ablate"
	}
	switch {
	case rep.profilesAreSummary():
		command += " -profile=summary"
	case len(rep.Profiles) > 0:
		command += " -profile"
	}
	return command + " -format markdown"
}

// profilesAreSummary reports whether there are profiles, but of none of the pairs that only -profile has.
func (rep *Report) profilesAreSummary() bool {
	profiled := map[string]bool{}
	for _, p := range rep.Profiles {
		profiled[p.Name] = true
		if !slices.Contains(shownPairs, p.Name) {
			return false
		}
	}
	return len(profiled) > 0 && slices.ContainsFunc(rep.Results, func(res Result) bool {
		return !profiled[res.Name] && (res.Unit == nsPerOp || res.Unit == cpuPerOp)
	})
}

func (md *markdown) howToRead(rep *Report) {
	if len(rep.Results) == 0 {
		return
	}
	fmt.Fprintf(md, "Costs are medians of %s a side, fewer and longer for some pairs, the sides taking turns. Speedup is the native cost divided by userrt's: "+
		"above 1 userrt is faster. Spread is the larger interquartile range of the two, relative to its median. ", roundsOf(rep.Env, mostRounds(rep.Results)))
	if hasInterval(rep.Results) {
		md.WriteString("The interval is the speedup's, at a confidence of 95 %; a pair is undecided when it holds 1, or, with too few rounds for one, when it is nearer to 1 than its spread.")
	} else {
		md.WriteString("A pair is undecided when it is nearer to 1 than its spread.")
	}
	if hasFloor(rep.Results) {
		md.WriteString(" Above floor: how many times as much userrt takes as what the operation can't do without, which stands beside it.")
	}
	if note := crowdNote(rep); note != "" {
		md.WriteString(" " + note)
	}
	md.WriteString("\n\n")
}

// results writes a table of results, called by what they are in it.
func (md *markdown) results(of string, results []Result, name func(Result) string) {
	ci, floor := hasInterval(results), hasFloor(results)
	head, align := []string{of, "native", "userrt", "speedup"}, "lrrr"
	if ci {
		head, align = append(head, "interval"), align+"r"
	}
	head, align = append(head, "spread"), align+"r"
	if floor {
		head, align = append(head, "above floor", "floor"), align+"rl"
	}
	var rows [][]string
	for _, res := range results {
		row := []string{name(res), shortCost(res.Native, res.Unit), shortCost(res.Userrt, res.Unit), threeDigits(res.Speedup)}
		if ci {
			row = append(row, shortInterval(res.SpeedupCI))
		}
		row = append(row, percent(res.Spread))
		if floor {
			row = append(row, shortFloor(res), res.Floor)
		}
		rows = append(rows, row)
	}
	md.table(head, align, rows)
}

func (md *markdown) growth(points []Point) {
	if len(points) == 0 {
		return
	}
	md.WriteString("## Growth\n\nWhat one operation costs on more and more of something, and with which power of the size all the work of that size grows: 1 is linear, " +
		"an operation costs the same on any size. " + flagMeaning + "\n\n")
	for _, c := range curves(points) {
		fmt.Fprintf(md, "### %s, %s\n\n", c.series, md.env.procs(c.procs))
		if native, userrt, ok := c.slopes(); ok {
			fmt.Fprintf(md, "native %v; userrt %v.\n\n", native, userrt)
			if cause := causeOf(c.series, native, userrt); cause != "" {
				fmt.Fprintf(md, "Cause: %s.\n\n", cause)
			}
		}
		if note := unitNote(c.unit); note != "" {
			fmt.Fprintf(md, "In %s.\n\n", note)
		}
		if why := seriesReasons[c.series]; why != "" {
			fmt.Fprintf(md, "Why: %s.\n\n", why)
		}
		results := make([]Result, len(c.points))
		for i, p := range c.points {
			results[i] = p.Result
			results[i].Name = grouped(float64(p.Size))
		}
		md.results(c.of, results, func(res Result) string { return res.Name })
	}
}

func (md *markdown) ablations(abs []Ablation) {
	if len(abs) == 0 {
		return
	}
	md.WriteString("## What each mechanism is worth\n\nuserrt with one of its mechanisms switched off, beside userrt with all of them on: the cost without it divided by " +
		"the cost with it. Above 1 it helps, below 1 it costs; what is not bold is undecided.\n\n")
	for _, v := range ablationViews(abs, pageIndex{}) {
		fmt.Fprintf(md, "### %s\n\n", md.env.procs(v.Procs))
		head, align := []string{"pair", "with all"}, "lr"
		var switches []string
		for _, h := range v.Heads {
			head, align = append(head, h.Short), align+"r"
			switches = append(switches, h.Short+": "+h.Name)
		}
		var rows [][]string
		for _, r := range v.Rows {
			row := []string{"`" + r.Prefix + r.Name + "`", r.Cost}
			for _, cell := range r.Cells {
				row = append(row, cell.markdown())
			}
			rows = append(rows, row)
		}
		md.table(head, align, rows)
		md.WriteString(strings.Join(switches, ", ") + ".\n\n")
	}
}

func (md *markdown) profiles(profiles []Profile) {
	if len(profiles) == 0 {
		return
	}
	md.WriteString("## Where the time goes\n\n" + profileNote() + "\n\n")
	for _, v := range profileViews(profiles, pageIndex{}) {
		fmt.Fprintf(md, "### %s\n\n", md.env.procs(v.Procs))
		var rows [][]string
		for _, r := range v.Rows {
			rows = append(rows, append([]string{"`" + r.Pair + "`", r.Side, r.Cost, r.Busy}, r.Parts...))
		}
		md.table(append([]string{"pair", "side", "cost", "busy"}, v.Parts...), "llrr"+strings.Repeat("r", len(v.Parts)), rows)
	}
}

func (md *markdown) pairs(results []Result) {
	var rows [][]string
	for _, d := range knownPairs().pairDocs(results) {
		rows = append(rows, []string{"`" + d.Name + "`", d.Doc, d.Why})
	}
	if len(rows) > 0 {
		md.WriteString("## What the pairs do, and why\n\n")
		md.table([]string{"pair", "what is done", "why"}, "lll", rows)
	}
}

// markdown prints the cell, bold when it decides something.
func (c *worthCell) markdown() string {
	switch {
	case c == nil:
		return ""
	case c.Verdict == undecided:
		return c.Value
	}
	return "**" + c.Value + "**"
}

// table writes a table, unless it has no rows. align has a letter for each column, l or r.
func (md *markdown) table(head []string, align string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	md.row(head)
	for _, a := range align {
		md.WriteString(map[rune]string{'l': "|:--", 'r': "|--:"}[a])
	}
	md.WriteString("|\n")
	for _, row := range rows {
		md.row(row)
	}
	md.WriteString("\n")
}

func (md *markdown) row(cells []string) {
	for _, cell := range cells {
		md.WriteString("| " + strings.ReplaceAll(cell, "|", `\|`) + " ")
	}
	md.WriteString("|\n")
}
