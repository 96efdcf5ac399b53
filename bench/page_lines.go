// Charts of curves: cost against size, and throughput against processors, both axes logarithmic, both sides in one chart.
//
// Here the SVG has a fixed inner size, and the page sets several beside each other. A straight line is a power: its slope is
// printed above, in words that a screen reader reads too.

package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// frame is the inside of a chart, in SVG's units.
type frame struct{ left, right, top, bottom float64 }

var (
	curveFrame   = frame{54, 312, 10, 176} // of a viewBox of 320 by 214
	scalingFrame = frame{36, 184, 8, 106}  // of a viewBox of 190 by 126
)

func (f frame) x(at float64) float64 { return f.left + at*(f.right-f.left) }
func (f frame) y(at float64) float64 { return f.bottom - at*(f.bottom-f.top) }

// lineChart is what the template "lines" shows.
type lineChart struct {
	Title, Note string
	Desc        string // everything in words
	Family      int
	XLabel      string
	Frame       struct{ Left, Right, Top, Bottom, Middle string }
	XTicks      []tick
	YTicks      []tick
	Warnings    []string // of costs that grow more than they should
	Cause       string   // of what the warnings say, if there are any
	Guide       string   // path of a line to compare with, "" for none
	Sides       []lineSide
}

// lineSide is one of the two curves.
type lineSide struct {
	Name  string
	Power string // by which the work of a size grows, "" for unknown
	Path  string // through the marks
	Marks []mark
}

// mark is one point with its interval.
type mark struct{ X, Y, Lo, Hi, Note string }

// place is a measured value before it is drawn.
type place struct {
	x, y  float64
	ci    *Interval
	note  string
	alone bool // not joined to the others
}

// draw turns places into the marks and the path of a side.
func (f frame) draw(xs, ys logScale, places []place) (path string, marks []mark) {
	var b strings.Builder
	for _, p := range places {
		if !plottable(p.x) || !plottable(p.y) {
			continue
		}
		m := mark{X: pixels(f.x(xs.at(p.x))), Y: pixels(f.y(ys.at(p.y))), Note: p.note}
		if p.ci != nil {
			m.Lo, m.Hi = pixels(f.y(ys.at(p.ci[0]))), pixels(f.y(ys.at(p.ci[1])))
		}
		marks = append(marks, m)
		if !p.alone {
			b.WriteString(map[bool]string{true: "M", false: "L"}[b.Len() == 0] + m.X + " " + m.Y)
		}
	}
	return b.String(), marks
}

func (c *lineChart) setFrame(f frame) {
	c.Frame.Left, c.Frame.Right, c.Frame.Top, c.Frame.Bottom = pixels(f.left), pixels(f.right), pixels(f.top), pixels(f.bottom)
	c.Frame.Middle = pixels((f.left + f.right) / 2)
}

// curveChart shows one series.
func curveChart(c curve, env Env) lineChart {
	f := curveFrame
	chart := lineChart{Title: c.series + ", " + env.procs(c.procs), Family: -1, XLabel: c.of, Note: unitNote(c.unit)}
	chart.setFrame(f)
	var sizes, costs []float64
	for _, p := range c.points {
		sizes = append(sizes, float64(p.Size))
		costs = append(costs, p.Native, p.Userrt)
		for _, ci := range []*Interval{p.NativeCI, p.UserrtCI} {
			if ci != nil {
				costs = append(costs, ci[0], ci[1])
			}
		}
	}
	zero := zeroPlace(sizes)
	xs := newLogScale(2, append(sizes, zero)...).padded(0.04)
	ys := newLogScale(8, costs...).padded(0.06)

	chart.XTicks = sizeTicks(f, xs, c.points, zero)
	for _, v := range ys.ticks(6) {
		chart.YTicks = append(chart.YTicks, tick{At: pixels(f.y(ys.at(v))), Label: tidyCost(v, c.unit)})
	}
	native, userrt, sloped := c.slopes()
	for _, side := range []struct {
		name  string
		slope slope
		of    func(Point) (float64, *Interval)
	}{
		{"native", native, func(p Point) (float64, *Interval) { return p.Native, p.NativeCI }},
		{"userrt", userrt, func(p Point) (float64, *Interval) { return p.Userrt, p.UserrtCI }},
	} {
		ls := lineSide{Name: side.name}
		if sloped {
			ls.Power = fmt.Sprintf("%.2f", side.slope.all)
			chart.Desc += fmt.Sprintf("%s grows as %v. ", side.name, side.slope)
		}
		if sloped && side.slope.worse() {
			chart.Warnings = append(chart.Warnings, side.name+" is worse than linear"+steepest(side.slope))
		}
		var places []place
		for _, p := range c.points {
			cost, ci := side.of(p)
			note := fmt.Sprintf("%s, %s %s: %s", side.name, grouped(float64(p.Size)), c.of, shortCost(cost, c.unit))
			places = append(places, place{x: max(float64(p.Size), zero), y: cost, ci: ci, note: note, alone: p.Size == 0})
		}
		ls.Path, ls.Marks = f.draw(xs, ys, places)
		chart.Sides = append(chart.Sides, ls)
		chart.Desc += strings.Join(notes(ls.Marks), "; ") + ". "
	}
	if sloped {
		chart.Cause = causeOf(c.series, native, userrt)
	}
	return chart
}

