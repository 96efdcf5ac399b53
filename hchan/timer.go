package hchan

import "time"

// Timers whose time comes over a channel. The same in Go: time/sleep.go, Timer; time/tick.go; ticking.go has what is behind them.

// Timer sends the time on C once its time is over. As since Go 1.23, nothing stale is ever received: after Stop or
// Reset has returned, C holds no time of before; and C has no buffer. A Timer costs nothing but its memory while nobody waits for it, and
// one that nobody refers to any more is collected, be it running or not.
type Timer struct {
	C *Chan[time.Time]
	t *ticking
}

// Ticker sends the time on C again and again. A tick that comes while the one before has not been received is left out. A
// Ticker that nobody refers to any more is collected, also if not stopped.
type Ticker struct {
	C *Chan[time.Time]
	t *ticking
}

// After returns a channel on which the time is sent after d. The same in Go: time/sleep.go, After.
func After(d time.Duration) *Chan[time.Time] { return NewTimer(d).C }

// NewTimer returns a Timer that sends after d, at once if d <= 0: the time at which it was over, also if that is received later. It
// runs on the calling task's scheduler, on Default from a plain goroutine; once that has closed it wakes nobody any more.
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
