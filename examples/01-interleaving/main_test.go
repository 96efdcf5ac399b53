package main

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every step is recorded once; one P never has two under way, and lets all tasks have a turn before any has its second.
func TestInterleaving(t *testing.T) {
	for _, procs := range []int{1, 2} {
		r, err := play(procs)
		require.NoError(t, err)
		for i := range tasks {
			require.Equal(t, steps, bytes.Count(r.order[:], []byte{byte('A' + i)}), "%s", r.order[:])
		}
		require.LessOrEqual(t, int(r.most.Load()), procs)
		if procs == 1 {
			for i := 0; i < len(r.order); i += tasks {
				for k := range tasks {
					require.Contains(t, string(r.order[i:i+tasks]), string(rune('A'+k)), "%s", r.order[:])
				}
			}
		}
		var out bytes.Buffer
		r.print(&out)
		require.Contains(t, out.String(), string(r.order[:]))
	}
}

// Two Ps have two under way, sooner or later.
func TestParallel(t *testing.T) {
	if runtime.GOMAXPROCS(0) < 2 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	}
	for range 100 {
		r, err := play(2)
		require.NoError(t, err)
		if r.most.Load() == 2 {
			return
		}
	}
	t.Fatal("two Ps have never run two steps at a time")
}
