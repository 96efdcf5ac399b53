// From the costs of single rounds to one result.
//
// Medians and quartiles rather than means: a round that the machine interrupted is an outlier, not
// a property of either side. Go's counterpart is in golang.org/x/perf, which reads what
// testing/benchmark.go, BenchmarkResult printed.

package main

import (
	"golang.org/x/exp/stats"
)

// summarize makes a Result of the costs of both sides' rounds, of which there is at least one each.
func summarize(p Pair, procs int, native, userrt []float64) Result {
	nativeMedian, nativeSpread := medianAndSpread(native)
	userrtMedian, userrtSpread := medianAndSpread(userrt)
	return Result{
		Name:    p.Name,
		Procs:   procs,
		Unit:    p.Unit,
		Native:  nativeMedian,
		Userrt:  userrtMedian,
		Speedup: nativeMedian / userrtMedian,
		Spread:  max(nativeSpread, userrtSpread),
		Runs:    len(native),

		NativeRounds: native,
		UserrtRounds: userrt,
	}
}

// medianAndSpread returns the median of costs and the distance between their quartiles as a share
// of it. Costs are positive; of a single one the spread is 0.
func medianAndSpread(costs []float64) (median, spread float64) {
	q := stats.Quantiles(costs, 0.25, 0.5, 0.75)
	return q[1], (q[2] - q[0]) / q[1]
}
