package main

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Everybody gets the lock, the numbers are those of all, and what is printed is the luckiest, the unluckiest and the longest wait.
func TestFairness(t *testing.T) {
	for _, yields := range []bool{false, true} {
		for _, tasks := range []int{2, 8} {
			r, err := ours(tasks, yields, 200*time.Millisecond)
			require.NoError(t, err)
			for _, r := range []*result{r, native(tasks, yields, 50*time.Millisecond)} {
				require.Len(t, r.turns, tasks)
				require.Positive(t, slices.Min(r.turns))
				sum := 0
				for _, n := range r.turns {
					sum += n
				}
				require.Equal(t, r.inside, sum, "counted under the lock")
				for i, longest := range r.longest {
					require.Positive(t, longest, "task %d", i)
				}
			}
		}
	}
}

func TestPrint(t *testing.T) {
	r := &result{turns: []int{5, 1000, 70}, longest: []time.Duration{time.Millisecond, 0, 12_345 * time.Microsecond}}
	var out bytes.Buffer
	r.print(&out, "locks", true)
	require.Equal(t, "locks section yields   3 tasks:     1075 turns, the luckiest had    1000, the unluckiest       5; longest wait   12.35 ms\n", out.String())
	out.Reset()
	r.print(&out, "sync ", false)
	require.Contains(t, out.String(), "sync  section short    3 tasks: ")
}
