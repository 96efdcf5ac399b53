package main

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Everybody gets the lock, and the numbers are those of all.
func TestFairness(t *testing.T) {
	for _, yields := range []bool{false, true} {
		for _, tasks := range []int{2, 8} {
			r, err := ours(tasks, yields, 200*time.Millisecond)
			require.NoError(t, err)
			for _, r := range []*result{r, native(tasks, yields, 50*time.Millisecond)} {
				require.Len(t, r.turns, tasks)
				require.Positive(t, slices.Max(r.turns))
				var out bytes.Buffer
				r.print(&out, "locks", yields)
				require.Contains(t, out.String(), "tasks:")
			}
			require.Positive(t, slices.Min(r.turns))
		}
	}
}
