//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Every message comes back, and there are far fewer threads than connections.
func TestEcho(t *testing.T) {
	r, err := run()
	require.NoError(t, err)
	require.EqualValues(t, clients*messages, r.echoed.Load())
	require.GreaterOrEqual(t, int(r.stats.Spawned), 2*clients)
	require.Less(t, int(r.stats.ThreadsCreated), 20)
}
