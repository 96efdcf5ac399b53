// Numbers worked out by hand: medians, quartiles, sizes of rounds.

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMedianAndSpread(t *testing.T) {
	for _, c := range []struct {
		costs          []float64
		median, spread float64
	}{
		{[]float64{7}, 7, 0},
		{[]float64{3, 1}, 2, 0.5},                                  // quartiles 1.5 and 2.5
		{[]float64{5, 1, 4, 2, 3}, 3, 2.0 / 3},                     // quartiles 2 and 4
		{[]float64{40, 10, 30, 20}, 25, 0.6},                       // quartiles 17.5 and 32.5
		{[]float64{100, 100, 9000, 100, 100}, 100, 0},              // one outlier in five moves no quartile
		{[]float64{100, 100, 9000, 9000, 100}, 100, 89},            // two do: quartiles 100 and 9000
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 5.5, 4.5 / 5.5}, // quartiles 3.25 and 7.75
	} {
		median, spread := medianAndSpread(c.costs)
		require.InDelta(t, c.median, median, 1e-9, "%v", c.costs)
		require.InDelta(t, c.spread, spread, 1e-9, "%v", c.costs)
	}
}

func TestSummarize(t *testing.T) {
	p := Pair{Name: "a/pair", Unit: nsPerOp}
	got := summarize(p, 2, []float64{30, 10, 20, 40, 50}, []float64{10, 12, 14, 12, 12})
	require.Equal(t, Result{
		Name: "a/pair", Procs: 2, Unit: "ns/op", Runs: 5,
		Native:  30,       // quartiles 20 and 40
		Userrt:  12,       // quartiles 12 and 12
		Speedup: 2.5,      // 30/12
		Spread:  2.0 / 3., // the native side's is the larger
	}, got)
}

func TestNextSize(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		what    string
		n, step int
		took    time.Duration
		want    int
	}{
		{"twice as long is wanted", 1000, 1, roundTarget / 2, 2000},
		{"half as long", 1000, 1, 2 * roundTarget, 500},
		{"growth is bounded", 1, 1, 10 * time.Nanosecond, 100},
		{"a clock that stood still", 10, 1, 0, 1000},
		{"whole steps, rounded down", 1000, 1000, 2 * roundTarget / 5, 2000},
		{"one step at least", 100_000, 100_000, 900 * ms, 100_000},
		{"size is bounded", 1 << 29, 1, 1 * ms, 1 << 30},
	} {
		require.Equal(t, c.want, nextSize(c.n, c.step, c.took, roundTarget), c.what)
	}
}

// TestCalibrate feeds calibrate a body of known speed.
func TestCalibrate(t *testing.T) {
	for _, c := range []struct {
		perOp      time.Duration
		step, want int
	}{
		{100 * time.Nanosecond, 1, int(roundTarget / (100 * time.Nanosecond))},
		{130 * time.Nanosecond, 1000, int(roundTarget/(130*time.Microsecond)) * 1000}, // rounded down
		{3 * time.Second, 1, 1},
		{time.Microsecond, 100_000, 100_000},
	} {
		trials := 0
		sd := side{body: func(n int) (*Round, error) {
			trials++
			require.Zero(t, n%c.step)
			return &Round{N: n, Took: time.Duration(n) * c.perOp}, nil
		}}
		require.NoError(t, sd.calibrate(c.step, roundTarget))
		require.Equal(t, c.want, sd.n, "%v", c)
		require.Less(t, trials, 8)
	}
}

// TestCalibrateAmidOthers delays two of three trials by more than a round lasts: the rounds become as large as without.
func TestCalibrateAmidOthers(t *testing.T) {
	trials := 0
	sd := side{body: func(n int) (*Round, error) {
		r := &Round{N: n, Took: time.Duration(n) * time.Microsecond}
		if trials++; trials%3 != 0 {
			r.Took += 2 * roundTarget
		}
		return r, nil
	}}
	require.NoError(t, sd.calibrate(1, roundTarget))
	require.Equal(t, int(roundTarget/time.Microsecond), sd.n)
}
