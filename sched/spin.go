package sched

import (
	"runtime"

	"github.com/userrt/userrt/internal/hb"
)

// Waiting a moment instead of parking. The same in Go: runtime/proc.go, internal_sync_runtime_canSpin.

var cores = runtime.NumCPU()

// MaySpin reports whether it may pay to wait for a moment for what another task is about to do: another P runs, which that
// task may be on, and the caller's own P has nothing else to do. On a plain goroutine it is false.
func MaySpin() bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	st := self()
	if st == nil || cores == 1 {
		return false
	}
	p := st.m.p
	if p == nil || p.runnext.Load() != nil || !p.runq.empty() {
		return false
	}
	s := p.s
	return s.busy()-s.nmspinning.Load() > 1
}
