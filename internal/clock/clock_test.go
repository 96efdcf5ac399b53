// Which clock it is.

package clock

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestBubbled: in a bubble always, also when its clock has gone on, and nowhere else.
func TestBubbled(t *testing.T) {
	for range 1000 {
		require.False(t, Bubbled())
	}
	synctest.Test(t, func(t *testing.T) {
		require.True(t, Bubbled())
		time.Sleep(24 * time.Hour)
		require.True(t, Bubbled())
		inside := false
		go func() { inside = Bubbled() }()
		synctest.Wait()
		require.True(t, inside)
	})
	require.False(t, Bubbled())
}
