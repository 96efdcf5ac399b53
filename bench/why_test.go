// Reasons: every pair and every series has one of its own, and all that is for people shows it.

package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryPairSaysWhy(t *testing.T) {
	owner := map[string]string{} // of each reason
	reasons := 0
	look := func(p Pair, of string) {
		require.NotEmpty(t, p.Doc, p.Name)
		require.NotEmpty(t, strings.TrimSpace(p.Why), p.Name)
		require.NotContains(t, p.Why, ". ", "%s: one sentence", p.Name)
		require.NotEqual(t, p.Doc, p.Why, p.Name)
		if other, ok := owner[p.Why]; ok {
			require.Equal(t, other, of, "the same reason for two")
			return
		}
		owner[p.Why] = of
		reasons++
	}
	for _, p := range pairs() {
		look(p, p.Name)
	}
	require.Len(t, pairReasons, reasons, "none for a pair that is no more")
	for _, p := range points(allSeries(), regexp.MustCompile("")) {
		look(p.pair, "growth of "+p.series.name)
	}
	require.Len(t, seriesReasons, reasons-len(pairReasons))
}

// TestReasonsAreShown looks for one in the list, the page and the document.
func TestReasonsAreShown(t *testing.T) {
	status, list, stderr := command(pairs(), "-list", "-growth", "-run", "^hchan/try$|^timers/10$")
	require.Equal(t, 0, status, stderr)
	why := pairReasons["hchan/try"]
	require.Regexp(t, `(?m)^hchan/try  .*; per round\. Why: `+why+`$`, list)
	require.Regexp(t, `(?m)^timers/10  .*\. Why: `+seriesReasons["timers"]+`$`, list)
	rep := madeUpReport(t)
	require.Contains(t, parsePage(t, pageOf(t, rep)).byID(t, "pairs").text(), "hchan/trya receive that does not wait, in vain, a send that does not wait, and such a receive again; per round. Why: "+why+".")
	md := markdownOf(t, rep)
	require.Contains(t, md, "; per round | "+why+" |\n")
	require.Contains(t, md, "\n\nWhy: "+seriesReasons["lockers"]+".\n\n")
	require.Equal(t, "what a/win does", fakePair("a/win", 1, 1).line(), "a pair without")
}
