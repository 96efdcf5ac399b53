//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// All tasks wait at once, and threads are far fewer.
func TestIdleConnections(t *testing.T) {
	r, err := run()
	require.NoError(t, err)
	require.GreaterOrEqual(t, r.waiting, conns)
	require.Less(t, r.idle-r.before, 20)
	require.Less(t, r.after-r.before, 20)
	require.Less(t, int(r.stats.ThreadsCreated), 20)
}
