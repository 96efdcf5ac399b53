//go:build (amd64 || arm64 || 386 || riscv64) && !userrt_nogetg

package getg

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWired(t *testing.T) {
	require.NotZero(t, wiredAt, "lockedm has not been found")
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			for range 100 {
				if Wired() {
					t.Error("wired without a call")
				}
				runtime.LockOSThread()
				runtime.LockOSThread()
				if !Wired() {
					t.Error("not wired")
				}
				runtime.UnlockOSThread()
				if !Wired() {
					t.Error("not wired after one of two has been undone")
				}
				runtime.UnlockOSThread()
				runtime.Gosched()
			}
		})
	}
	wg.Wait()
}
