package main

import (
	"bytes"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestManyOnFew(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, show(&b))
	out := b.String()
	require.Len(t, regexp.MustCompile(`(?m)^SCHED \d+ms: gomaxprocs=\d+ .* runqueue=\d+ \[( \d+)+ \] schedticks=\[( \d+)+ \] scheduler=\d+ tasks=\d+$`).FindAllString(out, -1), looks)
	at := regexp.MustCompile(`(?m)^(\d+) tasks on (\d+) threads over \d+ processors: (\d+) running, (\d+) runnable, (\d+) waiting$`).FindAllStringSubmatch(out, -1)
	require.Len(t, at, looks)
	for _, m := range at {
		n := make([]int, len(m))
		for i := range m[1:] {
			n[i+1], _ = strconv.Atoi(m[i+1])
		}
		require.Equal(t, n[1], n[3]+n[4]+n[5], m[0])
		require.Less(t, n[2], 10, "few threads")
		require.Positive(t, n[3], "who looks runs")
	}
	require.Regexp(t, `(?m)^P0: \d+ tasks ended here, \d+ picks, of which \d+ stolen\nP1: `, out)
	require.Regexp(t, `(?m)^1001 tasks, \d+ picks, \d threads\n$`, out)
}
