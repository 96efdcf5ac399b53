//go:build linux && !userrt_nofutex

package futex

import (
	"os"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/procyield"
	"github.com/userrt/userrt/internal/syswait"
)

// TestInterruptedSleepWithALimitReturns: one signal, of the kind by which the native scheduler stops the world, comes during a sleep of
// little more than Brief. It must go back to its caller, and not begin anew with all of its time.
func TestInterruptedSleepWithALimitReturns(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0)))) // the sleeper keeps its native P
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var word uint32
	var round atomic.Uint32
	tid, pid := unix.Gettid(), os.Getpid()
	const rounds = 300
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := uint32(1); i <= rounds; i++ {
			for round.Load() < i {
				runtime.Gosched()
			}
			procyield.Pause(i * 30) // to meet it at different moments
			_ = unix.Tgkill(pid, tid, unix.SIGURG)
		}
	}()
	interrupted := 0
	for range rounds {
		var fresh syswait.Habit
		round.Add(1)
		if WaitAs(&fresh, &word, 0, syswait.Brief+1) {
			interrupted++
		}
	}
	<-done
	require.Positive(t, interrupted)
}
