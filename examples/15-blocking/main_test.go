package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// With Block the Ps are handed on, mostly to threads that have been used before, no more of which are needed than tasks that block
// and Ps; computing goes on. Without it nothing is handed on.
func TestBlocking(t *testing.T) {
	r, err := measure(true)
	require.NoError(t, err)
	require.EqualValues(t, writers*writes, r.stats.Blocks)
	require.Positive(t, r.stats.HandOffs)
	require.LessOrEqual(t, r.stats.HandOffs, r.stats.Blocks)
	require.Positive(t, r.stats.ThreadsReused)
	require.LessOrEqual(t, int(r.stats.ThreadsCreated), writers+procs+1)
	require.Positive(t, r.computed.Load())
	var out bytes.Buffer
	r.print(&out)
	require.Contains(t, out.String(), "160 calls of Block")

	r, err = measure(false)
	require.NoError(t, err)
	require.Zero(t, r.stats.Blocks)
	require.Zero(t, r.stats.HandOffs)
}
