// The checks of bodies, on results that are wrong.

package main

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckChoice(t *testing.T) {
	require.NoError(t, checkChoice(1000, [4]int64{240, 260, 249, 251}))
	require.EqualError(t, checkChoice(1000, [4]int64{1000, 0, 0, 0}), "wrong result: case 1 was chosen 0 times of 1000")
	require.EqualError(t, checkChoice(1000, [4]int64{400, 400, 100, 100}), "wrong result: case 2 was chosen 100 times of 1000")
	require.EqualError(t, checkChoice(1000, [4]int64{250, 250, 250, 249}), "wrong result: selects 999, want 1000")
	require.NoError(t, checkChoice(4, [4]int64{4, 0, 0, 0}), "so few say nothing")
}

// TestChoiceIsFair runs so many selects that the choice is judged.
func TestChoiceIsFair(t *testing.T) {
	_, err := runNative(selectReadyNative, 4000)
	require.NoError(t, err)
	_, err = runUserrt(newScheduler(t, 1), selectReadyUserrt, 4000)
	require.NoError(t, err)
}

func TestCheckSemaphore(t *testing.T) {
	holding := func(free int64) func(n int64) bool {
		return func(n int64) bool {
			if n > free {
				return false
			}
			free -= n
			return true
		}
	}
	require.NoError(t, checkSemaphore(holding(semaphoreSize), 0))
	require.EqualError(t, checkSemaphore(holding(semaphoreSize), 3), "wrong result: turns out of bounds 3, want 0")
	for _, free := range []int64{0, semaphoreSize - 1, semaphoreSize + 1} {
		require.ErrorContains(t, checkSemaphore(holding(free), 0), "holds more or less")
	}
}

// TestCompareBlocks has a body that takes as long as its own clock says, and a timer that somebody stops.
func TestCompareBlocks(t *testing.T) {
	pending, most, blocks := 0, 0, 0
	begin := func() func() bool {
		pending++
		return func() bool { pending--; return true }
	}
	body := func(r *Round) error {
		require.Equal(t, pendingBlock, r.N)
		most = max(most, pending)
		blocks += pending
		return nil
	}
	r := &Round{N: 10 * pendingStep}
	require.NoError(t, compareBlocks(r, begin, body))
	require.Positive(t, r.Cost)
	require.Equal(t, 10, blocks, "with a timer")
	require.Equal(t, 1, most)
	require.Zero(t, pending, "none is left")

	gone := func() func() bool { return func() bool { return false } }
	require.EqualError(t, compareBlocks(r, gone, body), "the timer was not pending to the end")
	wrong := errors.New("wrong")
	require.ErrorIs(t, compareBlocks(r, begin, func(*Round) error { return wrong }), wrong)
	require.Zero(t, pending)
}