// steepest says between which sizes a series is worse than linear, if it is so there and not only in all.
func steepest(s slope) string {
	if s.steepest <= linearStep {
		return ""
	}
	return fmt.Sprintf(" from %s to %s: size^%.2f", thousands(s.from), thousands(s.to), s.steepest)
}

// zeroPlace is where a size of 0 is drawn, since it has no place of its own on the scale: left of the least one. It is 0 when no
// size is 0.
func zeroPlace(sizes []float64) float64 {
	if !slices.Contains(sizes, 0) {
		return 0
	}
	least := math.Inf(1)
	for _, v := range sizes {
		if v > 0 {
			least = min(least, v)
		}
	}
	if math.IsInf(least, 1) {
		return 1
	}
	return least / 3
}

// sizeTicks marks the sizes that were measured, but for those whose labels would touch.
func sizeTicks(f frame, xs logScale, points []Point, zero float64) (ticks []tick) {
	const apart = 34
	last := math.Inf(-1)
	for _, p := range points {
		x := f.x(xs.at(max(float64(p.Size), zero)))
		if x-last >= apart {
			last = x
			ticks = append(ticks, tick{At: pixels(x), Label: shortCount(p.Size)})
		}
	}
	return ticks
}

// tidyCost prints the label of a round cost.
func tidyCost(v float64, unit string) string {
	label := shortCost(v, unit)
	number, rest, _ := strings.Cut(label, " ")
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	return strings.TrimSuffix(number+" "+rest, " cpu")
}

func notes(marks []mark) (all []string) {
	for _, m := range marks {
		all = append(all, m.Note)
	}
	return all
}

// scalingCharts show how much more both sides get done on more processors: for each pair of time that was measured for several values
// of -procs, its throughput beside that of the native side on the fewest. The charts of a family share a scale.
func scalingCharts(results []Result, known pageIndex) (charts []lineChart) {
	for _, fam := range families(results) {
		var of [][]Result
		rates := []float64{0.5, 4}
		for _, res := range results {
			if family(res.Name) != fam || slices.ContainsFunc(of, func(l []Result) bool { return l[0].Name == res.Name }) {
				continue
			}
			list := allOf(results, res.Name)
			if len(list) < 2 || rate(1, res.Unit) == "" || !plottable(list[0].Native) {
				continue
			}
			of = append(of, list)
			for _, r := range list {
				rates = append(rates, list[0].Native/r.Native, list[0].Native/r.Userrt)
			}
		}
		ys := newLogScale(8, rates...).padded(0.06)
		for _, list := range of {
			charts = append(charts, scalingChart(ys, list, known))
		}
	}
	return charts
}

// allOf returns the results of a pair, by procs.
func allOf(results []Result, name string) (list []Result) {
	for _, res := range results {
		if res.Name == name {
			list = append(list, res)
		}
	}
	slices.SortStableFunc(list, func(a, b Result) int { return a.Procs - b.Procs })
	return list
}

func scalingChart(ys logScale, list []Result, known pageIndex) lineChart {
	f := scalingFrame
	chart := lineChart{Title: list[0].Name, Family: known.family(list[0].Name), XLabel: "procs"}
	chart.setFrame(f)
	var procs []float64
	for _, res := range list {
		procs = append(procs, float64(res.Procs))
	}
	xs := newLogScale(2, procs...).padded(0.08)
	for _, p := range procs {
		chart.XTicks = append(chart.XTicks, tick{At: pixels(f.x(xs.at(p))), Label: shortCount(int(p))})
	}
	for _, v := range ys.ticks(5) {
		chart.YTicks = append(chart.YTicks, tick{At: pixels(f.y(ys.at(v))), Label: times(v), One: v == 1})
	}
	top := min(procs[len(procs)-1]/procs[0], ys.hi) // where the ideal leaves the chart
	chart.Guide = fmt.Sprintf("M%s %sL%s %s", pixels(f.x(xs.at(procs[0]))), pixels(f.y(ys.at(1))),
		pixels(f.x(xs.at(procs[0]*top))), pixels(f.y(ys.at(top))))
	for _, side := range []struct {
		name string
		cost func(Result) float64
	}{
		{"native", func(r Result) float64 { return r.Native }},
		{"userrt", func(r Result) float64 { return r.Userrt }},
	} {
		ls := lineSide{Name: side.name}
		var places []place
		for _, res := range list {
			rate := list[0].Native / side.cost(res)
			note := fmt.Sprintf("%s, procs %d: %s×", side.name, res.Procs, threeDigits(rate))
			places = append(places, place{x: float64(res.Procs), y: rate, note: note})
		}
		ls.Path, ls.Marks = f.draw(xs, ys, places)
		chart.Sides = append(chart.Sides, ls)
		chart.Desc += strings.Join(notes(ls.Marks), "; ") + ". "
	}
	return chart
}
