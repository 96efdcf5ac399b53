package sched

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/patience"
)

// hangLimit is how long a test may take before it counts as hanging.
var hangLimit = patience.Times(12 * time.Second)

// within runs f on a goroutine of its own and fails, with the state of all schedulers in the test
// and all goroutines, if it does not return.
func within(t *testing.T, f func(), ss ...*Scheduler) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	limit := time.NewTimer(hangLimit)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
		for _, s := range ss {
			t.Log(describe(s))
		}
		buf := make([]byte, 1<<20)
		t.Fatalf("hangs\n%s", buf[:runtime.Stack(buf, true)])
	}
}

// describe tells the state of s for a test that hangs.
func describe(s *Scheduler) string {
	s.lock.Lock()
	defer s.lock.Unlock()
	out := fmt.Sprintf("procs=%d idle=%d running=%d spinning=%d global=%d ms=%d closing=%v ended=%v\n",
		s.procs.Load(), s.npidle.Load(), s.nprun, s.nmspinning.Load(), s.globq.n, s.nm, s.closing.Load(), s.ended)
	out += fmt.Sprintf("polling=%v until=%d onfutex=%v now=%d next timer=%d\n", s.polling.Load(), s.pollUntil.Load(),
		s.onFutex.Load(), s.nanotime(), s.nextTimer())
	for _, p := range *s.allp.Load() {
		out += fmt.Sprintf("P%d state=%d tick=%d attn=%d runnext=%v ring=%d spawned-ended=%d\n", p.id, p.state,
			p.schedtick.Load(), p.attn.Load(), p.runnext.Load() != nil, p.runq.tail.Load()-p.runq.head.Load(),
			p.nSpawn.Load()-p.nEnd.Load())
	}
	for _, slab := range s.allgs {
		for i := range slab {
			if gp := &slab[i]; gp.state.Load() != gDead {
				out += fmt.Sprintf("task %d: %s (%s)\n", gp.id, stateText[gp.state.Load()], gp.reason)
			}
		}
	}
	return out
}

// forProcs runs f with GOMAXPROCS and Procs of 1, 2 and 8 in all nine combinations, on a Scheduler
// that is closed afterwards and must leave no goroutine behind.
func forProcs(t *testing.T, f func(t *testing.T, s *Scheduler)) {
	for _, native := range []int{1, 2, 8} {
		for _, procs := range []int{1, 2, 8} {
			t.Run(fmt.Sprintf("gomaxprocs=%d/procs=%d", native, procs), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(native))
				before := plainGoroutines()
				s, err := New(Config{Procs: procs, Seed: 1})
				require.NoError(t, err)
				within(t, func() { f(t, s) }, s)
				within(t, func() { require.NoError(t, s.Close()) }, s)
				goroutinesBack(t, before)
			})
		}
	}
}

// plainGoroutines counts goroutines but for those of Default, which come and go.
func plainGoroutines() int {
	s := Default()
	return runtime.NumGoroutine() - int(s.workersUp.Load()) - int(s.nStacks.Load())
}

// goroutinesBack waits for goroutines that have done their last act to be gone too.
func goroutinesBack(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(patience.Times(10 * time.Second)); plainGoroutines() > n; runtime.Gosched() {
		if time.Now().After(end) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, want %d\n%s", plainGoroutines(), n, buf[:runtime.Stack(buf, true)])
		}
	}
}
