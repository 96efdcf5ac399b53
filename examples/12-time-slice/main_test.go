package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// On one P the sleeper depends on the hog's giving way, or on a relief; on two it wakes as well. The hog gets on, too.
func TestTimeSlice(t *testing.T) {
	for _, procs := range []int{1, 2} {
		for _, calls := range []bool{true, false} {
			r, err := measure(procs, calls)
			require.NoError(t, err)
			require.Len(t, r.late, wakeUps)
			require.Positive(t, r.turns)
			switch {
			case procs == 1 && calls:
				require.Positive(t, r.stats.Preemptions)
			case procs == 1:
				require.Positive(t, r.stats.Reliefs)
			}
			for _, late := range r.late {
				require.GreaterOrEqual(t, int64(late), int64(0), "never early")
			}
			var out bytes.Buffer
			r.print(&out)
			require.Contains(t, out.String(), "20 wake-ups")
		}
	}
}
