package sched

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a fork costs that nobody steals: the least of many short runs, on a machine that is shared.

func benchmarkForks(b *testing.B, procs int, fib func(n int) int) {
	s, err := New(Config{Procs: procs})
	require.NoError(b, err)
	const arg, forks, result = 18, 4180, 2584
	least := math.MaxFloat64
	require.NoError(b, s.Run(func() {
		for range b.N {
			start := time.Now()
			if fib(arg) != result {
				panic("wrong result")
			}
			least = min(least, float64(time.Since(start).Nanoseconds())/forks)
			Yield()
		}
	}))
	b.ReportMetric(least, "ns/fork")
	require.NoError(b, s.Close())
}

func BenchmarkForkBoth(b *testing.B) { benchmarkForks(b, 1, bothFib) }

func BenchmarkForkJoin(b *testing.B) {
	var fib func(n int) int
	fib = func(n int) int {
		if n < 2 {
			return n
		}
		var x, y int
		Join(func() { x = fib(n - 1) }, func() { y = fib(n - 2) })
		return x + y
	}
	benchmarkForks(b, 1, fib)
}

// BenchmarkForkCalls is the same tree without forks.
func BenchmarkForkCalls(b *testing.B) { benchmarkForks(b, 1, callFib) }

//go:noinline
func callFib(n int) int {
	if n < 2 {
		return n
	}
	return callFib(n-1) + callFib(n-2)
}

var joinSink func(a, b func())

// BenchmarkForkClosures is the same tree with the closures that Join takes, called one after the other.
func BenchmarkForkClosures(b *testing.B) {
	joinSink = func(a, b func()) { a(); b() }
	var fib func(n int) int
	fib = func(n int) int {
		if n < 2 {
			return n
		}
		var x, y int
		joinSink(func() { x = fib(n - 1) }, func() { y = fib(n - 2) })
		return x + y
	}
	benchmarkForks(b, 1, fib)
}
