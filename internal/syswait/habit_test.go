package syswait

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// sleeps lets h sleep n times, each woken or not within Brief, and returns how often it kept its P.
func sleeps(h *Habit, n int, woken bool) (kept int) {
	for range n {
		if h.Keeps() {
			h.Kept(woken)
			kept++
		}
	}
	return kept
}

func TestHabit(t *testing.T) {
	var h Habit
	require.Equal(t, 1000, sleeps(&h, 1000, true), "short sleeps keep the P")
	require.Equal(t, 6, sleeps(&h, 1+2+4+8+16+32, false), "long ones ever less often")
	require.Equal(t, 10, sleeps(&h, 10*(1+maxSkip), false), "but never cease to ask")
	require.Equal(t, 100, sleeps(&h, maxSkip+100, true), "and one that is short again keeps it from then on")
	require.Equal(t, 2, sleeps(&h, 3, false), "what was learned before is forgotten by and by")
}
