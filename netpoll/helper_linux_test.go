package netpoll

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// openFDs lists the process's open descriptors of the kinds that this package makes.
func openFDs(t *testing.T) []string {
	t.Helper()
	return openKinds(t, "socket:", "pipe:", "anon_inode:[eventpoll]", "anon_inode:[eventfd]")
}

// openKinds returns the descriptors of some kinds that the process has.
func openKinds(t *testing.T, kinds ...string) (fds []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for _, e := range entries {
		to, _ := os.Readlink("/proc/self/fd/" + e.Name()) // the one that lists them is gone
		if slices.ContainsFunc(kinds, func(kind string) bool { return strings.HasPrefix(to, kind) }) {
			fds = append(fds, e.Name()+" "+to)
		}
	}
	return fds
}

// threadCount returns the number of the process's threads.
func threadCount(t *testing.T) (n int) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(status), "Threads:")
	_, err = fmt.Sscan(rest, &n)
	require.NoError(t, err)
	return n
}
