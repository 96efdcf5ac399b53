package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// Children are started from this binary too.
func TestMain(m *testing.M) {
	if side := os.Getenv(childEnv); side != "" {
		child(side)
	}
	os.Exit(m.Run())
}

// All wait and are woken, and are as many as were asked for. (With the race detector more could not be.)
func TestAllAreWoken(t *testing.T) {
	for side := range sides {
		var out bytes.Buffer
		require.NoError(t, measure(&out, side, 2000))
		require.Regexp(t, ` 2000 `+side+` +wait, +[1-9][0-9]* bytes each, .* 2000 woken`, out.String())
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	require.Error(t, measure(&bytes.Buffer{}, "threads", 10))
	_, err := run("tasks", "many")
	require.Error(t, err)
}

func TestFreeMemory(t *testing.T) {
	if _, err := os.Stat("/proc/meminfo"); err == nil {
		require.Positive(t, freeMemory())
	}
}
