package patience

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTimes(t *testing.T) {
	for text, want := range map[string]time.Duration{"": time.Second, "1": time.Second, "30": 30 * time.Second} {
		t.Setenv(Var, text)
		require.Equal(t, want, Times(time.Second))
	}
	for _, text := range []string{"0", "-1", "1.5", "ten", "65536"} {
		t.Setenv(Var, text)
		require.PanicsWithValue(t, `patience: USERRT_PATIENCE is "`+text+`", want a whole number from 1 to 65535`,
			func() { Times(time.Second) })
	}
}
