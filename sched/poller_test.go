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

// vainPoller counts the Polls that do not block, and has nothing for any. Somebody waits all the time.
type vainPoller struct {
	fakePoller
	polls int
}

func (p *vainPoller) Poll(delayNS int64, _ *GList) {
	if delayNS == 0 {
		p.polls++
	}
}

func (p *vainPoller) Waiting() bool { return true }

// TestPollsFirstWhereItPays: a worker that has slept in its last Polls does not poll before the next one, until a sleep is none, since something was
// there, or it finds work elsewhere: it might find some again and again, and never sleep.
func TestPollsFirstWhereItPays(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	hb.Enter()
	defer hb.Leave()
	p := &vainPoller{}
	_, err := s.Poller(func() (Poller, error) { return p, nil })
	require.NoError(t, err)
	m := &M{s: s}
	s.lock.Lock()
	m.acquirep(s.pidleget(m.now()))
	s.lock.Unlock()
	polls := func() bool {
		before := p.polls
		require.Nil(t, m.findFast())
		return p.polls > before
	}
	sleep := func() {
		m.at = 1 // long ago
		m.pollFor(-1)
	}
	for range manySleeps {
		require.True(t, polls())
		sleep()
	}
	require.False(t, polls())
	sleep()
	require.False(t, polls())

	m.at = s.nanotime() + int64(time.Hour)
	m.pollFor(-1) // no time has gone by
	require.True(t, polls())

	for range manySleeps {
		sleep()
	}
	require.False(t, polls())
	gp := &G{s: s}
	m.p.runqput(gp, false)
	require.Same(t, gp, m.findRunnable())
	require.True(t, polls())

	s.lock.Lock()
	m.releasep()
	s.lock.Unlock()
}
