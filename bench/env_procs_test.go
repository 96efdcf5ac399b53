// More Ps than cores: said in every heading of every format.

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCrowdedProcsAreLabelled(t *testing.T) {
	rep := madeUpReport(t) // procs 1, 2 and 4, growth at 1 and 2, ablations at 2
	rep.Env.Cores = 8
	for format, of := range map[string]func() string{
		"text": func() string {
			var b bytes.Buffer
			require.NoError(t, rep.write(&textOutput{w: &b}))
			return b.String()
		},
		"markdown": func() string { return markdownOf(t, rep) },
		"html":     func() string { return parsePage(t, pageOf(t, rep)).text() },
	} {
		require.NotContains(t, of(), "procs 2 on ", format)
		require.NotContains(t, of(), "Where procs is above", format)
		rep.Env.Cores = 2
		require.Contains(t, of(), "procs 4 on 2 cores", format)
		require.NotContains(t, of(), "procs 2 on ", format)
		rep.Env.Cores = 1
		for _, what := range []string{"procs 2 on 1 core", "procs 4 on 1 core"} {
			require.Contains(t, of(), what, format)
		}
		if format != "text" {
			require.Equal(t, 1, strings.Count(of(), "Where procs is above the 1 core, "), format)
		}
		require.NotContains(t, of(), "procs 1 on", format)
		rep.Env.Cores = 0 // a file that doesn't tell
		require.NotContains(t, of(), " on 0 cores", format)
		rep.Env.Cores = 8
	}
	require.Equal(t, []string{"procs 2", "procs 3 on 2 cores"}, []string{Env{Cores: 2}.procs(2), Env{Cores: 2}.procs(3)})
}
