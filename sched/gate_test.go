package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/fence"
)

// TestStressGate has the owner of a P put and take, by runqput and runqget, while thieves rob its ring
// and its runnext: each task is taken exactly once. First by CAS on both sides, then without on
// the owner's.
func TestStressGate(t *testing.T) {
	for _, fenced := range []bool{false, true} {
		name := "cas"
		if fenced {
			name = "fenced"
		}
		t.Run(name, func(t *testing.T) { stressGate(t, fenced) })
	}
}

func stressGate(t *testing.T, fenced bool) {
	const total, thieves = 200_000, 2
	s := newTest(t, Config{Procs: 1 + thieves})
	all := *s.allp.Load()
	p := all[0]
	if fenced {
		awaitFence()
		p.gate.lookUp()
		require.Equal(t, fence.Ready(), p.gate.thieves.Load() == 0)
	}
	gs := newGs(total)
	taken := make([]atomic.Int32, total)
	var left, stolen atomic.Int64
	left.Store(total)
	take := func(gp *G) {
		taken[gp.id].Add(1)
		left.Add(-1)
	}
	var wg sync.WaitGroup
	for k := range thieves {
		m := &M{s: s, p: all[1+k]}
		wg.Go(func() {
			for i := 0; left.Load() > 0; i++ {
				p.setPace(unknownPace)
				for gp := m.stealFrom(p, i%2 == 0); gp != nil; gp = m.p.runqget() {
					stolen.Add(1)
					take(gp)
				}
				runtime.Gosched()
			}
		})
	}
	wg.Go(func() {
		overflow := func() {
			for s.globqsize.Load() > 0 {
				s.lock.Lock()
				gp := s.globq.pop()
				s.globqsize.Store(s.globq.n)
				s.lock.Unlock()
				take(gp)
			}
		}
		for i, gp := range gs {
			p.runqput(gp, i%3 != 0)
			if i%2 == 0 || i%1000 < 500 {
				if got := p.runqget(); got != nil {
					take(got)
				}
			}
			if i%64 == 0 {
				runtime.Gosched()
			}
		}
		for gp := p.runqget(); gp != nil; gp = p.runqget() {
			take(gp)
		}
		overflow()
	})
	within(t, wg.Wait)
	for i := range taken {
		require.EqualValues(t, 1, taken[i].Load(), "task %d", i)
	}
	require.NotZero(t, stolen.Load())
	runtime.KeepAlive(gs)
}
