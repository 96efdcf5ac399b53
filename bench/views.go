// Views of a Report that more than one format shows: its results by procs, its points by series, what a result decides.
//
// Everything here is worked out from the Report alone, so that a file read again shows what the run would have shown.

package main

import (
	"math"
	"slices"
	"strings"
)

// procsResults is the results for one value of -procs.
type procsResults struct {
	procs   int
	results []Result
}

// byProcs groups results by their value of -procs, the values and the results in the order in which they come.
func byProcs(results []Result) (groups []procsResults) {
	for _, res := range results {
		i := slices.IndexFunc(groups, func(g procsResults) bool { return g.procs == res.Procs })
		if i < 0 {
			i = len(groups)
			groups = append(groups, procsResults{procs: res.Procs})
		}
		groups[i].results = append(groups[i].results, res)
	}
	return groups
}

// family is the part of a pair's name before the slash, or all of it.
func family(name string) string {
	before, _, _ := strings.Cut(name, "/")
	return before
}

// families returns the families of results, each once, in their order.
func families(results []Result) (names []string) {
	for _, res := range results {
		if f := family(res.Name); !slices.Contains(names, f) {
			names = append(names, f)
		}
	}
	return names
}

// curve is the points of one series at one value of -procs, by size.
type curve struct {
	series, of, unit string
	procs            int
	points           []Point
}

// curves groups points, the curves in the order in which they come.
func curves(points []Point) (cs []curve) {
	for _, p := range points {
		i := slices.IndexFunc(cs, func(c curve) bool { return c.series == p.Series && c.procs == p.Procs && c.unit == p.Unit })
		if i < 0 {
			i = len(cs)
			cs = append(cs, curve{series: p.Series, of: p.Of, unit: p.Unit, procs: p.Procs})
		}
		cs[i].points = append(cs[i].points, p)
	}
	for _, c := range cs {
		slices.SortStableFunc(c.points, func(a, b Point) int { return a.Size - b.Size })
	}
	return cs
}

// memory reports whether the curve is of bytes, not of time.
func (c curve) memory() bool { return isBytes(c.unit) }

func isBytes(unit string) bool { return strings.HasPrefix(unit, "B/") }

// slopes returns those of both sides; ok is false when too few sizes were measured.
func (c curve) slopes() (native, userrt slope, ok bool) {
	native, userrt, ok = slopes(c.points)
	return native, userrt, ok && !math.IsNaN(native.all) && !math.IsNaN(userrt.all)
}

// plottable reports whether v has a place on a logarithmic scale.
func plottable(v float64) bool { return v > 0 && !math.IsInf(v, 0) && !math.IsNaN(v) }

// verdict is what the rounds of a result decide.
type verdict string

const (
	faster    verdict = "faster"
	slower    verdict = "slower"
	undecided verdict = "undecided"
)

// judge says on which side of 1 a ratio is. It is undecided while the interval holds 1, or, where there is none, while
// the ratio is nearer to 1 than the spread of the rounds.
func judge(ratio float64, ci *Interval, spread float64) verdict {
	lo, hi := ratio, ratio
	if ci != nil {
		lo, hi = ci[0], ci[1]
	} else {
		lo, hi = ratio/(1+spread), ratio*(1+spread)
	}
	switch {
	case lo > 1:
		return faster
	case hi < 1:
		return slower
	}
	return undecided
}

// outcome counts verdicts.
type outcome struct{ Faster, Slower, Undecided int }

func outcomeOf(results []Result) (t outcome) {
	for _, res := range results {
		switch judge(res.Speedup, res.SpeedupCI, res.Spread) {
		case faster:
			t.Faster++
		case slower:
			t.Slower++
		case undecided:
			t.Undecided++
		}
	}
	return t
}

// mostRounds returns the rounds of a side in the result that has most of them.
func mostRounds(results []Result) (n int) {
	for _, res := range results {
		n = max(n, res.Runs)
	}
	return n
}

// hasInterval and hasFloor report whether any of the results has one.
func hasInterval(results []Result) bool {
	return slices.ContainsFunc(results, func(res Result) bool { return res.SpeedupCI != nil })
}

func hasFloor(results []Result) bool {
	return slices.ContainsFunc(results, func(res Result) bool { return shortFloor(res) != "" })
}
