package sched

import "github.com/userrt/userrt/internal/hb"

// Whether tasks that clash get on better on one P is tried out where it does not follow from how often they clash: on a channel two workers are slow because what it
// consists of moves from cache to cache, of which few clashes tell, while with enough work between two operations they are still faster than one.
//
//	watch ---- clashes on one thing, often ----> spread ---- trialNS, how fast? ----> kept ---- till is over, and they clash again: faster?
//	  ^                                                                                |  yes: spread, and then kept for twice as long
//	  +---- much time without, another thing ------------------------------------------+  no: watch, but not for a pause
//
// What is compared is how many operations the thing, which counts them, has had in a nanosecond, on all Ps together.

// trial is a P's trial. It belongs to its worker.
type trial struct {
	stage uint8
	n     uint32  // clashes
	since int64   // when the last trialBatch of them began, ns
	thing uintptr // on what they were
	ops   uint32  // what it had counted when the stage began
	at    int64   // when that was, ns
	rate  float64 // operations a ns in the last stage spread
	pause int64   // how long nothing was tried after the last failure, ns
	until int64   // until when, ns
}

const (
	trialWatch = iota
	trialSpread
	trialKept
)

// A trial begins when trialBatch clashes have come at a rate of one in trialClashNS or more. Two workers that do nothing but send and receive clash every 2 to 4 µs.
const (
	trialBatch   = 8
	trialClashNS = 5_000
	trialNS      = 200_000
	trialWorth   = 1.1 // how much faster they must be
	minPauseNS   = 16_000_000
	maxPauseNS   = 1_000_000_000
)

// ClashedOn is like Clashed, but lets nobody past: for what is held for so short that clashes tell little. thing is its address, ops how many operations
// it has had; that may wrap around.
//
//go:noinline
func ClashedOn(thing uintptr, ops uint32) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	p, keep := noteClash()
	if !keep {
		return
	}
	t := &p.trial
	if t.n++; t.n%trialBatch == 0 {
		p.tryKeeping(p.s.nanotime(), thing, ops)
	}
}

// tryKeeping takes the trial a step further, trialBatch clashes after the last one.
func (p *P) tryKeeping(now int64, thing uintptr, ops uint32) {
	t, c := &p.trial, &p.clashes
	often := now-t.since <= trialBatch*trialClashNS
	t.since = now
	if t.thing != thing {
		t.stage, t.thing = trialWatch, thing
	}
	p.countRuns()
	took := now - t.at
	switch {
	case t.stage == trialKept && now < c.last:
		return
	case t.stage == trialKept && took < 4*c.ns:
		if float64(ops-t.ops) < trialWorth*t.rate*float64(took) {
			t.pause = min(max(2*t.pause, minPauseNS), maxPauseNS)
			t.until = now + t.pause
			t.stage = trialWatch
			c.ns = 0
			return
		}
		t.pause = 0
		t.stage = trialSpread
	case t.stage == trialSpread && took < 4*trialNS:
		if took < trialNS {
			return
		}
		t.rate = float64(ops-t.ops) / float64(took)
		t.stage = trialKept
		p.keep(now)
	case often && now >= t.until:
		t.stage = trialSpread
	default:
		t.stage = trialWatch
		return
	}
	t.ops, t.at = ops, now
}
