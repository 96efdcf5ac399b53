package sched

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
)

// fakePoller readies, at each Poll, all that have parked on it.
type fakePoller struct {
	mu      sync.Mutex
	waiting []*G
	n       atomic.Int32 // len(waiting)
	closed  atomic.Bool
	kick    chan struct{}
}

func (f *fakePoller) Poll(delayNS int64, ready *GList) {
	if delayNS < 0 {
		<-f.kick
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, gp := range f.waiting {
		if gp.Claim() {
			ready.Push(gp)
		}
	}
	f.waiting = nil
	f.n.Store(0)
}

func (f *fakePoller) Break() {
	select {
	case f.kick <- struct{}{}:
	default:
	}
}

func (f *fakePoller) Waiting() bool { return f.n.Load() > 0 }

func (f *fakePoller) Close() error {
	f.closed.Store(true)
	return nil
}

// TestPollerReadiesForeignGsWhereTheyBelong parks tasks of the poller's scheduler and of another one,
// and plain goroutines, on one poller. Each must go on where it belongs.
func TestPollerReadiesForeignGsWhereTheyBelong(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		other, err := New(Config{Procs: 2})
		require.NoError(t, err)
		f := &fakePoller{kick: make(chan struct{}, 1)}
		got, err := s.Poller(func() (Poller, error) { return f, nil })
		require.NoError(t, err)
		require.Same(t, f, got)
		wait := func(want *Scheduler) {
			for range 200 {
				gp := Self()
				f.mu.Lock()
				f.waiting = append(f.waiting, gp)
				f.n.Add(1)
				if !gp.Park(WaitReasonIOWait, func(*G, unsafe.Pointer) bool {
					f.mu.Unlock()
					f.Break()
					s.NeedPoll()
					return true
				}, nil) {
					t.Error("unwound")
				}
				if runsOn() != want {
					t.Error("resumed by a worker of another scheduler")
				}
			}
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Add(3)
			s.Go(func() { defer wg.Done(); wait(s) })
			other.Go(func() { defer wg.Done(); wait(other) })
			go func() { defer wg.Done(); wait(nil) }()
		}
		wg.Wait()
		require.NoError(t, other.Close())
		require.False(t, f.closed.Load())
		t.Cleanup(func() { require.True(t, f.closed.Load(), "Close closes the poller") })
	})
}

// sleepyPoller is a fakePoller that has something for Polls that may block only, and counts the others.
type sleepyPoller struct {
	fakePoller
	sleep time.Duration // of one that may block
	vain  atomic.Int64
}

func (p *sleepyPoller) Poll(delayNS int64, ready *GList) {
	if delayNS == 0 {
		p.vain.Add(1)
		return
	}
	time.Sleep(p.sleep)
	p.fakePoller.Poll(0, ready)
}

// wait parks the calling task on p.
func (p *sleepyPoller) wait() {
	Self().Park(WaitReasonIOWait, func(gp *G, _ unsafe.Pointer) bool {
		p.mu.Lock()
		p.waiting = append(p.waiting, gp)
		p.n.Add(1)
		p.mu.Unlock()
		return true
	}, nil)
}

// TestPollsFirstWhereItPays: a worker whose polls before it sleeps find nothing, time and again, sleeps without; it polls first again
// once a sleep was none, since something was there.
func TestPollsFirstWhereItPays(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	p := &sleepyPoller{sleep: 10 * atOnceNS}
	_, err := s.Poller(func() (Poller, error) { return p, nil })
	require.NoError(t, err)
	run(t, s, func() {
		for range 100 {
			p.wait()
		}
	})
	require.LessOrEqual(t, p.vain.Load(), int64(maxVainPolls+1), "one more by the monitor, if it is late")

	hb.Enter()
	defer hb.Leave()
	m := &M{s: s, vainPolls: maxVainPolls}
	m.at = 1
	m.pollFor(p, -1)
	require.Equal(t, uint8(maxVainPolls), m.vainPolls, "it has slept")
	m.at = s.nanotime() + int64(time.Hour)
	m.pollFor(p, -1)
	require.Zero(t, m.vainPolls, "no time has gone by")
}
