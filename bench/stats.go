// From the costs of single rounds to one result. docs/method.md says what each number means.
//
// Medians and quartiles rather than means: a round that the machine interrupted is an outlier, not
// a property of either side. It is kept all the same: none of these numbers leaves out a round. Go's counterpart is
// golang.org/x/perf, which reads what testing/benchmark.go, BenchmarkResult printed; the intervals are made by its benchmath.

package main

import (
	"math"
	"slices"

	"golang.org/x/exp/stats"
	"golang.org/x/perf/benchmath"
)

// confidence is that of all intervals.
const confidence = 0.95

// summarize makes a Result of the costs of both sides' rounds, of which there is at least one each.
func summarize(p Pair, procs int, native, userrt []float64) Result {
	res := Result{Name: p.Name, Procs: procs, Unit: p.Unit, Runs: len(native)}
	var nativeSpread, userrtSpread float64
	res.Native, nativeSpread = medianAndSpread(native)
	res.Userrt, userrtSpread = medianAndSpread(userrt)
	res.Speedup = res.Native / res.Userrt
	res.Spread = max(nativeSpread, userrtSpread)
	res.NativeRounds, res.UserrtRounds = native, userrt
	res.NativeCI = medianInterval(native)
	res.UserrtCI = medianInterval(userrt)
	res.SpeedupCI = ratioInterval(native, userrt, res.Speedup)
	return res
}

// medianAndSpread returns the median of costs and the distance between their quartiles as a share
// of it. Costs are positive; of a single one the spread is 0.
func medianAndSpread(costs []float64) (median, spread float64) {
	q := stats.Quantiles(costs, 0.25, 0.5, 0.75)
	return q[1], (q[2] - q[0]) / q[1]
}

// medianInterval returns a confidence interval of the median: from one of the costs to another, those whose ranks are such
// that the true median lies between them with a probability of 95 % or more, whatever the distribution. It is nil for fewer
// than six costs: between the least and the greatest of five the median lies with 94 %.
func medianInterval(costs []float64) *Interval {
	s := benchmath.AssumeNothing.Summary(sample(costs), confidence)
	if math.IsInf(s.Lo, 0) || math.IsInf(s.Hi, 0) {
		return nil
	}
	return &Interval{s.Lo, s.Hi}
}

// ratioInterval returns a confidence interval of ratio, the quotient of the medians of two sides whose rounds ran beside each
// other; nil for fewer than six.
//
// It is medianInterval of the quotients of single rounds. What slows down the machine for longer than a round hits both sides
// of a quotient and cancels out, so the interval is as narrow as the sides' own noise allows. In a simulation of a machine whose
// speed varies by 30 % from round to round, and each side by 5 % for itself, it was half as wide, with 30 rounds, as one found by
// resampling the rounds and dividing their medians; where nothing is common to both sides it was 3 % wider, and with 10 rounds
// 30 %, as it then covers the truth in 98 % of cases. Resampling six rounds covers it in 93 % only; this one keeps its promise
// (stats_test.go, TestIntervalsCover). The median of quotients is not quite the quotient of medians; should that lie outside,
// the interval is widened up to it, which covers more, not less.
func ratioInterval(over, under []float64, ratio float64) *Interval {
	ci := medianInterval(quotients(over, under))
	if ci != nil {
		ci[0], ci[1] = min(ci[0], ratio), max(ci[1], ratio)
	}
	return ci
}

// quotients divides round by round.
func quotients(over, under []float64) []float64 {
	qs := make([]float64, len(over))
	for i := range over {
		qs[i] = over[i] / under[i]
	}
	return qs
}

// sample is what benchmath works on. It sorts, and rounds are kept in their order.
func sample(costs []float64) *benchmath.Sample {
	return benchmath.NewSample(slices.Clone(costs), &benchmath.DefaultThresholds)
}

// contains reports whether v lies within the interval; in none, nothing does.
func (i *Interval) contains(v float64) bool { return i != nil && i[0] <= v && v <= i[1] }

// apart reports whether both intervals are there and have no number in common.
func (i *Interval) apart(j *Interval) bool {
	return i != nil && j != nil && (i[1] < j[0] || j[1] < i[0])
}
