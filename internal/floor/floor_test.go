package floor

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestOps runs each operation a few times: each checks what it has done. Afterwards no goroutine is left.
func TestOps(t *testing.T) {
	before := runtime.NumGoroutine()
	names := map[string]bool{}
	for _, op := range Ops() {
		require.False(t, names[op.Name], op.Name)
		names[op.Name] = true
		require.NotEmpty(t, op.Doc, op.Name)
		for _, n := range []int{1, 2, 7, 300} {
			took, err := op.Run(n)
			if errors.Is(err, errors.ErrUnsupported) {
				require.NotContains(t, []string{"swap", "self", "cas", "lock", "closure", "copy", "clock"}, op.Name)
				continue
			}
			require.NoError(t, err, op.Name)
			require.Positive(t, took, op.Name)
		}
	}
	if runtime.GOOS == "linux" {
		_, err := readWrite(1)
		require.NoError(t, err)
	}
	for range 10_000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}

func BenchmarkOps(b *testing.B) {
	for _, op := range Ops() {
		b.Run(op.Name, func(b *testing.B) {
			took, err := op.Run(b.N)
			if errors.Is(err, errors.ErrUnsupported) {
				b.Skip(err)
			}
			require.NoError(b, err)
			b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "ns/op")
		})
	}
}
