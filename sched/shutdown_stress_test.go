package sched

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStressClose closes in the middle of everything.
func TestStressClose(t *testing.T) {
	before := plainGoroutines()
	for round := range 150 {
		r := rand.New(rand.NewPCG(uint64(round), 1))
		s, err := New(Config{Procs: 1 + r.IntN(8), PanicHandler: func(*PanicError) {}})
		require.NoError(t, err)
		var begun, ended atomic.Int64 // tasks whose function has begun; whose deferred call has run
		for i := range 30 {
			kind := (i + round) % 5
			s.Go(func() { closeVictim(s, kind, &begun, &ended) })
		}
		for n := int64(r.IntN(200)); begun.Load() < n; {
			runtime.Gosched()
		}
		within(t, func() { require.NoError(t, s.Close()) }, s)
		require.Equal(t, begun.Load(), ended.Load())
	}
	goroutinesBack(t, before)
}

// closeVictim is a task that does one kind of work until it is ended.
func closeVictim(s *Scheduler, kind int, begun, ended *atomic.Int64) {
	begun.Add(1)
	defer ended.Add(1)
	var g door
	child := func() {
		begun.Add(1)
		defer ended.Add(1)
		g.signal()
	}
	for i := 0; ; i++ {
		switch kind {
		case 0:
			Yield()
			begun.Add(1)
			ended.Add(1)
		case 1:
			Go(child)
			g.wait()
		case 2:
			Join(child, Yield, child)
		case 3:
			if s.Run(child) != nil { // closed: from now on it neither waits nor gives way
				return
			}
		case 4:
			go g.signal()
			g.wait()
			if i == 100 {
				begun.Add(1)
				defer ended.Add(1)
				defer Yield()
				Exit()
			}
		}
	}
}

// TestReadyWithoutClaimAgainstUnwinding: a Ready that has not claimed must not take the unwinding's claim
// for its own, or the task is queued twice.
func TestReadyWithoutClaimAgainstUnwinding(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	gp := newGs(1)[0]
	gp.s = s
	gp.state.Store(gWaiting)
	require.True(t, gp.claimUnwind())
	gp.Ready()
	require.Zero(t, s.globqsize.Load(), "the unwinding queues it")
	require.EqualValues(t, gRunnable, gp.state.Load())
	require.False(t, gp.Claim())
}
