package sched

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
)

// TestSysmonPace: 20 µs for a millisecond, then twice as long each time up to 10 ms; 200 µs at most while tasks wait
// in a ring; 20 µs again once there was something to do.
func TestSysmonPace(t *testing.T) {
	const us = 1000
	look := func(n int, did, queued bool) (looks [][2]bool) { return slices.Repeat([][2]bool{{did, queued}}, n) }
	nothing, queued, did := look(1, false, false), look(1, false, true), look(1, true, false)
	long := look(60, false, false) // until it sleeps as long as it ever does
	for name, c := range map[string]struct {
		before, looks [][2]bool
		want          []int64
	}{
		"nothing to do":                   {nil, look(50, false, false), slices.Repeat([]int64{20 * us}, 50)},
		"nothing to do for long":          {look(50, false, false), look(11, false, false), []int64{40 * us, 80 * us, 160 * us, 320 * us, 640 * us, 1280 * us, 2560 * us, 5120 * us, 10_000 * us, 10_000 * us, 10_000 * us}},
		"something to do":                 {long, did, []int64{20 * us}},
		"something to do, then none":      {slices.Concat(long, did), look(51, false, false), append(slices.Repeat([]int64{20 * us}, 50), 40*us)},
		"tasks wait":                      {nil, look(5, false, true), []int64{40 * us, 80 * us, 160 * us, 200 * us, 200 * us}},
		"tasks begin to wait":             {long, queued, []int64{200 * us}},
		"tasks wait no more":              {slices.Concat(long, queued), nothing, []int64{400 * us}},
		"something was done, others wait": {long, look(1, true, true), []int64{20 * us}},
	} {
		pace := sysmonPace{delay: sysmonMinNS}
		for _, l := range c.before {
			pace.looked(l[0], l[1])
		}
		var got []int64
		for _, l := range c.looks {
			pace.looked(l[0], l[1])
			got = append(got, pace.delay)
		}
		require.Equal(t, c.want, got, name)
	}
}

// latePoller is a fakePoller that has nothing to tell before happened is set.
type latePoller struct {
	fakePoller
	happened atomic.Bool
}

func (l *latePoller) Poll(delayNS int64, ready *GList) {
	if l.happened.Load() {
		l.fakePoller.Poll(delayNS, ready)
	}
}

// TestSysmonPolls: the only worker is in a task that makes no call when something comes over the network, and has
// never polled before. Only the monitor can see it, and then another worker stands in.
func TestSysmonPolls(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	f := &latePoller{fakePoller: fakePoller{kick: make(chan struct{}, 1)}}
	_, err := s.Poller(func() (Poller, error) { return f, nil })
	require.NoError(t, err)
	var stop atomic.Bool
	defer stop.Store(true)
	run(t, s, func() {
		Go(func() { // runs once the other one has parked
			f.happened.Store(true)
			for !stop.Load() {
			}
		})
		f.mu.Lock()
		f.waiting = append(f.waiting, Self())
		f.n.Add(1)
		Park(WaitReasonIOWait, func(*G, unsafe.Pointer) bool { f.mu.Unlock(); return true }, nil)
		stop.Store(true)
	})
	require.Positive(t, s.Stats().Reliefs)
}

// handOffs counts the Ps that were taken from workers in Block.
func handOffs(s *Scheduler) (n int) {
	for _, p := range *s.allp.Load() {
		n += int(p.nHandoff.Load())
	}
	return n
}

// TestSysmonRetakesFromALoneBlock: nothing is queued, nothing comes, and yet the P does not stay with a worker that is in
// Block for long.
func TestSysmonRetakesFromALoneBlock(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		release, inside, end := make(chan struct{}), make(chan struct{}), make(chan struct{})
		s.Go(func() {
			Block(func() { close(inside); <-release })
			close(end)
		})
		<-inside
		defer func() { close(release); <-end }()
		until(t, "the P is taken", func() bool { return handOffs(s) > 0 }, s)
		require.Equal(t, 1, handOffs(s))
	})
}

// emptyPoller is one on which somebody waits while waits is set. Nothing comes.
type emptyPoller struct {
	fakePoller
	waits atomic.Bool
}

func (p *emptyPoller) Poll(delayNS int64, _ *GList) {
	if delayNS != 0 {
		<-p.kick
	}
}

func (p *emptyPoller) Waiting() bool { return p.waits.Load() }

// TestSysmonRetakesForTheNetwork: another P is idle, and nothing is queued, but no worker waits for the network, since the one that would is in Block.
func TestSysmonRetakesForTheNetwork(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	f := &emptyPoller{fakePoller: fakePoller{kick: make(chan struct{}, 1)}}
	_, err := s.Poller(func() (Poller, error) { return f, nil })
	require.NoError(t, err)
	hb.Enter()
	defer hb.Leave()
	s.lock.Lock()
	p := s.pidleget(s.nanotime())
	s.lock.Unlock()
	p.blocked.Store(inBlock)
	p.sysBlock, p.sysSince = p.nBlock.Load(), s.nanotime()+int64(time.Hour) // so this is no long Block
	require.False(t, s.retake())
	f.waits.Store(true)
	require.True(t, s.retake())
	require.Equal(t, 1, handOffs(s))
	until(t, "a worker polls", func() bool { return s.polling.Load() }, s)
	f.waits.Store(false)
	f.Break()
}

// TestSysmonRetakesForATimer: the only P is with a worker in Block when a timer in its heap is due.
func TestSysmonRetakesForATimer(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	release := make(chan struct{})
	run(t, s, func() {
		var sleeps door
		Go(func() {
			sleeps.signal()
			Sleep(5 * time.Millisecond)
			close(release)
		})
		sleeps.wait()
		Yield() // until it sleeps
		Block(func() { <-release })
	})
}

// TestLateMonitorAsksAtOnce: after a sleep that has taken too long the monitor asks a task to give way that it has not seen before, if there have been few since.
func TestLateMonitorAsksAtOnce(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	p := (*s.allp.Load())[0]
	s.npidle.Store(0) // as if a worker had it
	defer s.npidle.Store(1)
	p.runnext.StoreRel(new(G)) // who waits
	defer p.runnext.StoreRel(nil)
	for _, c := range []struct {
		late   bool
		chosen uint32
		asks   bool
	}{{false, 1, false}, {true, fewTasks + 1, false}, {true, 1, true}} {
		s.sysmonLate = c.late
		p.schedtick.StoreRel(p.schedtick.Load() + c.chosen)
		s.watchPs(s.nanotime())
		require.Equal(t, c.asks, p.attn.Load()&attnPreempt != 0, "%+v", c)
	}
	p.clearPreempt()
}
