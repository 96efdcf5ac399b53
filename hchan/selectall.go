package hchan

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// The second pass of a select: all channels locked. The same in Go: runtime/select.go, selectgo, sellock, selunlock,
// selparkcommit.

// selection is a select that has come to its second pass: one entry for each case that can ever be ready, in the
// order of the channels' addresses. It is pooled, and lies on the heap because the commit that releases the locks
// reads it from another stack.
type selection struct {
	gp      *sched.G // whose it is, while it waits
	at      []entry
	bridges []bridge          // of the contexts of OnDone; behind its end lie spare ones
	dones   []<-chan struct{} // of the contexts, for over
	few     [8]entry          // what at begins as
}

// entry is one case in a selection.
type entry struct {
	c    *hchan          // nil for a context that is only looked at
	done <-chan struct{} // of a context
	sg   *sudog          // while the select waits
	i    int             // the index of the case
	send bool
}

var selections = sync.Pool{New: func() any { return new(selection) }}

// selectAll is the second pass.
func selectAll(cases []Case, ordered bool, found survey) (chosen int) {
	sel := selections.Get().(*selection)
	sel.fill(cases, found.other < 0)
	sel.lock()
	for {
		k := sel.pick(ordered)
		if k < 0 {
			break
		}
		e := &sel.at[k]
		if i, gp, did := sel.perform(cases, e); did {
			sel.end()
			if gp != nil {
				gp.Ready()
			}
			if hb.On && cases[i].kind == caseDone {
				cases[i].isDone() // the user knows now that it is
			}
			giveWay()
			return i
		}
	}
	if found.other >= 0 {
		sel.end()
		giveWay()
		return found.other
	}
	if !ordered {
		sel.mix()
	}
	return sel.wait(cases)
}

// end ends a selection that holds the locks.
func (sel *selection) end() {
	sel.unlock()
	sel.free()
}

// fill enters the cases. A context, if the select may wait, becomes a channel that is closed when it is done. That comes late, by way of a
// goroutine; so pick asks the context itself, and for one that is done already, or a select with Default, there is no such channel.
func (sel *selection) fill(cases []Case, wait bool) {
	sel.at = sel.few[:0]
	for i := range cases {
		cs := &cases[i]
		switch {
		case cs.kind == caseDone:
			e := entry{done: cs.done(), i: i}
			if e.done == nil {
				continue
			}
			if wait && !isClosed(e.done) {
				e.c = sel.bridge(cs, e.done)
			}
			sel.at = append(sel.at, e)
		case cs.c != nil:
			sel.at = append(sel.at, entry{c: cs.c, i: i, send: cs.kind == caseSend})
		}
	}
	if len(sel.at) > len(sel.few) {
		slices.SortFunc(sel.at, func(a, b entry) int { return cmp.Or(cmp.Compare(a.address(), b.address()), a.i-b.i) })
		return
	}
	for i := 1; i < len(sel.at); i++ { // insertion sort
		for j := i; j > 0 && sel.at[j].address() < sel.at[j-1].address(); j-- {
			sel.at[j], sel.at[j-1] = sel.at[j-1], sel.at[j]
		}
	}
}

func (e *entry) address() uintptr { return uintptr(unsafe.Pointer(e.c)) }

// lock locks each channel once.
func (sel *selection) lock() {
	for i := range sel.at {
		if c := sel.at[i].c; c != nil && (i == 0 || c != sel.at[i-1].c) {
			c.lock.Lock()
		}
	}
}

// unlock releases all. After the last release it reads nothing of sel: it may be in other hands.
func (sel *selection) unlock() {
	at := sel.at
	for i := range at {
		if c := at[i].c; c != nil && (i+1 == len(at) || at[i+1].c != c) {
			c.lock.Unlock()
		}
	}
}

// pick returns an entry that is ready, -1 if there is none. Needs the locks.
func (sel *selection) pick(ordered bool) int {
	if ordered {
		return sel.first()
	}
	var p picker
	for k := range sel.at {
		if sel.at[k].ready() && p.wants() {
			p.at = k
		}
	}
	if p.n == 0 {
		return -1
	}
	return p.at
}

// first is pick for SelectOrdered: the entries are in another order than the cases. No lock keeps a context from ending meanwhile. So it looks
// again at what comes before the one that it has found, until that one is the first of those ready: at the beginning of its last round.
func (sel *selection) first() int {
	found := -1
	for again := true; again; {
		again = false
		for k := range sel.at {
			if e := &sel.at[k]; (found < 0 || e.i < sel.at[found].i) && e.ready() {
				found, again = k, true
			}
		}
	}
	return found
}

