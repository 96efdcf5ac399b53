package hchan

import (
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// What is behind a Timer and a Ticker. The same in Go: runtime/time.go, where t.isChan is set: maybeRunChan, blockTimerChan,
// unblockTimerChan.
//
// A timer that runs is but a time in a word. Who wants to receive looks at the clock first, and if the time is over takes it. Only while somebody
// waits is there an alarm in the scheduler's heap. So a timer is never late for a task that has been busy, and one that was
// dropped is garbage at once. A time that is over and has not been received is not in a buffer either: Stop and Reset, which write another time
// into the word, leave nothing stale.

// timerChan is the channel of a Timer or Ticker.
type timerChan struct {
	Chan[time.Time] // first: a pointer to a timerChan is one to its Chan
	t               *ticking
}

// ticking is the machine of both. Lock order: the channel's lock, then those of the scheduler's timers.
type ticking struct {
	alarm   sched.Alarm
	s       *sched.Scheduler
	setting hb.Word // for the race detector: set, and then each receive of a time

	// c is the channel while the alarm is set, else nil: the scheduler may keep the alarm for long, and shall not keep the channel.
	c atomic.Pointer[timerChan]

	// when is the time that is received next, on the scheduler's clock; 0: there is none. Written under the channel's lock.
	when atomic.Int64

	// Guarded by the channel's lock.
	seq    uint64 // of the alarm; 0: it is not set
	period int64  // of a Ticker
}

func newTicking() (*Chan[time.Time], *ticking) {
	t := &ticking{s: sched.Current()}
	t.alarm.Init(t.s, t.fire)
	c := &timerChan{t: t}
	c.timer, c.elems = true, &c.Chan
	return &c.Chan, t
}

// ticking returns the machine behind c, a timer's channel.
func (c *hchan) ticking() *ticking { return (*timerChan)(unsafe.Pointer(c)).t }

// set replaces the setting, and reports whether the one before had yet to be received. Who waits goes on waiting, for the new time.
func (t *ticking) set(c *Chan[time.Time], d, period time.Duration) (was bool) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	c.lock.Lock()
	if hb.On {
		hb.Release(t.setting.Addr())
	}
	was = t.when.Load() != 0
	t.when.Store(later(t.s.Nanotime(), int64(max(d, 0))))
	t.period = int64(period)
	if c.recvq.first != nil {
		t.begin(&c.hchan)
	} else {
		t.end() // still set for one to whom a Send of the user's has given something
	}
	c.lock.Unlock()
	giveWay()
	return was
}

// stop ends the setting; it reports what set does. Who waits goes on waiting.
func (t *ticking) stop(c *Chan[time.Time]) (was bool) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	c.lock.Lock()
	was = t.when.Load() != 0
	t.when.Store(0)
	t.end()
	c.lock.Unlock()
	giveWay()
	return was
}

// later adds d, which is not negative, to a time; what is too large is the largest, and nothing is 0.
func later(now, d int64) int64 {
	if d > math.MaxInt64-now {
		return math.MaxInt64
	}
	return max(now+d, 1)
}

// due reports, without lock, whether a receive on c, a timer's channel, need not wait for the time. While somebody waits the alarm is set, and
// what it brings is his, whatever the clock says: first come, first served.
func (c *hchan) due() bool {
	t := c.ticking()
	when := t.when.Load()
	return when != 0 && !c.recvq.waited() && when <= t.s.Nanotime()
}

// tick takes the time, of a timer's channel, if it is due. Needs lock.
func (c *hchan) tick() (at time.Time, due bool) {
	if !c.due() {
		return at, false
	}
	t := c.ticking()
	if hb.On {
		t.received(hb.User())
	}
	return t.take(), true
}

// take returns the time that is over, as that was, and goes on to the next one. Needs lock.
func (t *ticking) take() time.Time {
	when, now := t.when.Load(), t.s.Nanotime()
	next := int64(0)
	if t.period > 0 {
		next = later(when, t.period*((now-when)/t.period))
		next = later(next, t.period)
	}
	t.when.Store(next)
	return t.s.Now().Add(time.Duration(when - now))
}

// received states the edges of a receive by user.
func (t *ticking) received(user hb.Ctx) {
	user.Acquire(t.setting.Addr())
	user.Release(t.setting.Addr())
}

// ticked is tick for who receives a T, which is a time.Time then.
func (c *Chan[T]) ticked() (v T, due bool) {
	at, due := c.tick()
	if due {
		v = *any(&at).(*T)
	}
	return v, due
}

// tickInto is tick for a select.
func (c *Chan[T]) tickInto(elem unsafe.Pointer) (due bool) {
	at, due := c.tick()
	if due {
		put(elem, any(&at).(*T))
	}
	return due
}

// arm sets the alarm for who is going to wait in recvq, of a timer's channel. Needs lock.
func (c *hchan) arm() {
	if t := c.ticking(); t.seq == 0 && t.when.Load() != 0 {
		t.begin(c)
	}
}

// disarm ends the alarm, of a timer's channel, if nobody waits any more. Needs lock.
func (c *hchan) disarm() {
	if c.recvq.first == nil {
		c.ticking().end()
	}
}

// begin sets the alarm for when, which is not 0. Needs lock.
func (t *ticking) begin(c *hchan) {
	t.c.Store((*timerChan)(unsafe.Pointer(c)))
	t.seq, _ = t.alarm.Set(time.Duration(t.when.Load()-t.s.Nanotime()), 0)
}

// end ends the alarm. Needs lock.
func (t *ticking) end() {
	if t.seq != 0 {
		t.seq = 0
		t.alarm.Stop()
		t.c.Store(nil)
	}
}

// fire is the alarm's function: maybe that of a setting that has ended meanwhile. It serves the first who waits, and if all have just
// left, or are being unwound, leaves the time where it is.
func (t *ticking) fire(seq uint64, _ int64) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	c := t.c.Load()
	if c == nil {
		return
	}
	var gp *sched.G
	c.lock.Lock()
	if seq == t.seq {
		t.seq = 0
		// It is not over if the one for which the alarm was set has been taken, after a user's own Send had sent away who waited.
		if when := t.when.Load(); when != 0 && when <= t.s.Nanotime() {
			if sg := c.recvq.dequeue(); sg != nil {
				gp = t.serve(&c.Chan, sg)
			}
		}
		if c.recvq.first != nil && t.when.Load() != 0 {
			t.begin(&c.hchan)
		} else {
			t.c.Store(nil)
		}
	}
	c.lock.Unlock()
	if gp != nil {
		gp.Ready()
	}
}

// serve gives the time that is over to sg, who has waited; gp is to be made ready without lock. Needs lock.
func (t *ticking) serve(c *Chan[time.Time], sg *sudog) (gp *sched.G) {
	gp = sg.g()
	whole[time.Time](sg).elem = t.take()
	sg.success = true
	if hb.On {
		t.received(sg.user)
	}
	return gp
}
