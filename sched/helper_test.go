package sched

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/patience"
)

// hangLimit is how long a test may take before it counts as hanging.
var hangLimit = patience.Times(12 * time.Second)

// heartbeat is moved on by a test that takes long and knows that it gets on: it then has that much time again.
var heartbeat atomic.Int64

// within runs f on a goroutine of its own and fails, with the state of all schedulers in the test
// and all goroutines, if it does not return.
func within(t *testing.T, f func(), ss ...*Scheduler) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	limit := time.NewTicker(hangLimit)
	defer limit.Stop()
	for seen := heartbeat.Load(); ; {
		select {
		case <-done:
			return
		case <-limit.C:
		}
		if beat := heartbeat.Load(); beat != seen {
			seen = beat
			continue
		}
		for _, s := range ss {
			t.Log(describe(s))
		}
		buf := make([]byte, 1<<20)
		t.Fatalf("hangs\n%s", buf[:runtime.Stack(buf, true)])
	}
}

// describe tells the state of s for a test that hangs: a Dump.
func describe(s *Scheduler) string {
	var b strings.Builder
	_ = s.Dump(&b) // a Builder takes everything
	return b.String()
}

// forProcs runs f with GOMAXPROCS and Procs of 1, 2 and 8 in all nine combinations, on a Scheduler
// that is closed afterwards and must leave no goroutine behind.
func forProcs(t *testing.T, f func(t *testing.T, s *Scheduler)) {
	t.Helper()
	forProcsOf(t, Config{}, f)
}

// forProcsOf is forProcs with a Config of which Procs and Seed are set.
func forProcsOf(t *testing.T, cfg Config, f func(t *testing.T, s *Scheduler)) {
	t.Helper()
	for _, native := range []int{1, 2, 8} {
		for _, procs := range []int{1, 2, 8} {
			t.Run(fmt.Sprintf("gomaxprocs=%d/procs=%d", native, procs), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(native))
				before := plainGoroutines()
				cfg.Procs, cfg.Seed = procs, 1
				s, err := New(cfg)
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
