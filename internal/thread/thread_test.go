package thread

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMaskOfAThread(t *testing.T) {
	if !Exists {
		require.Zero(t, ID())
		_, err := Initial()
		require.Error(t, err)
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	id := ID()
	require.NotZero(t, id)
	all, err := Initial()
	require.NoError(t, err)
	before, err := Of(id)
	require.NoError(t, err)
	cpu := 0
	for !before.Has(cpu) {
		cpu++
	}
	require.True(t, all.Has(cpu))
	require.NoError(t, Set(id, Only(cpu)))
	now, err := Of(0)
	require.NoError(t, err)
	require.Equal(t, Only(cpu), now)
	require.NoError(t, Set(0, before))
	now, err = Of(id)
	require.NoError(t, err)
	require.Equal(t, before, now)
	require.False(t, before.Has(-1))
	require.False(t, before.Has(1<<20))
	require.Error(t, Set(id, Mask{}))

	other := make(chan int)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		other <- ID()
	}()
	require.NotEqual(t, id, <-other)
}
