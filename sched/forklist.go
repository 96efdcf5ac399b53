package sched

import (
	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/fence"
	"github.com/userrt/userrt/internal/procyield"
	"github.com/userrt/userrt/internal/rawlock"
)

// How thieves find what is on offer: a list of all queues that may hold something. A queue is entered at
// a push and stays, empty or not, until thieves have found it empty several times: a task that forks all
// the time looks at a flag, no more. The runtime has nothing like it.
//
// Order. The owner stores bottom, then loads listed; who takes a queue out stores listed, then loads
// bottom. As in forkq the second pays for both fences; without that service the owner's store is one.
type forkList struct {
	n    atom.Uint32 // entries; written under lock
	lock rawlock.Mutex
	head *forkq // lock guards the list, and link and misses of its entries
	tail *forkq
}

const (
	// Visits to an empty queue before it is taken out, which takes a fence. With 8, each of many short loops pays for
	// one; with 32, thieves look at more queues that stay empty.
	forkMisses = 16

	// Visits to a loop of which nothing is left before one takes the fence and moves top past it, so that thieves can
	// sleep: with forkPause each, about what a dear fence takes.
	forkInVain = 64

	forkVisits   = 64   // visits of one find: with many parked tasks the list may be long
	forkPause    = 30   // processor pauses that a thief lets pass, about 1 µs: see stealFork
	maxForkSkips = 1023 // see wakeThief
)

// pushed is the rest of push where the queue was empty, or where the owner takes the lock in any case.
func (q *forkq) pushed(i uint32) {
	if q.limit.Load() == noLimit {
		q.bottom.Store(i + 1) // a full fence
	}
	q.epoch.StoreRel(q.epoch.Load() + 1)
	q.gp.StoreRel(q.st.g)
	s := q.st.m.s
	if q.listed.Load() == 0 {
		s.forks.add(q)
	}
	if s.npidle.Load() != 0 && s.nmspinning.Load() == 0 {
		q.wakeThief(s)
	}
}

// wakeThief wakes a searcher, unless that has turned out futile lately: if nothing was stolen here since
// the last time, twice as many occasions as before are let pass. sysmon looks after what lies for long.
func (q *forkq) wakeThief(s *Scheduler) {
	if q.skip > 0 {
		q.skip--
		return
	}
	if n := q.steals.Load(); n != q.seen {
		q.seen, q.backed = n, 0
	} else {
		q.backed = min(2*q.backed+1, maxForkSkips)
	}
	q.skip = q.backed
	s.wakep()
}

// add enters q.
func (l *forkList) add(q *forkq) {
	l.lock.Lock()
	if q.listed.Load() == 0 {
		q.listed.Store(1)
		q.misses = 0
		l.append(q)
		l.n.Store(l.n.Load() + 1)
	}
	l.lock.Unlock()
}

func (l *forkList) append(q *forkq) {
	q.link = nil
	if l.tail == nil {
		l.head = q
	} else {
		l.tail.link = q
	}
	l.tail = q
}

// visible reports whether anything is on offer.
func (l *forkList) visible() bool {
	if l.n.Load() == 0 {
		return false
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	for q := l.head; q != nil; q = q.link {
		if !q.empty() {
			return true
		}
	}
	return false
}

// lying is visible for sysmon: has a queue held something since the last look all the time?
func (l *forkList) lying() (long, any bool) {
	if l.n.Load() == 0 {
		return false, false
	}
	l.lock.Lock()
	for q := l.head; q != nil; q = q.link {
		e := q.epoch.Load()
		queued := !q.empty()
		long = long || queued && q.sysQueued && e == q.sysEpoch
		any = any || queued
		q.sysEpoch, q.sysQueued = e, queued
	}
	l.lock.Unlock()
	return long, any
}

// find returns a queue that is not empty, nil if it has met none; if parked, only one whose task waits. It
// visits a few, the next call the next ones.
func (l *forkList) find(parked bool) *forkq {
	if l.n.Load() == 0 || !l.lock.TryLock() {
		return nil
	}
	var found, old *forkq
	for range min(l.n.Load(), forkVisits) {
		q := l.head
		if l.head = q.link; l.head == nil {
			l.tail = nil
		}
		if !q.empty() {
			q.misses = 0
		} else if q.misses++; q.misses >= forkMisses {
			q.link, old = old, q
			continue
		}
		l.append(q)
		if q.misses == 0 && (!parked || q.parked()) {
			found = q
			break
		}
	}
	if old != nil {
		l.remove(old)
	}
	l.lock.Unlock()
	return found
}

// remove takes out those of old that are really empty. Needs lock.
func (l *forkList) remove(old *forkq) {
	for q := old; q != nil; q = q.link {
		q.listed.Store(0)
	}
	fenced := fence.Heavy() || !fence.Ready()
	for q := old; q != nil; {
		next := q.link
		q.misses = 0
		if fenced && q.empty() {
			q.link = nil
			l.n.Store(l.n.Load() - 1)
		} else {
			q.listed.Store(1) // add waits for lock, and then sees this
			l.append(q)
		}
		q = next
	}
}

// parked reports whether the task of q, which is not empty, waits for something; a guess.
func (q *forkq) parked() bool {
	gp := q.gp.Load()
	return gp != nil && gp.state.Load() == gWaiting
}

// stealFork takes a piece of work that a task has offered, nil if there is none. A queue that becomes
// empty and full again within a moment holds work that is smaller than a steal, and is left alone.
func (m *M) stealFork() *G {
	q := m.s.forks.find(false)
	if q == nil {
		return nil
	}
	if !q.parked() {
		e := q.epoch.Load()
		procyield.Pause(forkPause)
		if q.epoch.Load() != e {
			return nil
		}
	}
	return q.steal(m.p)
}

// stealParked is stealFork for a P that has other tasks, and looks now and then for what a parked one has
// offered: it may wait for just that, and nobody else may have the time.
func (p *P) stealParked() *G {
	if q := p.s.forks.find(true); q != nil {
		return q.steal(p)
	}
	return nil
}
