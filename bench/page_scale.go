// Logarithmic scales and the marks on them.

package main

import (
	"math"
	"strconv"
)

// logScale maps values above 0 to 0..1 by their logarithms, so that half and double are equally far from one.
type logScale struct{ lo, hi float64 }

// newLogScale returns a scale that holds all values which have a place on one, and spans a factor of least at the least.
func newLogScale(least float64, values ...float64) logScale {
	s := logScale{math.Inf(1), math.Inf(-1)}
	for _, v := range values {
		if plottable(v) {
			s.lo, s.hi = min(s.lo, v), max(s.hi, v)
		}
	}
	if s.lo > s.hi {
		s = logScale{1, 1}
	}
	if missing := least / (s.hi / s.lo); missing > 1 {
		s.lo /= math.Sqrt(missing)
		s.hi *= math.Sqrt(missing)
	}
	return s
}

// padded moves both ends outwards by a share of the length.
func (s logScale) padded(share float64) logScale {
	by := math.Pow(s.hi/s.lo, share)
	return logScale{s.lo / by, s.hi * by}
}

// at returns where v lies, at the nearer end when it is outside.
func (s logScale) at(v float64) float64 {
	switch {
	case math.IsNaN(v) || v <= s.lo:
		return 0
	case v >= s.hi:
		return 1
	}
	return math.Log(v/s.lo) / math.Log(s.hi/s.lo)
}

// ticks returns round values within the scale, at most n of them and as many as that allows: 1, 1.5, 2, 3 and so on, or 1, 2, 5, 10, or
// powers of ten, of a hundred, of a thousand.
func (s logScale) ticks(n int) (ticks []float64) {
	first, last := int(math.Floor(math.Log10(s.lo))), int(math.Ceil(math.Log10(s.hi)))
	for _, digits := range [][]float64{{1, 1.5, 2, 3, 4, 5, 6, 8}, {1, 2, 5}, {1, 3}, {1}} {
		ticks = nil
		for exp := first; exp <= last; exp++ {
			for _, d := range digits {
				ticks = s.appendWithin(ticks, shifted(d, exp))
			}
		}
		if len(ticks) <= n {
			return ticks
		}
	}
	every := (len(ticks) + n - 1) / n
	for i := range ticks {
		if i*every >= len(ticks) {
			return ticks[:i]
		}
		ticks[i] = ticks[i*every]
	}
	return ticks
}

// shifted returns d times ten to the power of exp, as near as the same number written in decimals.
func shifted(d float64, exp int) float64 {
	if exp < 0 {
		return d / math.Pow10(-exp)
	}
	return d * math.Pow10(exp)
}

func (s logScale) appendWithin(ticks []float64, v float64) []float64 {
	if v < s.lo || v > s.hi {
		return ticks
	}
	return append(ticks, v)
}

// tick is a mark of an axis: where it is, as a coordinate for SVG, and what stands there.
type tick struct {
	At    string
	Label string
	One   bool // the mark for 1 of an axis of ratios
}

// alongPercent prints a place on a scale as a coordinate that follows the width of its SVG.
func alongPercent(at float64) string { return strconv.FormatFloat(100*at, 'f', 2, 64) + "%" }

// pixels prints a coordinate.
func pixels(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// times prints a round ratio.
func times(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) + "×" }
