package hchan

import (
	"time"
	"unsafe"
	"weak"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// Timers whose time comes over a channel. The same in Go: time/sleep.go, Timer; time/tick.go; for the guarantees on
// Stop and Reset runtime/time.go, where t.isChan is set.

// Timer sends the time on C once its time is over. As since Go 1.23, nothing stale is ever received: after Stop or
// Reset has returned, C holds no time of before. C has room for that one time, but Len and Cap say 0.
// A Timer that nobody refers to any more is collected when its time comes.
type Timer struct {
	C *Chan[time.Time]
	t *ticking
}

// Ticker sends the time on C again and again. A tick for which C has no room, since the one before has not been
// received, is left out. A Ticker that nobody refers to any more is collected at its next tick, also if not stopped.
type Ticker struct {
	C *Chan[time.Time]
	t *ticking
}

// ticking is the machine of both. It must not keep its channel alive: the scheduler keeps ticking while the alarm is
// set, and what is only reachable from there is of no use to anybody. Lock order: the channel's lock, then those of the
// scheduler's timers.
type ticking struct {
	alarm sched.Alarm
	s     *sched.Scheduler
	c     weak.Pointer[Chan[time.Time]]

	// Guarded by the channel's lock.
	seq    uint64 // of the setting that counts
	armed  bool   // it is to send yet
	period time.Duration
}

// After returns a channel on which the time is sent after d. The same in Go: time/sleep.go, After.
func After(d time.Duration) *Chan[time.Time] { return NewTimer(d).C }

// NewTimer returns a Timer that sends after d, at once if d <= 0. It runs on the calling task's scheduler, on Default
// from a plain goroutine; once that has closed nothing is sent any more.
func NewTimer(d time.Duration) *Timer {
	c, t := newTicking()
	t.set(c, d, 0)
	return &Timer{c, t}
}

// NewTicker returns a Ticker that sends every d. It panics with "non-positive interval for NewTicker" if d <= 0.
func NewTicker(d time.Duration) *Ticker {
	if d <= 0 {
		panic("non-positive interval for NewTicker")
	}
	c, t := newTicking()
	t.set(c, d, d)
	return &Ticker{c, t}
}

// Stop makes the Timer not send, and reports whether it prevented that: false means that its time has been received
// already or that it was stopped before. It does not close C.
func (t *Timer) Stop() bool {
	if t.t == nil {
		panic("hchan: Stop called on uninitialized Timer")
	}
	return t.t.stop(t.C)
}

// Reset makes the Timer send after d from now on, and reports whether it was to send yet, as Stop does.
func (t *Timer) Reset(d time.Duration) bool {
	if t.t == nil {
		panic("hchan: Reset called on uninitialized Timer")
	}
	return t.t.set(t.C, d, 0)
}

// Stop makes the Ticker send no more. It does not close C.
func (t *Ticker) Stop() {
	if t.t != nil { // as that of package time, which says nothing either
		t.t.stop(t.C)
	}
}

// Reset makes the Ticker send every d, the first time d from now. It panics with "non-positive interval for
// Ticker.Reset" if d <= 0.
func (t *Ticker) Reset(d time.Duration) {
	if d <= 0 {
		panic("non-positive interval for Ticker.Reset")
	}
	if t.t == nil {
		panic("hchan: Reset called on uninitialized Ticker")
	}
	t.t.set(t.C, d, d)
}

func newTicking() (*Chan[time.Time], *ticking) {
	c := Make[time.Time](1)
	c.timer = true
	t := &ticking{s: sched.Current(), c: weak.Make(c)}
	t.alarm.Init(t.s, t.fire)
	return c, t
}

// set replaces the setting, and reports whether the one before had yet to be received.
func (t *ticking) set(c *Chan[time.Time], d, period time.Duration) (was bool) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	c.lock.Lock()
	was = c.discard() || t.armed
	t.armed, t.period = true, period
	t.seq, _ = t.alarm.Set(d, period)
	c.lock.Unlock()
	giveWay()
	return was
}

// stop ends the setting; it reports what set does.
func (t *ticking) stop(c *Chan[time.Time]) (was bool) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	c.lock.Lock()
	was = c.discard() || t.armed
	t.armed, t.seq = false, 0
	t.alarm.Stop()
	c.lock.Unlock()
	giveWay()
	return was
}

// fire is called when a setting's time is over: maybe one that has been replaced meanwhile.
func (t *ticking) fire(seq uint64, _ int64) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	c := t.c.Value()
	if c == nil {
		t.alarm.Stop() // a ticker that nobody can see
		return
	}
	now := t.s.Now()
	var gp *sched.G
	c.lock.Lock()
	if t.armed && seq == t.seq && c.closed.load() == 0 {
		t.armed = t.period > 0
		gp, _ = c.sendNow(unsafe.Pointer(&now))
	}
	c.lock.Unlock()
	if gp != nil {
		gp.Ready()
	}
}

// discard empties the buffer, and reports whether there was something in it. Needs lock.
func (c *Chan[T]) discard() (was bool) {
	for ; c.qcount.load() > 0; was = true {
		c.wipe(c.head())
	}
	return was
}
