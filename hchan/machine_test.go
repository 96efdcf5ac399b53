// Running a program of the differential tests, on native channels and on ours: freely, or step by step. A run ends when
// it is at rest: each task has ended or waits, and nothing of the program can wake it.

package hchan

import (
	"cmp"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/userrt/userrt/sched"
)

// port is a channel, native or ours.
type port interface {
	send(v int)
	recv() (v int, ok bool)
	trySend(v int) bool
	tryRecv() (v int, ok, received bool)
	close()
	len() int
	cap() int
}

// side is the one or the other: its channels, a nil one among them, and its select.
type side interface {
	port(ch int) port
	choose(o *op) (i int, v int, ok bool) // i is len(o.cases) for the default
}

// Where a task is. From 0 on it is the operation that it is about.
const (
	atGate = -1
	ended  = -2
	abroad = -3 // on its way
)

// process is a run of a program.
type process struct {
	p    *program
	side side
	quit atomic.Bool // the outcome has been taken
	at   []atomic.Int32
	gs   []atomic.Pointer[sched.G] // of ours
	mu   sync.Mutex
	logs [][]string
	left int // tasks that have not ended
}

func newProcess(p *program, s side) *process {
	r := &process{
		p: p, side: s, at: make([]atomic.Int32, len(p.tasks)), gs: make([]atomic.Pointer[sched.G], len(p.tasks)),
		logs: make([][]string, len(p.tasks)), left: len(p.tasks),
	}
	for t := range r.at {
		r.at[t].Store(abroad)
	}
	return r
}

// task is the body of task t; gate is called before each operation.
func (r *process) task(t int, gate func()) {
	for k := range r.p.tasks[t] {
		r.at[t].Store(atGate)
		gate()
		if r.quit.Load() {
			break
		}
		r.at[t].Store(int32(k))
		got, panicked := r.perform(&r.p.tasks[t][k])
		if r.quit.Load() {
			break
		}
		r.mu.Lock()
		r.logs[t] = append(r.logs[t], got)
		r.mu.Unlock()
		r.at[t].Store(abroad)
		if panicked {
			break
		}
	}
	r.mu.Lock()
	r.left--
	r.mu.Unlock()
	r.at[t].Store(ended)
}

// perform does o and tells its result.
func (r *process) perform(o *op) (got string, panicked bool) {
	defer func() {
		if v := recover(); v != nil {
			got, panicked = resPanic(v.(runtime.Error).Error()), true
		}
	}()
	if o.kind == opSelect {
		i, v, ok := r.side.choose(o)
		switch {
		case i == len(o.cases):
			return resDefault, false
		case o.cases[i].kind == opSend:
			return resSelect(o.first(i), "true"), false
		}
		return resSelect(o.first(i), resRecv(v, ok)), false
	}
	c := r.side.port(o.ch)
	switch o.kind {
	case opSend:
		c.send(o.v)
	case opRecv:
		return resRecv(c.recv()), false
	case opTrySend:
		if !c.trySend(o.v) {
			return "false", false
		}
	case opTryRecv:
		return resTryRecv(c.tryRecv()), false
	case opClose:
		c.close()
	case opLen:
		return strconv.Itoa(c.len()), false
	case opCap:
		return strconv.Itoa(c.cap()), false
	}
	return "true", false
}

// take returns the outcome of a run that is at rest.
func (r *process) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.p.outcome(r.logs)
}

// drain lets all tasks that wait go, and ends them. stuck is how many wait for nil channels and can't.
func (r *process) drain(stuck int, yield func()) {
	r.quit.Store(true)
	for {
		r.mu.Lock()
		done := r.left <= stuck
		r.mu.Unlock()
		if done {
			return
		}
		for ch := range r.p.caps {
			c := r.side.port(ch)
			c.tryRecv()
			func() {
				defer func() { _ = recover() }() // closed: nobody waits
				c.trySend(0)
			}()
		}
		yield()
	}
}

// onNil counts the tasks that wait for nil channels only.
func (r *process) onNil() (n int) {
	for t := range r.at {
		if k := r.at[t].Load(); k >= 0 {
			if q, wait := r.p.tasks[t][k].queued(); wait && q == 0 {
				n++
			}
		}
	}
	return n
}

// ours is a side of Chans of several types.
type ours struct {
	ports []oursPort
	null  oursPort
}

type oursPort interface {
	port
	base() *hchan
	caseOf(o *op) (cs Case, got func() (v int, ok bool))
}

