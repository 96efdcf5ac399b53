package sched

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
)

// What a worker leaves out to have less to do, and when it does not: idle.md, "The worker that does not search" and "Network and timers".

// TestOffersBehindOthers: what a parked task has offered in a Join, and waits for, is found also behind the empty queues of more tasks
// than one look visits.
func TestOffersBehindOthers(t *testing.T) {
	forProcs(t, offersBehindOthers)
}

// TestOffersBehindOthersKept is the same where nobody steals from rings.
func TestOffersBehindOthersKept(t *testing.T) {
	forProcsOf(t, Config{Tunables: Tunables{NoStealing: true}}, offersBehindOthers)
}

func offersBehindOthers(t *testing.T, s *Scheduler) {
	const others = 4 * forkVisits
	doors := make([]door, others)
	run(t, s, func() {
		for i := range doors {
			s.Go(func() {
				Join(func() {}, func() {})
				doors[i].wait()
			})
		}
		for range 5 { // until whoever was counted on has searched
			Sleep(time.Microsecond)
		}
		var d door
		Join(d.wait, d.signal)
		for i := range doors {
			doors[i].signal()
		}
	})
}

// twoPs returns a worker that holds the lower one of the two Ps of s, which are idle, and the other one, in use.
func twoPs(s *Scheduler) (m *M, other *P) {
	s.lock.Lock()
	low, high := s.pidleget(s.nanotime()), s.pidleget(s.nanotime())
	s.lock.Unlock()
	if low.id > high.id {
		low, high = high, low
	}
	m = &M{s: s}
	m.acquirep(low)
	return m, high
}

// giveBack undoes twoPs.
func giveBack(m *M, other *P) {
	s := m.s
	if m.spinning {
		m.spinning = false
		s.nmspinning.Add(-1)
	}
	s.lock.Lock()
	if m.p != nil {
		m.releasep()
	}
	s.idlep(other, s.nanotime())
	s.lock.Unlock()
}

// TestSearchesWithdrawnP: a P that SetProcs has taken away no longer counts, but may hold tasks for as long as it runs one.
func TestSearchesWithdrawnP(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	hb.Enter()
	defer hb.Leave()
	m, other := twoPs(s)
	s.SetProcs(1)
	gp := m.findByStealing()
	_, ok := m.giveUp()
	searches := m.spinning
	giveBack(m, other)
	require.Nil(t, gp)
	require.True(t, ok)
	require.True(t, searches)
}

// TestPollsFirstAfterTheft: a worker that does not sleep, since each time there is something to be stolen, polls first: nobody else may do so.
func TestPollsFirstAfterTheft(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	hb.Enter()
	defer hb.Leave()
	m, other := twoPs(s)
	m.sleeps = manySleeps
	other.runq.put(newGs(1)[0])
	gp := m.findRunnable()
	giveBack(m, other)
	require.NotNil(t, gp)
	require.Zero(t, m.sleeps)
}

// TestPollsFirstAfterOffers is the same for what a parked task has offered in a Join.
func TestPollsFirstAfterOffers(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	p := &vainPoller{}
	_, err := s.Poller(func() (Poller, error) { return p, nil })
	require.NoError(t, err)
	const offers = 100
	run(t, s, func() {
		for range offers {
			var d door
			Join(d.wait, d.signal)
		}
	})
	if !hb.On { // with it Join offers nothing but makes tasks
		require.GreaterOrEqual(t, p.polls, offers/2, "some are found out of turn")
	}
}

// TestSearchIsNotCountedAsIdle: the time of a search in vain ends with it, not when its worker has read the clock before.
func TestSearchIsNotCountedAsIdle(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	hb.Enter()
	defer hb.Leave()
	m, other := twoPs(s)
	p := m.p
	gp := m.findFast() // reads the clock
	if gp == nil {
		gp = m.findByStealing()
	}
	searched := s.nanotime()
	_, ok := m.giveUp()
	idle, since := p.phase.now.Load()&3 == phaseIdle, p.phase.now.Load()>>2
	giveBack(m, other)
	require.Nil(t, gp)
	require.True(t, ok)
	require.True(t, idle)
	require.GreaterOrEqual(t, since, searched)
}
