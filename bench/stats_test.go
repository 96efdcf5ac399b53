// Numbers worked out by hand: medians, quartiles, sizes of rounds.

package main

import (
	"math"
	"math/rand/v2"
	"slices"
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
	native, userrt := []float64{30, 10, 20, 40, 50}, []float64{10, 12, 14, 12, 12}
	got := summarize(p, 2, native, userrt)
	require.Equal(t, Result{
		Name: "a/pair", Procs: 2, Unit: "ns/op", Runs: 5,
		Native:  30,       // quartiles 20 and 40
		Userrt:  12,       // quartiles 12 and 12
		Speedup: 2.5,      // 30/12
		Spread:  2.0 / 3., // the native side's is the larger

		NativeRounds: []float64{30, 10, 20, 40, 50}, UserrtRounds: []float64{10, 12, 14, 12, 12}, // in their order
	}, got)
}

// TestIntervals checks the ranks between which the interval of n rounds lies: the true median lies between the l-th and the h-th
// least when at least l of them, and fewer than h, are below it, which is a matter of tossing coins.
func TestIntervals(t *testing.T) {
	for n := range 60 {
		n++
		costs := make([]float64, n)
		for i := range costs {
			costs[i] = float64(i + 1)
		}
		rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, j int) { costs[i], costs[j] = costs[j], costs[i] })
		before := slices.Clone(costs)
		ci := medianInterval(costs)
		require.Equal(t, before, costs, "rounds stay in their order")
		if n < 6 {
			require.Nil(t, ci, n)
			continue
		}
		l, h := int(ci[0]), int(ci[1])
		require.GreaterOrEqual(t, coins(n, l, h), 0.95, n)
		require.Less(t, coins(n, l+1, h-1), 0.95, "%d: not much wider than it must be", n)
	}
}

// coins returns the probability that of n coins at least l and fewer than h show heads.
func coins(n, l, h int) (p float64) {
	for k := l; k < h; k++ {
		ways := 1.0
		for i := range k {
			ways *= float64(n-i) / float64(i+1)
		}
		p += ways / math.Pow(2, float64(n))
	}
	return p
}

func TestOutliersAreKept(t *testing.T) {
	native, userrt := []float64{20, 20, 20, 20, 20, 9000}, []float64{10, 10, 10, 10, 10, 10}
	res := summarize(Pair{Name: "a/pair"}, 1, native, userrt)
	require.Equal(t, &Interval{20, 9000}, res.NativeCI)
	require.Equal(t, &Interval{10, 10}, res.UserrtCI)
	require.Equal(t, &Interval{2, 900}, res.SpeedupCI)
	require.Equal(t, 2.0, res.Speedup)
	require.Equal(t, native, res.NativeRounds)
}

// TestCommonNoiseCancels has rounds in which the machine is up to nine times as slow for both sides.
func TestCommonNoiseCancels(t *testing.T) {
	native, userrt := []float64{30, 60, 270, 30, 90, 30}, []float64{20, 40, 180, 20, 60, 20}
	res := summarize(Pair{Name: "a/pair"}, 1, native, userrt)
	require.Equal(t, &Interval{30, 270}, res.NativeCI)
	require.Equal(t, &Interval{1.5, 1.5}, res.SpeedupCI)
}

// TestSpeedupIsInItsInterval has a median of quotients that is not the quotient of medians: in each round one side is slow.
func TestSpeedupIsInItsInterval(t *testing.T) {
	over, under := []float64{1, 1, 1, 9, 9, 9, 9}, []float64{9, 9, 9, 1, 9, 9, 9}
	require.Equal(t, &Interval{1.0 / 9, 9}, ratioInterval(over, under, 1))
	flat := []float64{1, 1, 1, 1, 1, 1}
	require.Equal(t, &Interval{1, 1.2}, ratioInterval(flat, flat, 1.2))
	require.Equal(t, &Interval{0.8, 1}, ratioInterval(flat, flat, 0.8))
	require.Nil(t, ratioInterval(flat[:5], flat[:5], 1))
}

