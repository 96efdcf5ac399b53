// Grouping, verdicts and slopes; numbers for people.

package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestByProcsKeepsTheOrder(t *testing.T) {
	of := func(name string, procs int) Result { return Result{Name: name, Procs: procs} }
	groups := byProcs([]Result{of("b/x", 2), of("a/y", 2), of("b/x", 1), of("c", 2)})
	require.Equal(t, []procsResults{
		{2, []Result{of("b/x", 2), of("a/y", 2), of("c", 2)}},
		{1, []Result{of("b/x", 1)}},
	}, groups)
	require.Equal(t, []string{"b", "a", "c"}, families(append(groups[0].results, groups[1].results...)))
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		ratio, spread float64
		ci            *Interval
		want          verdict
	}{
		{2, 0.1, &Interval{1.01, 3}, faster},
		{2, 0.1, &Interval{1, 3}, undecided},
		{0.5, 0.1, &Interval{0.3, 0.99}, slower},
		{0.5, 9, &Interval{0.3, 0.99}, slower}, // the interval counts, not the spread
		{0.9, 0.1, &Interval{0.8, 1.1}, undecided},
		{2, 0.5, nil, faster},
		{2, 1, nil, undecided},
		{0.5, 0.5, nil, slower},
		{0.5, 1, nil, undecided},
		{1, 0, nil, undecided},
		{math.NaN(), 0, nil, undecided},
	} {
		require.Equal(t, c.want, judge(c.ratio, c.ci, c.spread), "%+v", c)
	}
	require.Equal(t, outcome{Faster: 1, Slower: 2, Undecided: 1}, outcomeOf([]Result{{Speedup: 3}, {Speedup: 0.1}, {Speedup: 0.9}, {Speedup: 1}}))
}

func TestCurvesAndSlopes(t *testing.T) {
	var points []Point
	for _, size := range []int{100, 0, 1, 10} { // native grows with the size, userrt with its root's inverse
		n := float64(size)
		points = append(
			points,
			Point{Series: "s", Of: "things", Size: size, Result: Result{Procs: 1, Unit: nsPerOp, Native: 7 * n, Userrt: 50 / math.Sqrt(n)}},
			Point{Series: "s", Of: "things", Size: size, Result: Result{Procs: 2, Unit: nsPerOp, Native: 3, Userrt: 4}},
		)
	}
	cs := curves(append(points, Point{Series: "m", Of: "tasks", Size: 5, Result: Result{Procs: 1, Unit: "B/task", Native: 1, Userrt: 1}}))
	require.Len(t, cs, 3)
	require.Equal(t, curve{series: "s", of: "things", unit: nsPerOp, procs: 1, points: []Point{points[2], points[4], points[6], points[0]}}, cs[0])
	require.False(t, cs[0].memory())
	require.True(t, cs[2].memory())

	native, userrt, ok := cs[0].slopes()
	require.True(t, ok)
	require.InDelta(t, 2, native.all, 1e-9)
	require.InDelta(t, 0.5, userrt.all, 1e-9)
	_, _, ok = cs[2].slopes()
	require.False(t, ok, "one point has no slope")
	cs[2].points = append(cs[2].points, cs[2].points[0])
	_, _, ok = cs[2].slopes()
	require.False(t, ok, "one size has no slope")
}

func TestNumbersForPeople(t *testing.T) {
	for want, got := range map[string]string{
		"0.95 ns":      shortCost(0.951, nsPerOp),
		"9.99 ns":      shortCost(9.994, nsPerOp),
		"10.0 ns":      shortCost(9.996, nsPerOp),
		"99.9 ns":      shortCost(99.94, nsPerOp),
		"100 ns":       shortCost(99.96, nsPerOp),
		"999 ns":       shortCost(999.4, nsPerOp),
		"1.00 µs":      shortCost(999.6, nsPerOp),
		"995 µs":       shortCost(994873.1, nsPerOp),
		"1.02 ms":      shortCost(1015075.5, nsPerOp),
		"2,500 s":      shortCost(2.5e12, nsPerOp),
		"14.1 µs cpu":  shortCost(14083.8, cpuPerOp),
		"2,718 B":      shortCost(2718.3, "B/task"),
		"145 B":        shortCost(144.6, "B/task"),
		"3.00 frogs":   shortCost(3, "frogs"),
		"0.0012":       threeDigits(0.00123),
		"0.099":        threeDigits(0.0994),
		"0.10":         threeDigits(0.0996),
		"-0.050":       threeDigits(-0.05),
		"0.00":         threeDigits(0),
		"?":            threeDigits(math.NaN()),
		"1,234,567":    grouped(1234567),
		"-1,000":       grouped(-1000),
		"12":           shortCount(12),
		"1024":         shortCount(1024),
		"1.5k":         shortCount(1500),
		"100k":         shortCount(100_000),
		"2.5M":         shortCount(2_500_000),
		"1.10 to 12.3": shortInterval(&Interval{1.1, 12.34}),
		"":             shortInterval(nil),
		"2.10×":        shortFloor(Result{Floor: "swap", AboveFloor: 2.1}),
		"0.3×":         times(shifted(3, -1)),
		"200 ns":       tidyCost(200, nsPerOp),
		"5 µs":         tidyCost(5000, cpuPerOp),
	} {
		require.Equal(t, want, got)
	}
}
