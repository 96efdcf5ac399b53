// Tables of profiles: two rows for each pair, a column for each part of the system.

package main

import (
	"fmt"
	"slices"
	"strings"
)

// profileRow is one side of a pair, as cells.
type profileRow struct {
	Pair, Side, Cost, Busy string
	Parts                  []string
	Family                 int
	Doc                    string
}

// profileView is what was profiled at one value of -procs. Parts are those of which there is anything.
type profileView struct {
	Procs int
	Parts []string
	Rows  []profileRow
}

// profileNote says how to read the tables.
func profileNote() string {
	var b strings.Builder
	b.WriteString("Processor time of an operation by what the processors were at, while the CPU profiler ran, which costs both sides something; cost is the clock's, busy how many " +
		"processors were at work.")
	for i, p := range systemParts {
		fmt.Fprintf(&b, "%s%s: %s", map[bool]string{true: " ", false: "; "}[i == 0], p.name, p.doc)
	}
	return b.String() + "."
}

// profileViews sorts profiles into tables.
func profileViews(profiles []Profile, known pageIndex) (views []profileView) {
	for _, p := range profiles {
		i := slices.IndexFunc(views, func(v profileView) bool { return v.Procs == p.Procs })
		if i < 0 {
			i = len(views)
			views = append(views, profileView{Procs: p.Procs, Parts: partsOf(profiles, p.Procs)})
		}
		v := &views[i]
		row := profileRow{
			Pair: p.Name, Side: p.Side, Cost: shortTime(p.Cost), Busy: threeDigits(p.Busy),
			Family: known.family(p.Name), Doc: known.docs[p.Name],
		}
		for _, part := range v.Parts {
			row.Parts = append(row.Parts, partTime(p, part))
		}
		v.Rows = append(v.Rows, row)
	}
	return views
}

// partsOf returns the parts that some profile at this value of -procs has: in the order of systemParts, and then those that this version
// does not know.
func partsOf(profiles []Profile, procs int) (parts []string) {
	seen := map[string]bool{}
	for _, p := range profiles {
		for name := range p.Parts {
			if p.Procs == procs {
				seen[name] = true
			}
		}
	}
	for _, p := range systemParts {
		if seen[p.name] {
			parts = append(parts, p.name)
			delete(seen, p.name)
		}
	}
	var others []string
	for name := range seen {
		others = append(others, name)
	}
	slices.Sort(others)
	return append(parts, others...)
}

// partTime prints the time of a part, "" for none.
func partTime(p Profile, part string) string {
	if p.Parts[part] == 0 {
		return ""
	}
	return shortTime(p.Parts[part])
}

// profile prints a row of the table of its value of -procs, which has all parts, since nobody knows yet which will be empty.
func (o *textOutput) profile(p Profile) error {
	var b strings.Builder
	fmt.Fprintf(&b, "where the time goes, %s: processor time an operation; cost is the clock's, cost times busy processors the sum of the parts\n%-*s %-6s %9s %5s", o.env.procs(p.Procs), nameWidth, "pair", "side", "cost", "busy")
	for _, part := range systemParts {
		fmt.Fprintf(&b, " %9s", part.name)
	}
	if err := o.heading(b.String()); err != nil {
		return err
	}
	b.Reset()
	fmt.Fprintf(&b, "%-*s %-6s %9s %5s", nameWidth, p.Name, p.Side, shortTime(p.Cost), threeDigits(p.Busy))
	for _, part := range systemParts {
		fmt.Fprintf(&b, " %9s", partTime(p, part.name))
	}
	_, err := fmt.Fprintln(o.w, strings.TrimRight(b.String(), " "))
	return err
}
