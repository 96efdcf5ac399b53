package sched

import (
	"sync/atomic"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/hb"
)

// Tasks that get in each other's way. Two workers whose tasks want the same lock all the time get less done than one of them alone: the lock and what it
// guards move from cache to cache, and who finds it held spins or parks. So a P whose tasks find locks held too often keeps them for a while:
// thieves leave them, and nobody is woken for them. Then as many as can get on without each other go on elsewhere, and the rest take turns on one P.
//
// The runtime has nothing like it. The idea is that of locks which let in fewer threads than want in (Dice, "Malthusian Locks", 2017;
// Dice and Kogan, "Avoiding Scalability Collapse by Restricting Concurrency", 2019), moved to where tasks are handed to threads.

// clashes is what a P has learned of its tasks' clashes. The fields but till and most are its worker's.
type clashes struct {
	n     uint32       // how many there were, also with nobody beside
	since int64        // when the last clashBatch began, ns
	till  atomic.Int64 // until when, ns, p keeps tasks that have clashed; 0: it does not, or no more. Read by all
	last  int64        // what till was last
	ns    int64        // for how long it was

	tick uint32      // schedtick when a task clashed last
	runs uint32      // how many of the tasks taken up since from have clashed
	from uint32      // schedtick then
	most atom.Uint32 // 1: it was most of them, so that others are taken for such as well. Read by all
}

// A P keeps its tasks when clashBatch clashes have come at a rate of one in clashNS or more: a clash costs 100 to 200 ns, so by then most of the time is lost.
// It does so for minKeepNS, and twice as long if they begin anew soon afterwards. With 500 ns in the place of 200, two tasks that yield while they have the
// lock, and clash every 350, stay on one P, where they take longer.
const (
	clashBatch = 32
	clashNS    = 200
	clashTasks = 8 // that must have been taken up before it is asked whether it was most of them
	minKeepNS  = 1_000_000
	maxKeepNS  = 16_000_000
)

// letPast is how many calls of Clashed on a P there are for one that tells its caller to let others go first. locks/mutex-2 on two Ps, in shares of
// native's speed: 0.7 to 1.8 with 16, 2.0 to 2.6 with 64, 1.8 to 2.7 with 256.
const letPast = 64

// Clashed is called by a primitive when the calling task could not just take what others want, as a Mutex: where that happens too often
// the P keeps such tasks for a while. It does not block and does not give way, and may be called with a lock held. pass is true once in
// letPast calls on a P: a caller that holds nothing may then let others on the P go first, by Cede. On a plain goroutine it is false.
//
//go:noinline
func Clashed() (pass bool) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	p, keep := noteClash()
	if p == nil {
		return false
	}
	c := &p.clashes
	if c.n++; keep && c.n%clashBatch == 0 {
		p.countClashes(p.s.nanotime())
	}
	return c.n%letPast == 0
}

// noteClash returns the calling task's P, nil on a plain goroutine. keep: tasks run beside it and none of the Tunables forbids to keep
// them; then the task is marked as one that has clashed.
func noteClash() (p *P, keep bool) {
	st := self()
	if st == nil || st.g == nil || st.m.p == nil {
		return nil, false
	}
	p = st.m.p
	if p.tun.NoKeeping || p.tun.NoPace || p.s.procs.Load()-p.s.npidle.Load() < 2 {
		return p, false
	}
	gp := st.g
	gp.clashed.StoreRel(p.s.coarse.Load() + 1)
	gp.extras |= hasClashed
	if c, tick := &p.clashes, p.schedtick.Load(); tick != c.tick {
		c.tick = tick
		c.runs++
	}
	return p, true
}

// countClashes looks how long the last clashBatch have taken.
func (p *P) countClashes(now int64) {
	c := &p.clashes
	took := now - c.since
	c.since = now
	p.countRuns()
	if took <= clashBatch*clashNS {
		p.keep(now)
	}
}

// countRuns finds out whether most of the tasks that p takes up clash.
func (p *P) countRuns() {
	c := &p.clashes
	tick := p.schedtick.Load()
	if taken := tick - c.from; taken >= clashTasks {
		most := uint32(0)
		if 2*c.runs >= taken {
			most = 1
		}
		c.most.StoreRel(most)
		c.from, c.runs = tick, 0
	}
}

// keep makes p keep its tasks from now on.
func (p *P) keep(now int64) {
	c := &p.clashes
	switch {
	case now < c.last: // it does so already
	case now-c.last < 2*maxKeepNS && c.ns > 0:
		c.ns = min(2*c.ns, maxKeepNS)
	default:
		c.ns = minKeepNS
	}
	c.last = now + c.ns
	c.till.Store(c.last)
}

// keeps reports whether all tasks that p has are to stay there. Anyone may ask.
func (p *P) keeps() bool {
	now, keeping := p.keeping()
	if !keeping {
		return false
	}
	if p.clashes.most.Load() != 0 {
		return true
	}
	tick := coarse(now)
	if gp := p.runnext.Load(); gp != nil && !gp.clashedBy(tick) {
		return false
	}
	q := &p.runq
	h := q.head.Load()
	for range q.size() {
		if !q.ring[h%runqSize].Load().clashedBy(tick) {
			return false
		}
		h++
	}
	return true
}

// keepsAny reports whether p keeps tasks also without a look at them. Anyone may ask.
func (p *P) keepsAny() bool {
	_, keeping := p.keeping()
	return keeping && p.clashes.most.Load() != 0
}

// keepsNext reports whether p keeps the task that its worker, the caller, has just made runnable.
func (p *P) keepsNext() bool {
	c := &p.clashes
	if c.till.Load() == 0 {
		return false
	}
	now, keeping := p.keeping()
	if !keeping {
		c.till.Store(0) // nobody need read the clock for it any more
		return false
	}
	if gp := p.runnext.Load(); gp != nil {
		return c.most.Load() != 0 || gp.clashedBy(coarse(now))
	}
	return p.keeps() // it is somewhere in the ring
}

// keeping reports whether p keeps tasks that have clashed, and if so the time.
func (p *P) keeping() (now int64, is bool) {
	if p.clashes.till.Load() == 0 {
		return 0, false
	}
	now = p.s.nanotime()
	return now, p.clashing(now)
}

func (p *P) clashing(now int64) bool { return now < p.clashes.till.Load() }

// clashedBy reports whether gp has clashed lately, as of tick.
func (gp *G) clashedBy(tick uint32) bool {
	c := gp.clashed.Load()
	return c != 0 && int32(tick+1-c) <= 1
}