// ready reports whether the case of e is. Needs the locks.
func (e *entry) ready() bool {
	if e.done != nil {
		return isClosed(e.done)
	}
	return e.c.ready(e.send)
}

// isClosed reports whether done, of a context, is closed: a look of ours, of which the user knows nothing.
func isClosed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// mix brings the entries of each channel into random order: that is how they are queued, and the first of them is served.
func (sel *selection) mix() {
	first := 0 // of the channel of entry k
	for k := 1; k < len(sel.at); k++ {
		if sel.at[k].c != sel.at[first].c {
			first = k
			continue
		}
		j := first + int(sched.Rand()>>32*uint64(k-first+1)>>32)
		sel.at[j], sel.at[k] = sel.at[k], sel.at[j]
	}
}

// perform does the case of e, if it is ready in truth: a waiter that is being unwound may have made it seem so, and is then
// out of the way. It needs the locks, and releases them if it panics.
func (sel *selection) perform(cases []Case, e *entry) (chosen int, gp *sched.G, did bool) {
	cs := &cases[e.i]
	if cs.kind == caseDone {
		return e.i, nil, true
	}
	if cs.breaks() {
		sel.end()
		panic(errSendClosed)
	}
	gp, did = cs.perform()
	return e.i, gp, did
}

// wait parks until a case goes ahead, and does what is left of it. Needs the locks.
func (sel *selection) wait(cases []Case) (chosen int) {
	gp := sched.Self()
	sel.gp = gp
	for k := range sel.at {
		e := &sel.at[k]
		if e.send {
			e.sg = e.c.elems.sender(gp, cases[e.i].elem)
		} else {
			e.sg = e.c.elems.receiver(gp)
			if e.c.timer {
				e.c.arm()
			}
		}
		if len(sel.dones) > 0 && cases[e.i].kind != caseDone {
			e.sg.who, e.sg.watched = unsafe.Pointer(sel), true
		}
		if hb.On {
			e.sg.user = hb.User()
		}
	}
	awake := gp.Park(sched.WaitReasonSelect, selparkcommit, unsafe.Pointer(sel))
	k := sel.leave()
	if !awake {
		sel.free()
		runtime.Goexit()
	}
	e := sel.at[k]
	sel.free()
	cs := &cases[e.i]
	switch {
	case cs.kind == caseDone:
		if hb.On {
			cs.isDone() // the user knows now that it is
		}
	case e.sg.success && e.send:
		e.c.elems.fetch(e.sg, nil)
	case e.sg.success:
		e.c.elems.fetch(e.sg, cs.elem)
		cs.setOK(true)
	case e.send:
		e.c.elems.drop(e.sg)
		panic(errSendClosed)
	default:
		e.c.elems.drop(e.sg)
		if hb.On {
			hb.Acquire(e.c.closing.Addr())
		}
		e.c.elems.clear(cs.elem)
		cs.setOK(false)
	}
	return e.i
}

// selparkcommit releases the locks when the select has left its stack.
func selparkcommit(_ *sched.G, arg unsafe.Pointer) bool {
	(*selection)(arg).unlock()
	return true
}

// leave takes all sudogs out of the queues and frees those that were not woken. It returns the entry whose was; -1 if
// none, because the select is being unwound. Having had each lock it knows that unlock is done with sel.
func (sel *selection) leave() (woken int) {
	woken = -1
	for k := range sel.at {
		e := &sel.at[k]
		e.c.lock.Lock()
		if sg := e.sg; sg.success || sg.closed {
			woken = k
		} else {
			if sg.queued {
				e.c.queue(e.send).remove(sg)
				if e.c.timer {
					e.c.disarm()
				}
			}
			e.c.elems.drop(sg)
		}
		e.c.lock.Unlock()
	}
	return woken
}

// queue returns where those wait who want to send, or else to receive.
func (c *hchan) queue(send bool) *waitq {
	if send {
		return &c.sendq
	}
	return &c.recvq
}

// free forgets the contexts and puts sel back into the pool.
func (sel *selection) free() {
	sel.unbridge()
	clear(sel.at)
	sel.at, sel.gp = nil, nil
	selections.Put(sel)
}
