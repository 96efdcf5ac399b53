package sema

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWakeUpsAreKept(t *testing.T) {
	var s Sema
	s.Release()
	s.Release()
	s.Acquire()
	s.Acquire()
	require.Zero(t, s.n)
}

// TestStressTurns lets two goroutines wake each other.
func TestStressTurns(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		const turns = 100_000
		var ping, pong Sema
		var n atomic.Int64
		go func() {
			for range turns {
				ping.Acquire()
				n.Add(1)
				pong.Release()
			}
		}()
		for i := range turns {
			ping.Release()
			pong.Acquire()
			require.EqualValues(t, i+1, n.Load())
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	var s Sema
	require.Zero(t, testing.AllocsPerRun(100, func() {
		s.Release()
		s.Acquire()
	}))
}
