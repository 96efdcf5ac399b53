// What mechanisms are worth: a table with a row for each pair and a column for each mechanism, the page's cells with a small bar each.
//
// A cell is what the pair costs without the mechanism, divided by what it costs with all of them. Text has the same table
// (out_ablation.go).

package main

import (
	"fmt"
	"slices"
)

// ablationView is what was measured at one value of -procs.
type ablationView struct {
	Procs int
	One   string // where 1 is in each cell's bar
	Heads []mechanismHead
	Rows  []ablationRow
}

// mechanismHead is the head of a column: what is switched off, and by which switch.
type mechanismHead struct{ Short, Name string }

// ablationRow is one pair. Cells has nil where nothing was measured.
type ablationRow struct {
	Prefix, Name, Doc string
	Family            int
	Cost              string // with all mechanisms
	Cells             []*worthCell
}

// worthCell is a bar with what it says in a word.
type worthCell struct {
	bar
	Word string
}

// ablationViews sorts ablations into tables, all with one scale.
func ablationViews(abs []Ablation, known pageIndex) (views []ablationView) {
	ratios := make([]ratio, len(abs))
	var procs []int
	for i, a := range abs {
		ratios[i] = ratio{a.Worth, a.WorthCI}
		if !slices.Contains(procs, a.Procs) {
			procs = append(procs, a.Procs)
		}
	}
	s := ratioScale(ratios)
	for _, n := range procs {
		at := slices.DeleteFunc(slices.Clone(abs), func(a Ablation) bool { return a.Procs != n })
		views = append(views, newAblationView(s, n, at, known))
	}
	return views
}

func newAblationView(s logScale, procs int, abs []Ablation, known pageIndex) ablationView {
	v := ablationView{Procs: procs, One: alongPercent(s.at(1))}
	names, shorts := heads(abs)
	for i, name := range names {
		if slices.ContainsFunc(abs, func(a Ablation) bool { return a.Without == name }) {
			v.Heads = append(v.Heads, mechanismHead{shorts[i], name})
		}
	}
	for len(abs) > 0 {
		name := abs[0].Name
		var row []Ablation
		abs = slices.DeleteFunc(abs, func(a Ablation) bool {
			if a.Name == name && !slices.ContainsFunc(row, func(b Ablation) bool { return a.Without == b.Without }) {
				row = append(row, a)
			}
			return a.Name == name
		})
		v.Rows = append(v.Rows, v.newRow(s, row, known))
	}
	return v
}

// newRow makes the row of a pair, of which there is at most one Ablation for each mechanism.
func (v *ablationView) newRow(s logScale, row []Ablation, known pageIndex) ablationRow {
	name, unit := row[0].Name, row[0].Unit
	r := ablationRow{Doc: known.docs[name], Family: known.family(name), Cost: shortCost(withAll(row), unit)}
	r.Prefix, r.Name = splitName(name)
	for _, head := range v.Heads {
		i := slices.IndexFunc(row, func(a Ablation) bool { return a.Without == head.Name })
		if i < 0 {
			r.Cells = append(r.Cells, nil)
			continue
		}
		a := row[i]
		b := newBar(s, ratio{a.Worth, a.WorthCI}, a.Spread)
		b.Note = fmt.Sprintf("%s with %s: %s, without: %s", name, head.Short, shortCost(a.With, unit), shortCost(a.Off, unit))
		if b.Interval != "" {
			b.Note += "; " + b.Interval
		}
		r.Cells = append(r.Cells, &worthCell{b, worthWord[b.Verdict]})
	}
	return r
}

// worthWord is what a verdict says of a mechanism.
var worthWord = map[verdict]string{faster: "it helps", slower: "it costs", undecided: "undecided"}
