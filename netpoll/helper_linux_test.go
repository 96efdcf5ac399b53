package netpoll

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// openFDs lists the process's open descriptors of the kinds that this package makes.
func openFDs(t *testing.T) (fds []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for _, e := range entries {
		to, _ := os.Readlink("/proc/self/fd/" + e.Name()) // the one that lists them is gone
		for _, kind := range []string{"socket:", "pipe:", "anon_inode:[eventpoll]", "anon_inode:[eventfd]"} {
			if strings.HasPrefix(to, kind) {
				fds = append(fds, e.Name()+" "+to)
			}
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
