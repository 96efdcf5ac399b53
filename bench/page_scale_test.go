package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHalfAndDoubleAreEquallyFar(t *testing.T) {
	s := ratioScale([]ratio{{33, &Interval{30, 40}}, {0.1, nil}})
	require.InDelta(t, s.at(1)-s.at(0.5), s.at(2)-s.at(1), 1e-12)
	require.InDelta(t, s.at(1)-s.at(0.1), s.at(10)-s.at(1), 1e-12)
	require.Positive(t, s.at(0.1))
	require.Less(t, s.at(40), 1.0)
	var labels []string
	for _, tick := range ratioTicks(s) {
		labels = append(labels, tick.Label)
		require.Equal(t, tick.Label == "1×", tick.One)
	}
	require.Equal(t, []string{"0.1×", "0.2×", "0.5×", "1×", "2×", "5×", "10×", "20×"}, labels)
}

func TestScaleOfOddValues(t *testing.T) {
	s := newLogScale(8, math.NaN(), 0, -3, math.Inf(1))
	require.Equal(t, 0.0, s.at(math.NaN()))
	require.Equal(t, 0.0, s.at(0))
	require.Equal(t, 1.0, s.at(math.Inf(1)))
	require.InDelta(t, 8, s.hi/s.lo, 1e-9)
	require.InDelta(t, 0.5, s.at(1), 1e-9)
	require.InDelta(t, 8, newLogScale(8, 100).hi/newLogScale(8, 100).lo, 1e-9)
	require.Equal(t, logScale{1, 100}, newLogScale(8, 1, 100))
}

func TestTicks(t *testing.T) {
	require.Equal(t, []float64{1, 2, 5, 10}, logScale{1, 10}.ticks(5))
	require.Equal(t, []float64{1, 3, 10, 30, 100}, logScale{1, 100}.ticks(5))
	require.Equal(t, []float64{1, 10, 100, 1000}, logScale{1, 1000}.ticks(5))
	require.Equal(t, []float64{0.5, 0.6, 0.8, 1, 1.5, 2}, logScale{0.48, 2.9}.ticks(6))
	for _, hi := range []float64{1e5, 1e7, 1e12, 1e30} {
		ticks := logScale{1, hi}.ticks(5)
		require.LessOrEqual(t, len(ticks), 5)
		require.GreaterOrEqual(t, len(ticks), 3)
		require.Equal(t, 1.0, ticks[0])
		step := ticks[1] / ticks[0]
		for i := range ticks[1:] {
			require.InEpsilon(t, step, ticks[i+1]/ticks[i], 1e-9)
		}
	}
}

func TestSizeZeroHasAPlace(t *testing.T) {
	require.Equal(t, 0.0, zeroPlace([]float64{1, 2}))
	require.Less(t, zeroPlace([]float64{4, 0, 2}), 2.0)
	require.Positive(t, zeroPlace([]float64{4, 0, 2}))
	require.Positive(t, zeroPlace([]float64{0}))
}
