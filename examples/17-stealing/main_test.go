package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// All tasks run once, on P1: those of the global queue first, in their order, then the stolen ones, P0's next task last.
func TestStealing(t *testing.T) {
	events, err := play()
	require.NoError(t, err)
	var ran []string
	thefts, stolenAfter := 0, -1
	for _, e := range events {
		require.Equal(t, 1, e.p)
		switch {
		case e.theft:
			if thefts++; stolenAfter < 0 {
				stolenAfter = len(ran)
			}
		default:
			ran = append(ran, e.task)
		}
	}
	require.Len(t, ran, local+global)
	require.Equal(t, global, stolenAfter, "no theft before the global queue is empty: %v", ran)
	require.Equal(t, []string{"global 1", "global 2", "global 3", "global 4"}, ran[:global])
	require.GreaterOrEqual(t, thefts, 3, "of 7, then of what is left, then of runnext")
	require.Equal(t, "local 8", ran[len(ran)-1], "what P0 was to run next")
	rest := strings.Join(ran[global:], ",")
	for _, task := range []string{"local 1", "local 2", "local 7"} {
		require.Equal(t, 1, strings.Count(rest, task))
	}
	var out bytes.Buffer
	for _, e := range events {
		e.print(&out)
	}
	require.Contains(t, out.String(), "P1 steals from P0")
}
