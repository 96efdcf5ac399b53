package sched

import (
	"iter"

	"github.com/userrt/userrt/internal/coro"
)

// Free lists: of Gs and of stacks, one each for a P without a lock, and one for all under s.lock.
// The same in Go: runtime/proc.go, gfput and gfget (there a G keeps its stack; here a task that has
// not started has none, so the two are kept apart).

// gSlab is how Gs are allocated: so many that they fill a size class of the allocator, which wants 8 bytes of
// it for itself; with 32 each G would take 24 bytes more. The scheduler keeps all slabs for as long as it lives,
// so that run queues may hold pointers that the collector does not see (runtime/proc.go, allgs).
const gSlab = 31

// gFree is a stack of dead Gs linked through schedlink.
type gFree struct {
	head *G
	n    int32
}

func (l *gFree) push(gp *G) {
	gp.schedlink = l.head
	l.head = gp
	l.n++
}

func (l *gFree) pop() *G {
	gp := l.head
	l.head = gp.schedlink
	gp.schedlink = nil
	l.n--
	return gp
}

// gfget returns a dead G for a new task.
func (p *P) gfget() *G {
	if p.gfree.n == 0 {
		p.gfgetSlow()
	}
	return p.gfree.pop()
}

func (p *P) gfgetSlow() {
	p.s.lock.Lock()
	p.s.gfgetBatch(&p.gfree, 4*gSlab)
	p.s.lock.Unlock()
}

// gFreeMax is how many free Gs a P keeps for itself: 256 KiB worth of them, so that a burst of a
// thousand tasks, spawned and then run, takes no lock.
const gFreeMax = 64 * gSlab

// gfput takes the G of a task that has ended.
func (p *P) gfput(gp *G) {
	p.gfree.push(gp)
	if p.gfree.n >= gFreeMax {
		p.gfputSlow()
	}
}

func (p *P) gfputSlow() {
	p.s.lock.Lock()
	for p.gfree.n > gFreeMax/2 {
		p.s.gfree.push(p.gfree.pop())
	}
	p.s.lock.Unlock()
}

// gfgetBatch moves up to n Gs from the shared list, refilled from a new slab when empty, to l. Needs
// s.lock.
func (s *Scheduler) gfgetBatch(l *gFree, n int32) {
	if s.gfree.n == 0 {
		slab := new([gSlab]G)
		s.allgs = append(s.allgs, slab)
		for i := range slab {
			slab[i].s = s
			s.gfree.push(&slab[i])
		}
	}
	for range min(n, s.gfree.n) {
		l.push(s.gfree.pop())
	}
}

// slabs returns all slabs there are.
func (s *Scheduler) slabs() []*[gSlab]G {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.allgs
}

// gsOf goes through all Gs in slabs, those that are free too.
func gsOf(slabs []*[gSlab]G) iter.Seq[*G] {
	return func(yield func(*G) bool) {
		for _, slab := range slabs {
			for i := range slab {
				if !yield(&slab[i]) {
					return
				}
			}
		}
	}
}

// stackPool is a stack of idle coroutines linked through link.
type stackPool struct {
	head *stack
	n    int32
}

func (l *stackPool) push(st *stack) {
	st.link = l.head
	l.head = st
	l.n++
}

func (l *stackPool) pop() *stack {
	st := l.head
	if st != nil {
		l.head = st.link
		st.link = nil
		l.n--
	}
	return st
}

// poolMax is how many idle stacks a P keeps for itself; beyond that half of them go to s.stkfree.
const poolMax = 64

// stkput takes a coroutine that has nothing to run and has wholly left.
func (p *P) stkput(st *stack) {
	p.stkfree.push(st)
	if p.stkfree.n > poolMax {
		p.s.lock.Lock()
		for p.stkfree.n > poolMax/2 {
			p.s.stkfree.push(p.stkfree.pop())
		}
		p.s.lock.Unlock()
	}
}

// newStack returns an idle coroutine, from the shared pool or a new one. Called on a g0 only: a new
// coroutine inherits its maker's pprof labels, and a g0 has none.
func (m *M) newStack() *stack {
	if st := m.p.stkfree.pop(); st != nil {
		return st
	}
	s := m.s
	s.lock.Lock()
	for range poolMax / 2 {
		st := s.stkfree.pop()
		if st == nil {
			break
		}
		m.p.stkfree.push(st)
	}
	s.stkTrim.low = min(s.stkTrim.low, s.stkfree.n)
	s.lock.Unlock()
	if st := m.p.stkfree.pop(); st != nil {
		return st
	}
	m.unbind() // making one is no matter of an instant, and m is not pinned meanwhile
	st := &stack{}
	s.nStacks.Add(1)
	coro.New(&st.Stack, runStack)
	return st
}
