package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/hchan"
)

// The shares are those that the head of main.go promises, within seven standard deviations.
func TestShares(t *testing.T) {
	const slack = 1100
	for name, n := range map[string][5]int{"ours": count(hchan.Select, 3), "native": native()} {
		for i := range 3 {
			require.InDelta(t, selects/3, n[i], slack, "%s: %v", name, n)
		}
		require.Zero(t, n[3]+n[4], name)
	}
	n := count(hchan.Select, 0)
	for _, i := range []int{0, 1, 2, 3} {
		require.InDelta(t, selects/4, n[i], slack, "%v", n)
	}
	require.Zero(t, n[4])
	require.Equal(t, [5]int{selects, 0, 0, 0, 0}, count(hchan.SelectOrdered, 3))
}

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(&out))
	require.Equal(t, 5, bytes.Count(out.Bytes(), []byte("\n")))
	require.Contains(t, out.String(), "[100000      0      0      0      0]")
}
