package fence

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/procyield"
)

func TestStartGrantsTheService(t *testing.T) {
	Start()
	if !Exists {
		require.False(t, Heavy())
		require.False(t, Ready())
		return
	}
	waitReady(t)
	require.True(t, Heavy())
}

// waitReady waits for the service, or ends the test where this system's kernel has none.
func waitReady(t *testing.T) {
	Start()
	for range 5000 {
		if Ready() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Skip("this system does not grant the service")
}

// TestStressDekker has two threads store and then load, one without a fence, the other by Heavy: in no
// round may both have missed the other's store. Without the call of Heavy some do, on two processors.
func TestStressDekker(t *testing.T) {
	if !Exists {
		t.Skip("no such service on this system")
	}
	waitReady(t)
	const rounds = 20_000
	type word struct {
		atom.Uint32
		_ [60]byte
	}
	var x, y word
	var round, done atomic.Uint32
	var light uint32
	go func() {
		runtime.LockOSThread()
		for r := uint32(1); r <= rounds; r++ {
			for n := 0; round.Load() != r; n++ {
				if n > 1000 {
					runtime.Gosched()
				}
			}
			x.StoreRel(r)
			light = y.Load()
			done.Store(r)
		}
	}()
	missed := 0
	for r := uint32(1); r <= rounds; r++ {
		round.Store(r)
		procyield.Pause(1 + r%8)
		y.StoreRel(r)
		Heavy()
		heavy := x.Load()
		for n := 0; done.Load() != r; n++ {
			if n > 1000 {
				runtime.Gosched()
			}
		}
		if light != r && heavy != r {
			missed++
		}
	}
	require.Zero(t, missed)
}