func newOurs(p *program) *ours {
	s := &ours{null: &typedPort[int]{nil, func(v int) int { return v }, func(v int) int { return v }}}
	for i, size := range p.caps {
		switch (i + len(p.tasks)) % 4 {
		case 0:
			s.ports = append(s.ports, &typedPort[int]{Make[int](size), func(v int) int { return v }, func(v int) int { return v }})
		case 1:
			s.ports = append(s.ports, &typedPort[large]{Make[large](size), func(v int) large { return makeLarge(uint64(v)) }, fromLarge})
		case 2:
			s.ports = append(s.ports, &typedPort[*int]{Make[*int](size), func(v int) *int { return &v }, func(v *int) int {
				if v == nil {
					return 0
				}
				return *v
			}})
		case 3:
			s.ports = append(s.ports, &typedPort[any]{Make[any](size), func(v int) any { return v }, func(v any) int {
				n, _ := v.(int)
				return n
			}})
		}
	}
	return s
}

func fromLarge(v large) int {
	n := v[0] >> 32
	if v != (large{}) && v != makeLarge(n) {
		return -1
	}
	return int(n)
}

func (s *ours) port(ch int) port { return s.typed(ch) }

func (s *ours) typed(ch int) oursPort {
	if ch == noChan {
		return s.null
	}
	return s.ports[ch]
}

func (s *ours) choose(o *op) (i, v int, ok bool) {
	cases := make([]Case, len(o.cases), len(o.cases)+1)
	got := make([]func() (int, bool), len(o.cases))
	for i := range o.cases {
		cases[i], got[i] = s.typed(o.cases[i].ch).caseOf(&o.cases[i])
	}
	if o.other {
		cases = append(cases, Default())
	}
	if o.ordered {
		i = SelectOrdered(cases...)
	} else {
		i = Select(cases...)
	}
	if i < len(got) && got[i] != nil {
		v, ok = got[i]()
	}
	return i, v, ok
}

type typedPort[T any] struct {
	c    *Chan[T]
	to   func(int) T
	from func(T) int
}

func (p *typedPort[T]) send(v int)         { p.c.Send(p.to(v)) }
func (p *typedPort[T]) trySend(v int) bool { return p.c.TrySend(p.to(v)) }
func (p *typedPort[T]) close()             { p.c.Close() }
func (p *typedPort[T]) len() int           { return p.c.Len() }
func (p *typedPort[T]) cap() int           { return p.c.Cap() }
func (p *typedPort[T]) base() *hchan       { return p.c.base() }

func (p *typedPort[T]) recv() (int, bool) {
	v, ok := p.c.Recv()
	return p.from(v), ok
}

func (p *typedPort[T]) tryRecv() (int, bool, bool) {
	v, ok, received := p.c.TryRecv()
	return p.from(v), ok, received
}

func (p *typedPort[T]) caseOf(o *op) (Case, func() (int, bool)) {
	if o.kind == opSend {
		return OnSend(p.c, p.to(o.v)), nil
	}
	v, ok := p.to(1), true
	return OnRecv(p.c, &v, &ok), func() (int, bool) { return p.from(v), ok }
}

// atRest reports whether the run is at rest. All queues are looked at in one moment: a task that waits is in as many as its
// operation says, and one that was woken has left at least one. gates are the channels at which tasks wait for their next step, if any.
func (r *process) atRest(s *ours, gates []*Chan[struct{}]) bool {
	var all []*hchan
	for _, p := range s.ports {
		all = append(all, p.base())
	}
	for _, g := range gates {
		all = append(all, g.base())
	}
	slices.SortFunc(all, func(a, b *hchan) int {
		return cmp.Compare(uintptr(unsafe.Pointer(a)), uintptr(unsafe.Pointer(b)))
	})
	for _, c := range all {
		c.lock.Lock()
		defer c.lock.Unlock()
	}
	in := map[*sched.G]int{}
	for _, c := range all {
		for _, q := range []waitq{c.recvq, c.sendq} {
			for sg := q.first; sg != nil; sg = sg.next {
				in[sg.g()]++
			}
		}
	}
	for t := range r.at {
		switch k := r.at[t].Load(); {
		case k == ended:
		case k == abroad:
			return false
		case k == atGate:
			if in[r.gs[t].Load()] != 1 {
				return false
			}
		default:
			if n, wait := r.p.tasks[t][k].queued(); !wait || in[r.gs[t].Load()] != n {
				return false
			}
		}
	}
	return true
}
