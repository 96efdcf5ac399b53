// What Go's semantics allow a program to do: all its outcomes, found by trying all interleavings of its operations,
// each of which is one step, and all choices of its selects. Channels are as in the language's specification, and their
// waiters are served first come, first served, as runtime/chan.go does.

package hchan

import (
	"fmt"
	"slices"
	"strings"
)

// An outcome is what each task has seen of each of its operations, and whether it then waits for ever.
// Results are these texts, from the model and from real runs.

func resRecv(v int, ok bool) string { return fmt.Sprintf("%d,%t", v, ok) }

func resTryRecv(v int, ok, received bool) string { return fmt.Sprintf("%d,%t,%t", v, ok, received) }

func resSelect(i int, got string) string { return fmt.Sprintf("case %d %s", i, got) }

const resDefault = "default"

func resPanic(text string) string { return "panic: " + text }

// outcome joins the tasks' results. A task whose last result is no panic and that has operations left waits.
func (p *program) outcome(logs [][]string) string {
	all := make([]string, len(logs))
	for t, log := range logs {
		all[t] = strings.Join(log, "; ")
		if n := len(log); n < len(p.tasks[t]) && (n == 0 || !strings.HasPrefix(log[n-1], "panic")) {
			all[t] += " waits"
		}
	}
	return strings.Join(all, " | ")
}

// witness is a way to an outcome: the tasks in the order in which they make their steps, and how likely it is
// that the selects on the way choose as they must.
type witness struct {
	steps  []int
	chance float64
}

// modelState is where a program is. Tasks that wait are in queues.
type modelState struct {
	chans []modelChan
	logs  [][]string
	waits []bool
}

type modelChan struct {
	buf          []int
	closed       bool
	recvq, sendq []modelWaiter
}

// modelWaiter is a task in a queue; i is the index of its case, -1 if it is in no select.
type modelWaiter struct{ task, i, v int }

// outcomes returns all outcomes with a witness each; ok is false if there are more than limit states.
func (p *program) outcomes(limit int) (all map[string]witness, ok bool) {
	m := &explorer{p: p, limit: limit, seen: map[string]bool{}, all: map[string]witness{}}
	m.explore(&modelState{
		chans: make([]modelChan, len(p.caps)),
		logs:  make([][]string, len(p.tasks)),
		waits: make([]bool, len(p.tasks)),
	}, nil, 1)
	return m.all, len(m.seen) <= limit
}

type explorer struct {
	p     *program
	limit int
	seen  map[string]bool
	all   map[string]witness
}

func (m *explorer) explore(s *modelState, steps []int, chance float64) {
	key := fmt.Sprintf("%v %q %v", s.chans, s.logs, s.waits)
	if m.seen[key] || len(m.seen) > m.limit {
		return
	}
	m.seen[key] = true
	rest := true
	for t := range m.p.tasks {
		if !m.p.canStep(s, t) {
			continue
		}
		rest = false
		next := append(slices.Clone(steps), t)
		o := &m.p.tasks[t][len(s.logs[t])]
		if o.kind != opSelect {
			n := s.clone()
			m.p.step(n, t, o, -1)
			m.explore(n, next, chance)
			continue
		}
		// Equal cases count as one that is so many times as likely.
		ready := m.p.readyCases(s, o)
		weight := map[int]int{}
		for _, i := range ready {
			weight[o.first(i)]++
		}
		for i := range o.cases {
			if w := weight[i]; w > 0 {
				n := s.clone()
				m.p.step(n, t, o, i)
				m.explore(n, next, chance*float64(w)/float64(len(ready)))
			}
		}
		if len(ready) == 0 {
			n := s.clone()
			m.p.step(n, t, o, -1)
			m.explore(n, next, chance)
		}
	}
	if rest {
		o := m.p.outcome(s.logs)
		if w, ok := m.all[o]; !ok || w.chance < chance {
			m.all[o] = witness{steps, chance}
		}
	}
}

func (s *modelState) clone() *modelState {
	n := &modelState{slices.Clone(s.chans), slices.Clone(s.logs), slices.Clone(s.waits)}
	for i := range n.chans {
		c := &n.chans[i]
		c.buf, c.recvq, c.sendq = slices.Clone(c.buf), slices.Clone(c.recvq), slices.Clone(c.sendq)
	}
	for i := range n.logs {
		n.logs[i] = slices.Clip(n.logs[i])
	}
	return n
}

func (p *program) canStep(s *modelState, t int) bool {
	n := len(s.logs[t])
	return !s.waits[t] && n < len(p.tasks[t]) && (n == 0 || !strings.HasPrefix(s.logs[t][n-1], "panic"))
}

