//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"net"
	"time"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/sched"
)

// Deadlines: for each direction an alarm on the scheduler's timers. A descriptor that never had one pays a
// nil pointer; one whose deadline is far off pays nothing when it reads.
//
//	none ---- set, in future ----> running ---- the alarm ----> expired
//	 ^                              |  |  ^                      |  |
//	 +---------- cleared -----------+  +--+ set anew             |  |
//	 +---------- cleared ----------------------------------------+  |
//	                                running <---- set, in future ---+
//	any ---- set, in the past ----> expired
//
// Invariants:
//
//	D1  stopExpired is set in pollDesc.stop exactly while the direction is expired.
//	D2  seq is that of the alarm's setting while running, else 0. So the call of an alarm that has been replaced
//	    meanwhile, maybe by the next owner of the pollDesc, is known for what it is.
//	D3  both change under lock only, and whoever sets stopExpired then wakes the direction's word.
//
// Lock order: lock, then the timers' and the scheduler's.
//
// The same in Go: runtime/netpoll.go, poll_runtime_pollSetDeadline, netpolldeadlineimpl; internal/poll/fd_poll_runtime.go, setDeadlineImpl.
type deadlines struct {
	pd   *pollDesc
	lock rawlock.Mutex
	dir  [2]struct {
		alarm sched.Alarm
		seq   uint64
	}
}

// Which deadlines are meant: a set of directions.
const (
	forReading = 1 << reading
	forWriting = 1 << writing
)

// setDeadline sets f's deadlines for the directions named, in words of package net: the zero time is none.
// Error: net.ErrClosed.
func (f *pollFD) setDeadline(t time.Time, which uint) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if !f.mu.incref() {
		return net.ErrClosed
	}
	defer f.decref()
	if f.pd.closed() { // its poller is
		return net.ErrClosed
	}
	var after time.Duration
	if !t.IsZero() {
		after = clock.Until(t)
	} else if f.pd.deadlines.Load() == nil {
		return nil
	}
	dl := f.pd.needDeadlines()
	for _, d := range []direction{reading, writing} {
		if which&(1<<d) != 0 && dl.set(d, t.IsZero(), after) {
			f.pd.word(d).wake()
		}
	}
	giveWay()
	return nil
}

// needDeadlines returns pd's deadlines, which the first call makes.
func (pd *pollDesc) needDeadlines() *deadlines {
	if dl := pd.deadlines.Load(); dl != nil {
		return dl
	}
	dl := &deadlines{pd: pd}
	dl.dir[reading].alarm.Init(pd.p().s, func(seq uint64, _ int64) { dl.fire(reading, seq) })
	dl.dir[writing].alarm.Init(pd.p().s, func(seq uint64, _ int64) { dl.fire(writing, seq) })
	if !pd.deadlines.CompareAndSwap(nil, dl) {
		return pd.deadlines.Load()
	}
	return dl
}

// set gives d a new deadline, none or so long from now, and reports whether it is over already: then the
// caller wakes d's word.
func (dl *deadlines) set(d direction, none bool, after time.Duration) (expired bool) {
	x := &dl.dir[d]
	dl.lock.Lock()
	defer dl.lock.Unlock()
	if !none && after > 0 {
		dl.pd.stop.And(^uint32(stopExpired << d))
		x.seq, _ = x.alarm.Set(after, 0)
		return false
	}
	if x.seq != 0 {
		x.alarm.Stop()
		x.seq = 0
	}
	if none {
		dl.pd.stop.And(^uint32(stopExpired << d))
		return false
	}
	dl.pd.stop.Or(stopExpired << d)
	return true
}

// fire is what d's alarm calls.
func (dl *deadlines) fire(d direction, seq uint64) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	x := &dl.dir[d]
	dl.lock.Lock()
	due := x.seq == seq
	if due {
		x.seq = 0
		dl.pd.stop.Or(stopExpired << d)
	}
	dl.lock.Unlock()
	if due {
		dl.pd.word(d).wake()
	}
}

// drop ends the deadlines of a descriptor that is about to be closed. Nothing of them reaches pd's next owner
// but, at worst, a wake-up for nothing.
func (pd *pollDesc) dropDeadlines() {
	dl := pd.deadlines.Load()
	if dl == nil {
		return
	}
	for _, d := range []direction{reading, writing} {
		dl.set(d, true, 0)
	}
}