// TestIntervalsCover draws rounds from distributions with a known speedup and counts how often the interval holds it. The
// numbers are the same each time.
func TestIntervalsCover(t *testing.T) {
	const truth, trials = 1.5, 2000
	r := rand.New(rand.NewPCG(1, 2))
	noise := func(sigma float64) float64 { return math.Exp(sigma * r.NormFloat64()) }
	now := func() float64 { // an outlier in one of ten rounds
		if r.IntN(10) == 0 {
			return 2
		}
		return 1
	}
	for what, draw := range map[string]func() (native, userrt float64){
		"each side its own": func() (float64, float64) { return noise(0.05), noise(0.05) },
		"one side noisy":    func() (float64, float64) { return noise(0.2), noise(0.02) },
		"common noise":      func() (float64, float64) { c := noise(0.3); return c * noise(0.05), c * noise(0.05) },
		"outliers":          func() (float64, float64) { return noise(0.05) * now(), noise(0.05) * now() },
	} {
		for _, n := range []int{6, 10, 30} {
			held := 0
			for range trials {
				native, userrt := make([]float64, n), make([]float64, n)
				for i := range n {
					native[i], userrt[i] = draw()
					native[i] *= truth
				}
				if summarize(Pair{}, 1, native, userrt).SpeedupCI.contains(truth) {
					held++
				}
			}
			require.GreaterOrEqual(t, held, trials*945/1000, "%s, %d rounds", what, n) // 95 %, less what 2,000 trials leave to chance
		}
	}
}

func TestApart(t *testing.T) {
	low, high := &Interval{1, 2}, &Interval{3, 4}
	require.True(t, low.apart(high))
	require.True(t, high.apart(low))
	require.False(t, low.apart(&Interval{2, 3}), "a common end is common")
	require.False(t, low.apart(&Interval{0, 9}))
	require.False(t, low.apart(nil))
	require.False(t, (*Interval)(nil).apart(low))
	require.True(t, low.contains(2))
	require.False(t, low.contains(2.1))
	require.False(t, (*Interval)(nil).contains(1))
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

// TestTurnsAmidOthers delays trials and rounds by so much that calibration believes that a few operations fill a round. When that
// shows, all begins again.
func TestTurnsAmidOthers(t *testing.T) {
	for name, c := range map[string]struct {
		delayed func(trial int) bool
		by      time.Duration
		again   bool
	}{
		"nothing":          {func(int) bool { return false }, 0, false},
		"first":            {func(trial int) bool { return trial == 1 }, roundTarget, true},
		"a bad beginning":  {func(trial int) bool { return trial <= 5 }, 6 * roundTarget / 10, true},
		"a slow beginning": {func(trial int) bool { return trial <= 3 }, roundTarget / 3, false},
		"two of three":     {func(trial int) bool { return trial%3 != 0 }, 2 * roundTarget, true},
	} {
		trials := 0
		body := func(n int) (*Round, error) {
			r := &Round{N: n, Took: time.Duration(n) * time.Microsecond}
			if trials++; c.delayed(trials) {
				r.Took += c.by
			}
			return r, nil
		}
		sides := [2]side{{body: body}, {body: body}}
		began := 0
		require.NoError(t, takeTurns(Pair{Step: 1}, &sides, 5, func(int) {}, func() { began++ }))
		require.Equal(t, c.again, began > 1, "%s: %d", name, began)
		for _, sd := range sides {
			require.Len(t, sd.costs, 5)
			require.Greater(t, sd.n, int(roundTarget/time.Microsecond)/5, name)
		}
	}
}

// TestTurnsOfAnUnsteadyPair has rounds that stay too short whatever is made good: they count in the end.
func TestTurnsOfAnUnsteadyPair(t *testing.T) {
	began := 0
	body := func(n int) (*Round, error) {
		r := &Round{N: n, Took: roundTarget}
		if began > 0 {
			r.Took = time.Microsecond
		}
		return r, nil
	}
	sides := [2]side{{body: body}, {body: body}}
	require.NoError(t, takeTurns(Pair{Step: 1}, &sides, 5, func(int) {}, func() { began++ }))
	require.Equal(t, maxBeginnings, began)
	for _, sd := range sides {
		require.Len(t, sd.costs, 5)
	}
}
