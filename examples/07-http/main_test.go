//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBothServersAnswer(t *testing.T) {
	for _, serve := range []server{byGoroutines, byTasks} {
		answer, err := ask(serve, 20)
		require.NoError(t, err)
		require.Equal(t, "hello, caller-19\n", answer)
	}
}
