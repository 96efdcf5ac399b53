package sched

import "github.com/userrt/userrt/internal/atom"

// runqSize is the runtime's; a power of two.
const runqSize = 256

// The local run queue: runnable tasks, added by this P's worker only, taken by it and by thieves.
//
//	 head           tail         Indexes count slots, grow for ever and wrap at 1<<32;
//	  v              v           index i lives in ring[i%runqSize].
//	| G4 | G5 | G6 | .. | .. |
//	  ^ taken by CAS ^ filled by the owner
//
// Invariants:
//
//	R1  tail-head <= runqSize. A thief loads the two at different moments and may see more;
//	    it must then load both again.
//	R2  slots in [head, tail) hold Gs in state gRunnable, and a G is in one queue at most.
//	R3  tail is written by the owner only; head by whoever wins its CAS, or, with no thief inside
//	    the P's gate, by the owner's plain store.
//
// Order. Pair A: the owner stores the slot, then tail (release); a thief loads tail (acquire), then
// the slot: it sees the G it was promised. Pair B: a taker loads the slot, then moves head; the
// owner loads head, then refills: no slot is lost while in use. A thief may load a slot while the
// owner refills it; its CAS on head then fails and the value is dropped.
//
// The same in Go: runtime/proc.go, runqput, runqget, runqgrab. The slots hold pointers that the
// collector does not see; the scheduler keeps every G alive (gfree.go).
type runq struct {
	head atom.Uint32
	tail atom.Uint32
	less uint32 // how many slots are not to be used; 0 but for Tunables.RunqSize

	aheadFrom uint32 // see ahead.go; never changes

	ring [runqSize]atom.Ptr[G]
}

// put appends gp and reports whether there was room. On false gp still belongs to the caller, who
// moves half the ring to the global queue. Owner only; takes no lock.
func (q *runq) put(gp *G) bool {
	t := q.tail.Load()
	if t-q.head.Load() >= runqSize-q.less { // pair B
		return false
	}
	q.ring[t%runqSize].StoreRel(gp)
	q.tail.StoreRel(t + 1) // pair A
	return true
}

// get takes the oldest task, nil when there is none. The owner, or a thief inside the gate.
func (q *runq) get() *G {
	for {
		h := q.head.Load()
		if h == q.tail.Load() {
			return nil
		}
		gp := q.ring[h%runqSize].Load()
		if q.head.CompareAndSwap(h, h+1) { // pair B
			return gp
		}
	}
}

// room is how many put has room for at least. Owner only.
func (q *runq) room() int32 { return int32(runqSize - q.less - q.size()) }

// empty may be called by anyone; the answer may be old by the time it is read.
func (q *runq) empty() bool { return q.head.Load() == q.tail.Load() }

// size is exact for the owner when no thief is at work, and too large by what one takes otherwise; for others by what the owner
// adds meanwhile. Head first: the other way about, an owner that takes and adds between the two could make it negative.
func (q *runq) size() uint32 {
	h := q.head.Load()
	return q.tail.Load() - h
}

// grab moves half of q, rounded up, but no more than most, into the thief's own ring dst from index t on,
// without publishing it there, and returns how many. Anyone but the owner of q; the caller owns dst, which
// must be empty.
func (q *runq) grab(dst *runq, t, most uint32) uint32 {
	for {
		h := q.head.Load()
		n := q.tail.Load() - h // pair A
		n -= n / 2
		if n == 0 {
			return 0
		}
		if n > runqSize/2 { // R1: the two loads don't fit together
			continue
		}
		n = min(n, most)
		for i := range n {
			dst.ring[(t+i)%runqSize].StoreRel(q.ring[(h+i)%runqSize].Load())
		}
		if q.head.CompareAndSwap(h, h+n) { // pair B
			return n
		}
	}
}

// runqput makes gp runnable on p: as the very next one if next, taking the place of the one that
// had been chosen, which goes to the end of the ring; else at the end of the ring. Only p's worker.
// The same in Go: runtime/proc.go, runqput.
func (p *P) runqput(gp *G, next bool) {
	if next && !p.noRunnext {
		if p.runnext.Load() == nil {
			p.runnext.StoreRel(gp) // thieves only take from it
			return
		}
		g := &p.gate // by hand: as a call, 1 of 41 ns
		g.taking.StoreRel(1)
		if g.thieves.Load() == 0 {
			old := p.runnext.Load()
			p.runnext.StoreRel(gp)
			g.taking.StoreRel(0)
			gp = old
		} else {
			g.taking.StoreRel(0)
			gp = p.runnext.Swap(gp)
		}
		if gp == nil {
			return
		}
	}
	if !p.runq.put(gp) {
		p.runqputslow(gp)
	}
}

// runqputslow moves half the ring and gp to the global queue: one lock for 129 tasks. Only p's
// worker. The same in Go: runtime/proc.go, runqputslow.
func (p *P) runqputslow(gp *G) {
	q := &p.runq
	for {
		h := q.head.Load()
		n := (q.tail.Load() - h) / 2
		if n < (runqSize-q.less)/2 { // thieves have been here
			if q.put(gp) {
				return
			}
			continue
		}
		if !q.head.CompareAndSwap(h, h+n) {
			continue
		}
		s := p.s
		s.lock.Lock()
		s.globrunqspill(p, h, n, gp) // nobody refills the slots but us
		p.nOverflow++
		s.lock.Unlock()
		return
	}
}

// runqget takes the task that p is to run next, nil when p has none. Only p's worker.
// The same in Go: runtime/proc.go, runqget.
//
//go:nosplit
func (p *P) runqget() *G {
	g := &p.gate
	g.taking.StoreRel(1)
	if g.thieves.Load() != 0 {
		g.taking.StoreRel(0)
		return p.runqgetShared()
	}
	gp := p.runnext.Load()
	if gp != nil {
		p.runnext.StoreRel(nil)
	} else if h := p.runq.head.Load(); h != p.runq.tail.Load() {
		gp = p.runq.ring[h%runqSize].Load()
		p.runq.head.StoreRel(h + 1)
	}
	g.taking.StoreRel(0)
	return gp
}

// runqgetShared is runqget while thieves may take too.
func (p *P) runqgetShared() *G {
	if p.runnext.Load() != nil {
		if gp := p.runnext.Swap(nil); gp != nil { // a thief may have been faster
			return gp
		}
	}
	return p.runq.get()
}
