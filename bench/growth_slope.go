// How the cost of a series grows: as size to the power of what.

package main

import (
	"fmt"
	"math"
	"strings"
)

// A slope is the exponent e of the total cost of a series, size operations, as size^e: 1 is linear, 1.1 may be size times its logarithm, or caches that no
// longer suffice; 2 is quadratic.
type slope struct {
	all float64 // the line through all points, by least squares of the logarithms

	// The steepest way from one size to the next that is at least several times as large.
	steepest float64
	from, to int
}

const (
	farApart   = 5    // sizes between which a step is looked at alone
	linear     = 1.15 // an exponent of all up to which is called linear
	linearStep = 1.35 // the same for a single step, whose two ends may both be off by a fifth
	sublinear  = 0.85
)

// slopeOf returns the slope of the costs an operation of sizes, which grow. A size of 0 has no logarithm and is left out; ok is false if there are
// fewer than two others.
func slopeOf(sizes []int, costs []float64) (s slope, ok bool) {
	var xs, ys []float64
	var at []int
	for i, size := range sizes {
		if size > 0 && costs[i] > 0 {
			xs, ys = append(xs, math.Log(float64(size))), append(ys, math.Log(float64(size)*costs[i]))
			at = append(at, size)
		}
	}
	if len(xs) < 2 {
		return slope{}, false
	}
	s.all = leastSquares(xs, ys)
	for i := 1; i < len(xs); i++ {
		step := (ys[i] - ys[i-1]) / (xs[i] - xs[i-1])
		if at[i] >= farApart*at[i-1] && step > s.steepest+1e-9 { // the first of equals
			s.steepest, s.from, s.to = step, at[i-1], at[i]
		}
	}
	return s, true
}

// leastSquares returns the slope of the line that fits the points best. Not all xs are equal.
func leastSquares(xs, ys []float64) float64 {
	var mx, my float64
	for i := range xs {
		mx += xs[i] / float64(len(xs))
		my += ys[i] / float64(len(ys))
	}
	var num, den float64
	for i := range xs {
		num += (xs[i] - mx) * (ys[i] - my)
		den += (xs[i] - mx) * (xs[i] - mx)
	}
	return num / den
}

// worse reports whether the series, or a step of it, is clearly worse than linear.
func (s slope) worse() bool { return s.all > linear || s.steepest > linearStep }

// String says it in words: "size^1.02, linear".
func (s slope) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "size^%.2f, ", s.all)
	switch {
	case s.all > linear:
		b.WriteString("WORSE THAN LINEAR")
	case s.all < sublinear:
		b.WriteString("less than linear")
	default:
		b.WriteString("linear")
	}
	if s.steepest > linearStep {
		fmt.Fprintf(&b, ", WORSE THAN LINEAR from %s to %s (size^%.2f)", thousands(s.from), thousands(s.to), s.steepest)
	}
	return b.String()
}

// slopes returns those of both sides of one series, whose points these are; ok is false if there are too few.
func slopes(points []Point) (native, userrt slope, ok bool) {
	var sizes []int
	var nativeCosts, userrtCosts []float64
	for _, p := range points {
		sizes = append(sizes, p.Size)
		nativeCosts = append(nativeCosts, p.Native)
		userrtCosts = append(userrtCosts, p.Userrt)
	}
	native, ok = slopeOf(sizes, nativeCosts)
	if ok {
		userrt, ok = slopeOf(sizes, userrtCosts)
	}
	return native, userrt, ok
}
