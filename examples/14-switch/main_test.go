//go:build unix

package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/coro"
)

// The kernel may not switch more than once for each hundred Yields; what there is comes from monitors, which
// sleep and wake by the clock. Threads that wait for each other take one for most turns.
func TestYieldsDoWithoutTheKernel(t *testing.T) {
	const n = 200_000
	before := voluntary()
	require.NoError(t, byTasks(n))
	tasks := voluntary() - before
	if coro.Backend == "cell" {
		require.Less(t, tasks, int64(n/100))
	}
	before = voluntary()
	require.NoError(t, byThreads(n/100))
	require.Greater(t, voluntary()-before, int64(n/100/10))
}
