package hchan

import (
	"slices"
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// Select: waiting for several channels at once. The same in Go: runtime/select.go, selectgo.
//
// It has two passes. The first locks nothing: it looks at each case, picks one of those that seem ready, and tries
// that alone. When none is, or the one picked no longer was, the second pass locks all channels, in the order of
// their addresses (so that two selects cannot wait for each other), looks again, and, if still none is ready, puts a
// sudog into the queue of each and parks; the stack that continues releases the locks. The runtime has the second
// pass only.
//
// The first is sound for Select: what it picks at random it does at one moment, under that channel's lock. That
// nothing is ready is another matter, for one case may become ready when it has just been looked at, and another
// cease to be: Default is chosen only with all locks held, or if there is one channel only. SelectOrdered, too, must know
// of all cases before the one that it takes that they were not ready then.

// Select waits until one of cases can go ahead, does it, and returns its index. If several can, each is as likely
// as the others; if none can, Default is chosen if it is among cases. It blocks for ever if no case ever can, which is
// so with none at all. A channel may be in several cases, with sends and with receives. It panics with "send on closed
// channel" as a send does. It allocates nothing but what OnDone tells of.
func Select(cases ...Case) (chosen int) {
	if hb.On {
		cases = slices.Clone(cases) // as by the user, who may write to them when we are through
		hb.Enter()
		defer hb.Leave()
	}
	return selectgo(hide(cases), false)
}

// SelectOrdered is Select, but of several cases that can go ahead it takes the first, in the order given.
// Go's select has no such form.
func SelectOrdered(cases ...Case) (chosen int) {
	if hb.On {
		cases = slices.Clone(cases) // as by the user, who may write to them when we are through
		hb.Enter()
		defer hb.Leave()
	}
	return selectgo(hide(cases), true)
}

// hide keeps escape analysis from following cases into the calls of interfaces: nothing of a Case is kept after
// Select has returned, and none of its pointers into the caller's stack is stored outside that stack. No call that could move the stack may stand
// between the two conversions: with -race, -msan, -asan or -d=checkptr the compiler would insert the checks of unsafe.Pointer and unsafe.Slice
// there, at whose beginning the stack may grow or, for the collector, shrink.
//
//go:nocheckptr
func hide(cases []Case) []Case {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(cases)))
	return unsafe.Slice(*(**Case)(unsafe.Pointer(&at)), len(cases))
}

// selectgo is both selects.
func selectgo(cases []Case, ordered bool) (chosen int) {
	pick, found := picker{ordered: ordered}, survey{other: -1}
	for i := range cases {
		found.add(cases, i)
		if cases[i].seemsReady() && pick.wants() {
			pick.at = i
		}
	}
	if i := pick.at; pick.n > 0 && (!ordered || i == found.first) && cases[i].try() {
		return i
	}
	switch {
	case found.other < 0 && found.channels+found.done == 0:
		forever(sched.WaitReasonSelectNoCases)
	case found.other >= 0 && found.channels <= 1 && pick.n == 0:
		if i := otherwise(cases, found); !ordered || i == found.other {
			return i
		} // else the channel may have become ready before that context
	}
	return selectAll(cases, ordered, found)
}

// otherwise chooses Default after no channel was ready. Contexts are looked at now: one that is done stays so, hence if
// none is, none was when the channels were looked at.
func otherwise(cases []Case, found survey) (chosen int) {
	giveWay()
	if found.done > 0 {
		for i := range cases {
			if cases[i].kind == caseDone && cases[i].isDone() {
				return i
			}
		}
	}
	return found.other
}

// survey is what a first look at all cases tells.
type survey struct {
	channels int // cases with a channel
	done     int // cases of OnDone that can come true
	first    int // the first case that can ever be ready
	other    int // the index of Default; -1: there is none
}

func (s *survey) add(cases []Case, i int) {
	switch cases[i].kind {
	case caseSend, caseRecv:
		c := cases[i].c
		if c == nil {
			return
		}
		if c.elems == nil {
			panic("hchan: Select on a Chan that Make has not made")
		}
		s.channels++
	case caseDone:
		if cases[i].done() == nil {
			return
		}
		s.done++
	case caseDefault:
		if s.other >= 0 {
			panic("hchan: multiple defaults in select")
		}
		s.other = i
		return
	default:
		return
	}
	if s.channels+s.done == 1 {
		s.first = i
	}
}

// picker chooses one of the ready cases as they come by: the first, or one at random, each as likely as the others.
// The k-th one takes the place of the one before with probability 1/k (reservoir sampling).
type picker struct {
	ordered bool
	n       uint32 // ready cases so far
	at      int    // the one chosen
	random  uint64
}

// wants reports whether the next ready case is to be the one chosen.
func (p *picker) wants() bool {
	p.n++
	if p.n == 1 {
		return true
	}
	if p.ordered {
		return false
	}
	if p.n == 2 {
		p.random = sched.Rand()
	} else { // one step of a 64-bit linear congruential generator (Donald Knuth, MMIX), of which the upper bits are good
		p.random = p.random*6364136223846793005 + 1442695040888963407
	}
	return (p.random>>32)*uint64(p.n)>>32 == 0
}

// giveWay ends a call that has not parked.
func giveWay() {
	if sched.Preempting() {
		sched.GiveWay()
	}
}

// try does the case if it is ready, under its channel's lock alone.
func (cs *Case) try() bool {
	if cs.kind == caseDone {
		giveWay()
		return true // it seemed so, and that does not change
	}
	c := cs.c
	c.lock.Lock()
	if cs.breaks() {
		c.lock.Unlock()
		panic(errSendClosed)
	}
	gp, did := cs.perform()
	c.lock.Unlock()
	if gp != nil {
		gp.Ready()
	}
	if did {
		giveWay()
	}
	return did
}

// breaks reports whether the case is a send on a closed channel. Needs lock.
func (cs *Case) breaks() bool {
	if cs.kind != caseSend {
		return false
	}
	if hb.On {
		hb.Read(cs.c.closing.Addr())
	}
	return cs.c.closed.load() != 0
}

// perform does the case, which does not break, if it is ready. Needs the lock of its channel. gp, if there is one, is
// to be made ready without the lock.
func (cs *Case) perform() (gp *sched.G, did bool) {
	if cs.kind == caseSend {
		return cs.c.elems.sendNow(cs.elem)
	}
	gp, ok, did := cs.c.elems.recvNow(cs.elem)
	if did {
		cs.setOK(ok)
	}
	return gp, did
}

// setOK tells the user whether what it has received was sent.
func (cs *Case) setOK(ok bool) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	if cs.ok != nil {
		*cs.ok = ok
	}
}

// seemsReady reports whether the case was ready a moment ago.
func (cs *Case) seemsReady() bool {
	switch cs.kind {
	case caseSend, caseRecv:
		return cs.c != nil && cs.c.ready(cs.kind == caseSend)
	case caseDone:
		return cs.isDone()
	}
	return false
}

// ready reports whether a send, or else a receive, need not wait; without lock, whether that was so a moment ago.
func (c *hchan) ready(send bool) bool {
	if send {
		return c.qcount.load() < c.dataqsiz || c.closed.load() != 0 || c.recvq.waited()
	}
	return c.qcount.load() > 0 || c.closed.load() != 0 || c.sendq.waited() || c.timer && c.due()
}
