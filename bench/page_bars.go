// Charts of ratios: a row for each, with a bar from 1 to the ratio and a whisker for its interval.
//
// The text of a row is HTML and the bar an SVG whose coordinates are percentages, so that bars follow the width of the
// page while letters keep their size.

package main

import (
	"fmt"
	"strings"
)

// barChart is what the template "bars" shows. All charts of one page that show the same kind of ratio share a scale.
type barChart struct {
	ID, Title   string
	Left, Right string // what it means to lie there
	Ticks       []tick
	One         string // where 1 is
	Groups      []barGroup
}

// barGroup is rows below one heading. Family is -1 when they are of several.
type barGroup struct {
	Name   string
	Family int
	Rows   []bar
}

// bar is one row. X to X+Width is the bar, Lo to Hi the whisker.
type bar struct {
	Prefix    string // of the name, before and with the slash
	Name, Doc string
	Family    int // index of its family, for the filter
	Verdict   verdict
	Value     string
	Interval  string
	Note      string // what is shown when one points at the bar
	X, Width  string
	End       string
	Lo, Hi    string
}

// ratio is a number around 1 with its interval.
type ratio struct {
	value float64
	ci    *Interval
}

// ratioScale is a scale that shows all ratios with their intervals, and a half and the double at the least.
func ratioScale(ratios []ratio) logScale {
	values := []float64{0.5, 2}
	for _, r := range ratios {
		values = append(values, r.value)
		if r.ci != nil {
			values = append(values, r.ci[0], r.ci[1])
		}
	}
	return newLogScale(1, values...).padded(0.02)
}

// ratioTicks are the marks of an axis of ratios.
func ratioTicks(s logScale) (ticks []tick) {
	for _, v := range s.ticks(9) {
		ticks = append(ticks, tick{At: alongPercent(s.at(v)), Label: times(v), One: v == 1})
	}
	return ticks
}

// newBar places a ratio on a scale.
func newBar(s logScale, r ratio, spread float64) bar {
	one, end := s.at(1), s.at(r.value)
	b := bar{
		Verdict:  judge(r.value, r.ci, spread),
		Value:    threeDigits(r.value),
		Interval: shortInterval(r.ci),
		X:        alongPercent(min(one, end)),
		Width:    alongPercent(max(one, end) - min(one, end)),
		End:      alongPercent(end),
	}
	if r.ci != nil {
		b.Lo, b.Hi = alongPercent(s.at(r.ci[0])), alongPercent(s.at(r.ci[1]))
	}
	return b
}

// add appends a row to the chart, in the group of that name, which it begins when it is not the last.
func (c *barChart) add(group string, b bar) {
	if n := len(c.Groups); n == 0 || c.Groups[n-1].Name != group {
		c.Groups = append(c.Groups, barGroup{Name: group, Family: b.Family})
	}
	last := &c.Groups[len(c.Groups)-1]
	if last.Family != b.Family {
		last.Family = -1
	}
	last.Rows = append(last.Rows, b)
}

// speedupChart shows the speedups of one value of -procs.
func speedupChart(s logScale, g procsResults, label string, known pageIndex) barChart {
	c := newBarChart(s)
	c.ID = fmt.Sprintf("procs-%d", g.procs)
	c.Title = "Speedup at " + label
	c.Left, c.Right = "native faster", "userrt faster"
	for _, res := range g.results {
		b := newBar(s, ratio{res.Speedup, res.SpeedupCI}, res.Spread)
		b.Prefix, b.Name = splitName(res.Name)
		b.Doc, b.Family = known.docs[res.Name], known.family(res.Name)
		b.Note = fmt.Sprintf("%s: native %s, userrt %s", res.Name, shortCost(res.Native, res.Unit), shortCost(res.Userrt, res.Unit))
		c.add(family(res.Name), b)
	}
	return c
}

// splitName cuts a name behind its slash, if it has one.
func splitName(name string) (prefix, rest string) {
	n := strings.Index(name, "/") + 1
	return name[:n], name[n:]
}

func newBarChart(s logScale) barChart {
	return barChart{Ticks: ratioTicks(s), One: alongPercent(s.at(1))}
}
