package getg

import (
	"context"
	"runtime/pprof"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGetIsOneKeyForEachLivingGoroutine(t *testing.T) {
	const n = 100
	keys := make([]uintptr, n)
	var all, done sync.WaitGroup
	all.Add(n)
	for i := range n {
		done.Go(func() {
			k := Get()
			all.Done()
			all.Wait() // all alive at once
			keys[i] = k
			if k != Get() {
				keys[i] = 0
			}
		})
	}
	done.Wait()
	seen := map[uintptr]bool{Get(): true}
	for _, k := range keys {
		require.NotZero(t, k)
		require.False(t, seen[k], "two living goroutines share a key")
		seen[k] = true
	}
}

func TestLabelsMoveBetweenGoroutines(t *testing.T) {
	require.Nil(t, Labels())
	pprof.Do(context.Background(), pprof.Labels("k", "v"), func(ctx context.Context) {
		l := Labels()
		require.NotNil(t, l)
		SetLabels(nil)
		require.Nil(t, Labels())
		SetLabels(l)
	})
	require.Nil(t, Labels())
}
