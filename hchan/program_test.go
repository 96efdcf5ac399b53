// Random small programs over channels, for the differential tests: what they are made of, and their generator.

package hchan

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

type opKind int

const (
	opSend opKind = iota
	opRecv
	opTrySend
	opTryRecv
	opClose
	opLen
	opCap
	opSelect
)

// noChan stands for a nil channel.
const noChan = -1

// op is one step of a task. Sends carry a value of their own, so that it can be told where each went.
type op struct {
	kind opKind
	ch   int // index of the channel, or noChan
	v    int

	// Of a select: its cases, which are opSend or opRecv; whether there is a default; whether it is SelectOrdered.
	cases   []op
	other   bool
	ordered bool
}

// program is some tasks over some channels.
type program struct {
	caps  []int
	tasks [][]op
}

// choices is where a generator gets its random numbers from: choose(n) is in [0, n).
type choices func(n int) int

func seeded(seed uint64) choices {
	r := rand.New(rand.NewPCG(seed, 1))
	return r.IntN
}

// fromBytes takes a byte for each choice, and 0 after the last.
func fromBytes(b []byte) choices {
	return func(n int) int {
		if len(b) == 0 {
			return 0
		}
		c := b[0]
		b = b[1:]
		return int(c) % n
	}
}

// generate makes a program. Without closes against sends (calm), which are races by the detector's rules, a channel
// is either sent to or closed, by one task. ordered allows SelectOrdered, which native Go has not.
func generate(choose choices, calm, ordered bool) *program {
	p := &program{caps: make([]int, 1+choose(9)/4), tasks: make([][]op, 2+choose(3))}
	closer := make([]int, len(p.caps)) // calm: the task that closes it; none: it is for sending
	for i := range p.caps {
		p.caps[i] = choose(3)
		closer[i] = -1
		if choose(3) == 0 {
			closer[i] = choose(len(p.tasks))
		}
	}
	values := 0
	for t := range p.tasks {
		role := t % 2 // who mostly sends, and who mostly receives
		if choose(4) == 0 {
			role = 1 - role
		}
		for range 1 + choose(6-len(p.tasks)) + choose(2) {
			o := randomOp(choose, len(p.caps), role, ordered)
			o.each(func(o *op) {
				if calm && o.ch != noChan {
					switch {
					case (o.kind == opSend || o.kind == opTrySend) && closer[o.ch] >= 0:
						o.kind += opRecv - opSend
					case o.kind == opClose && closer[o.ch] != t:
						o.kind = opLen
					}
				}
				values++
				o.v = values
			})
			o.merge()
			p.tasks[t] = append(p.tasks[t], o)
		}
	}
	return p
}

var kinds = [2][]opKind{
	{opSend, opSend, opSend, opSend, opSend, opRecv, opTrySend, opTryRecv, opClose, opLen, opCap, opSelect, opSelect, opSelect},
	{opRecv, opRecv, opRecv, opRecv, opRecv, opSend, opTryRecv, opTrySend, opClose, opLen, opTryRecv, opSelect, opSelect, opSelect},
}

func randomOp(choose choices, chans, role int, ordered bool) op {
	ch := func() int {
		if choose(24) == 23 {
			return noChan
		}
		return choose(chans)
	}
	o := op{kind: kinds[role][choose(len(kinds[role]))], ch: ch()}
	if o.kind == opSelect {
		o.ch = noChan
		o.other, o.ordered = choose(3) == 0, ordered && choose(2) == 0
		for range (1 + choose(12)) / 3 {
			o.cases = append(o.cases, op{kind: opSend + opKind(choose(2)), ch: ch()})
		}
	}
	return o
}

// each calls f for o, or for its cases.
func (o *op) each(f func(o *op)) {
	if o.kind != opSelect {
		f(o)
		return
	}
	for i := range o.cases {
		f(&o.cases[i])
	}
}

// merge gives equal cases of a select the same value: which of them it was can then not be told, and need not be.
func (o *op) merge() {
	for i := range o.cases {
		o.cases[i].v = o.cases[o.first(i)].v
	}
}

// first returns the first case that is like case i.
func (o *op) first(i int) int {
	for k := range o.cases {
		if o.cases[k].kind == o.cases[i].kind && o.cases[k].ch == o.cases[i].ch {
			return k
		}
	}
	return i
}

// queued returns in how many queues a task waits that waits in o; mayWait is false if it never waits.
func (o *op) queued() (n int, mayWait bool) {
	if o.kind != opSelect {
		if o.ch != noChan {
			n = 1
		}
		return n, o.kind == opSend || o.kind == opRecv
	}
	for _, c := range o.cases {
		if c.ch != noChan {
			n++
		}
	}
	return n, !o.other
}

// blocksOnNil reports whether some task has an operation that waits for ever wherever it stands.
func (p *program) blocksOnNil() bool {
	for _, ops := range p.tasks {
		for i := range ops {
			if n, wait := ops[i].queued(); wait && n == 0 {
				return true
			}
		}
	}
	return false
}

// ordered reports whether p has a SelectOrdered.
func (p *program) ordered() bool {
	for _, ops := range p.tasks {
		for _, o := range ops {
			if o.ordered {
				return true
			}
		}
	}
	return false
}

func (p *program) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "capacities %v\n", p.caps)
	for t, ops := range p.tasks {
		fmt.Fprintf(&b, "task %d:", t)
		for _, o := range ops {
			fmt.Fprintf(&b, " %v;", o)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (o op) String() string {
	c := "nil"
	if o.ch != noChan {
		c = string(rune('a' + o.ch))
	}
	switch o.kind {
	case opSend:
		return fmt.Sprintf("%s<-%d", c, o.v)
	case opRecv:
		return "<-" + c
	case opTrySend:
		return fmt.Sprintf("try %s<-%d", c, o.v)
	case opTryRecv:
		return "try <-" + c
	case opClose:
		return "close " + c
	case opLen:
		return "len " + c
	case opCap:
		return "cap " + c
	}
	s := "select"
	if o.ordered {
		s = "select in order"
	}
	text := make([]string, len(o.cases))
	for i, c := range o.cases {
		text[i] = c.String()
	}
	if o.other {
		text = append(text, "default")
	}
	return s + "{" + strings.Join(text, ", ") + "}"
}
