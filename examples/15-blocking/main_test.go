package main

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// With Block the only P is handed on, mostly to threads that have been used before, no more of which are needed than tasks that block, a
// P and one that stands in for it; the ninth goes on. Without Block nothing is handed on. In each case all starts are accounted for.
func TestBlocking(t *testing.T) {
	for _, k := range kinds {
		for _, how := range []how{{block: true, yields: true}, {block: true}, {yields: true}} {
			t.Run(fmt.Sprintf("%s/%+v", k.name, how), func(t *testing.T) {
				r, err := measure(k, how)
				require.NoError(t, err)
				st, calls := r.stats, waiters*k.rounds
				require.Positive(t, r.steps)
				require.Positive(t, r.gap)
				require.LessOrEqual(t, r.gap, r.took)
				require.Equal(t, st.ThreadsCreated+st.ThreadsReused, st.HandOffs+st.Wakes)
				var out bytes.Buffer
				r.print(&out)
				require.Regexp(t, fmt.Sprintf(`^%s, block=%v: %d calls in .*; the ninth (yields|makes no call): \d+ steps, longest gap .*\n`+
					` +%d threads made \+ %d reused = %d hand-offs \+ %d wake-ups`,
					k.name, how.block, calls, st.ThreadsCreated, st.ThreadsReused, st.HandOffs, st.Wakes), out.String())
				if !how.block {
					require.Zero(t, st.Blocks)
					require.Zero(t, st.HandOffs)
					return
				}
				require.EqualValues(t, calls, st.Blocks)
				require.Positive(t, st.HandOffs)
				require.LessOrEqual(t, st.HandOffs, st.Blocks)
				require.Positive(t, st.ThreadsReused)
				if how.yields && st.Reliefs == 0 { // else, on a busy machine, another P has stood in
					require.Equal(t, st.Blocks, st.HandOffs, "the ninth is queued whenever another task runs")
					require.LessOrEqual(t, int(st.ThreadsCreated), waiters+2)
				}
			})
		}
	}
}

func TestAlone(t *testing.T) {
	steps, gap := alone(time.Millisecond)
	require.Positive(t, steps)
	require.Positive(t, gap)
}