func (p *program) ready(s *modelState, o *op) bool {
	if o.ch == noChan {
		return false
	}
	c := &s.chans[o.ch]
	if o.kind == opSend || o.kind == opTrySend {
		return c.closed || len(c.recvq) > 0 || len(c.buf) < p.caps[o.ch]
	}
	return c.closed || len(c.sendq) > 0 || len(c.buf) > 0
}

// readyCases returns the cases that a select may choose.
func (p *program) readyCases(s *modelState, o *op) (ready []int) {
	for i := range o.cases {
		if p.ready(s, &o.cases[i]) {
			ready = append(ready, i)
		}
	}
	if o.ordered && len(ready) > 1 {
		ready = ready[:1]
	}
	return ready
}

// step makes task t do o, a select's case i if there is one that is ready.
func (p *program) step(s *modelState, t int, o *op, i int) {
	say := func(text string) { s.logs[t] = append(s.logs[t], text) }
	switch o.kind {
	case opSend, opRecv:
		if p.ready(s, o) {
			say(p.do(s, o))
		} else {
			p.enqueue(s, t, -1, o)
		}
	case opTrySend:
		if p.ready(s, o) {
			say(p.do(s, o))
		} else {
			say("false")
		}
	case opTryRecv:
		if p.ready(s, o) {
			say(p.do(s, o) + ",true")
		} else {
			say(resTryRecv(0, false, false))
		}
	case opClose:
		say(p.close(s, o.ch))
	case opLen:
		n := 0
		if o.ch != noChan {
			n = len(s.chans[o.ch].buf)
		}
		say(fmt.Sprint(n))
	case opCap:
		n := 0
		if o.ch != noChan {
			n = p.caps[o.ch]
		}
		say(fmt.Sprint(n))
	case opSelect:
		switch {
		case i >= 0:
			got := p.do(s, &o.cases[i])
			if !strings.HasPrefix(got, "panic") {
				got = resSelect(o.first(i), got)
			}
			say(got)
		case o.other:
			say(resDefault)
		default:
			for i := range o.cases {
				p.enqueue(s, t, i, &o.cases[i])
			}
			s.waits[t] = true
		}
	}
}

func (p *program) enqueue(s *modelState, t, i int, o *op) {
	s.waits[t] = true
	if o.ch == noChan {
		return
	}
	c := &s.chans[o.ch]
	if o.kind == opSend {
		c.sendq = append(c.sendq, modelWaiter{t, i, o.v})
	} else {
		c.recvq = append(c.recvq, modelWaiter{t, i, 0})
	}
}

// wake ends the wait of w, which leaves all queues.
func (p *program) wake(s *modelState, w modelWaiter, got string) {
	if w.i >= 0 && !strings.HasPrefix(got, "panic") {
		got = resSelect(p.tasks[w.task][len(s.logs[w.task])].first(w.i), got)
	}
	s.logs[w.task] = append(s.logs[w.task], got)
	s.waits[w.task] = false
	gone := func(x modelWaiter) bool { return x.task == w.task }
	for i := range s.chans {
		c := &s.chans[i]
		c.recvq, c.sendq = slices.DeleteFunc(c.recvq, gone), slices.DeleteFunc(c.sendq, gone)
	}
}

// do does a send or receive that is ready.
func (p *program) do(s *modelState, o *op) string {
	c := &s.chans[o.ch]
	if o.kind == opSend || o.kind == opTrySend {
		switch {
		case c.closed:
			return resPanic("send on closed channel")
		case len(c.recvq) > 0:
			p.wake(s, c.recvq[0], resRecv(o.v, true))
		default:
			c.buf = append(c.buf, o.v)
		}
		return "true"
	}
	if len(c.buf) == 0 && len(c.sendq) == 0 {
		return resRecv(0, false)
	}
	if len(c.sendq) > 0 { // its value goes to the end of the queue
		w := c.sendq[0]
		c.buf = append(c.buf, w.v)
		p.wake(s, w, "true")
	}
	v := c.buf[0]
	c.buf = c.buf[1:]
	return resRecv(v, true)
}

func (p *program) close(s *modelState, ch int) string {
	if ch == noChan {
		return resPanic("close of nil channel")
	}
	c := &s.chans[ch]
	if c.closed {
		return resPanic("close of closed channel")
	}
	c.closed = true
	for len(c.recvq) > 0 {
		p.wake(s, c.recvq[0], resRecv(0, false))
	}
	for len(c.sendq) > 0 {
		p.wake(s, c.sendq[0], resPanic("send on closed channel"))
	}
	return "true"
}
