package sched

import (
	"math"
	"unsafe"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/getg"
	"github.com/userrt/userrt/internal/hb"
)

// For: a loop whose range is split when a thief comes, and not before. After Tzannes, Caragea, Barua,
// Vishkin ("Lazy Binary-Splitting", 2010), who split when the own queue has run empty; here the thief
// does it, so the whole of what is left is on offer at any time, and the owner's part is one fenced
// store and two loads a call of fn. The runtime has nothing like it.

// forFrame is the frame of a For: [lo, hi) is left. The owner takes pieces from the lower end, thieves halves from
// the upper one. Who may take what is decided as in forkq, with lo in the place of bottom:
//
//	owner:  lo = end of the piece, fenced; if limit <= slot and hi is unchanged { it's mine }
//	        else { choose again under lock }
//	thief, under lock:  limit = noLimit, fenced; read hi, lo, hi; hi = middle; limit = top
//
// Either the thief sees the new lo, or the owner sees limit, or, when the thief has gone again, the new hi: a thief
// leaves limit at the slot, as the loop stays in it. Each side has a fence of its own. The owner's is 5 ns for a piece,
// which should take a microsecond; by forkq's rule a thief would pay for both by fence.Heavy, 2 to 50 µs, for which
// the owner waits under lock. With 50 a loop of 250 µs took twice as long on two Ps as on one.
//
// Without Heavy a thief may come upon a frame whose loop is over, or that is being given the next one, in this slot or
// another. Of a loop that is over nothing is left, lo == hi; bounds of two loops are never put together (setRange);
// and the next loop may be split like any other, since its owner sees limit or hi.
//
// What is left is never less than grain, but for a whole loop that is.
type forFrame struct {
	frame
	fn    func(lo, hi int)
	grain int
	slot  uint32       // where it lies in its owner's queue
	at    int          // the owner's: where the next piece begins
	lo    atom.Uintptr // == at, but while the owner chooses; ints
	hi    atom.Uintptr
	kids  *frame // what thieves have split off; guarded by the queue's lock
}

var forTag = typeOf((*forFrame)(nil))

// forPieces is how many pieces a For without a grain has for each P.
const forPieces = 64

// For calls fn for pieces of [0, n) that make up the whole, in any order and maybe in parallel, and
// returns when all calls have ended. No piece is smaller than grain, unless n is; the caller's own are less
// than twice as large. With n <= 0 it does nothing.
//
// # When it is worth it
//
// A loop that takes less than some 100 µs is as fast without; where the other workers sleep, which after a
// millisecond without work they do, less than a millisecond. A piece should take a microsecond or more, as it
// costs 5 to 10 ns, and there should be many for each P. With grain < 1 For makes about 64 for each, which is
// right for loops of 100 µs and more for each P. On a plain goroutine, say a handler of net/http's, a loop of
// several pieces waits for a worker to wake: 100 µs. A computation with many loops belongs into Run as a whole.
//
// To sum up, have a variable in fn for each piece, and add that to the total at its end, by an atomic or under a lock.
//
// # How it is shared
//
// The range is split only when another worker comes for a part of it: that takes the upper half of
// what is left, and splits it in turn when others come. So it does not matter whether all pieces take
// equally long, and one that parks keeps no others waiting. All else is as with Join: the rest runs even if one
// call panics or exits; the first panic is raised again in the caller as a *PanicError, a Goexit goes on in the
// caller. On a plain goroutine, and within Block, all but the first piece run in tasks of Current(). For panics
// with "sched: For of nil func".
//
// In a task it allocates nothing, but for the closure that the caller makes, and costs about 30 ns.
func For(n, grain int, fn func(lo, hi int)) {
	if fn == nil {
		panic("sched: For of nil func")
	}
	if n <= 0 {
		return
	}
	if Preempting() {
		GiveWay()
	}
	if hb.On {
		inCall(func() { forApart(n, grain, fn) })
		return
	}
	st := self()
	if grain < 1 {
		grain = max(1, n/forPieces/int(Current().procs.Load()))
	}
	if st == nil {
		forNative(n, grain, fn)
		return
	}
	forRange(st, 0, n, grain, fn)
}

// forRange is For in a task, on [lo, hi).
func forRange(st *stack, lo, hi, grain int, fn func(lo, hi int)) {
	q := st.forkq()
	i := q.bottom.Load()
	j := join{q: q, base: i, loop: q.pushFor(i, lo, hi, grain, fn)}
	j.finish()
}

// pushFor offers a loop in slots[i]; i is bottom. Owner only.
func (q *forkq) pushFor(i uint32, lo, hi, grain int, fn func(lo, hi int)) *forFrame {
	var l *forFrame
	if f := q.fit(i, forTag); f.tag == forTag {
		l = (*forFrame)(unsafe.Pointer(f))
	} else {
		l = newForFrame()
		q.slots[i] = &l.frame
	}
	l.fn, l.grain, l.slot, l.labels, l.used = fn, grain, i, getg.Labels(), true
	if i == 0 {
		q.gp.StoreRel(q.st.g) // before a thief that comes by an old view can take a part: it asks whose it is
	}
	l.setRange(lo, hi)
	if i == 0 && q.loop.Load() != l {
		q.loop.Store(l) // fit has cleared it, if anything else lay here since
	}
	q.push(i)
	return l
}

func newForFrame() *forFrame {
	l := &forFrame{}
	l.init(forTag, l.run, l.forget)
	l.loop = true
	return l
}

// setRange gives l a new range. A thief may read hi, lo and hi again meanwhile (split). At most one setRange falls into
// that: the owner's next call of next sees limit and waits. If both hi are the old one, lo is the old one, which is
// equal, or MaxInt, as the new lo is stored last. If both are the new one, lo is MaxInt or of the new loop. Only then
// can anything be left. The first is no StoreRel, which is a plain store on amd64: of two to one word the compiler leaves
// out the first.
func (l *forFrame) setRange(lo, hi int) {
	l.at = lo
	l.lo.Store(math.MaxInt)
	l.hi.StoreRel(uintptr(hi))
	l.lo.StoreRel(uintptr(lo))
}

func (l *forFrame) forget() { l.fn, l.labels = nil, nil }

// run goes through l's range in the thief's task.
func (l *forFrame) run() {
	forRange(self(), l.at, int(l.hi.Load()), l.grain, l.fn)
}

// pieces calls fn until nothing is left.
func (l *forFrame) pieces(q *forkq) {
	for {
		lo, hi := l.next(q)
		if lo >= hi {
			return
		}
		l.fn(lo, hi)
		if Preempting() {
			GiveWay()
		}
	}
}

// next takes the next piece; lo == hi when none is left.
func (l *forFrame) next(q *forkq) (lo, end int) {
	lo = l.at
	hi := int(l.hi.Load())
	end = l.pieceEnd(lo, hi)
	l.at = end
	l.lo.Store(uintptr(end)) // fenced, before limit is read: see forFrame
	if q.limit.Load() <= l.slot && int(l.hi.Load()) == hi {
		return lo, end
	}
	q.lock.Lock()
	end = l.pieceEnd(lo, int(l.hi.Load()))
	l.at = end
	l.lo.StoreRel(uintptr(end))
	q.limit.Store(q.openLimit())
	q.lock.Unlock()
	return lo, end
}

// pieceEnd returns where a piece of [lo, hi) ends that leaves either nothing or grain.
func (l *forFrame) pieceEnd(lo, hi int) int {
	if hi-lo-l.grain >= l.grain {
		return lo + l.grain
	}
	return hi
}

// split takes what a thief is to have of l, nil if nothing is left: as a frame of its own, which the
// owner will await. The caller has the lock of l's queue, limit is noLimit, and it holds p.
func (l *forFrame) split(p *P) *frame {
	hi := int(l.hi.Load())
	lo := int(l.lo.Load())
	if lo >= hi || int(l.hi.Load()) != hi { // see setRange
		return nil
	}
	from := lo
	if hi-lo-l.grain >= l.grain {
		from = lo + (hi-lo)/2
	}
	l.hi.StoreRel(uintptr(from))
	k := p.kidGet()
	k.fn, k.grain, k.labels = l.fn, l.grain, l.labels
	k.setRange(from, hi)
	k.link, l.kids = l.kids, &k.frame
	k.state.Store(frameStolen)
	return &k.frame
}

// close takes l, of which nothing is left, out of its slot, and returns what thieves have split off.
func (l *forFrame) close(q *forkq) *frame {
	if !q.pop(l.slot) { // thieves have seen that nothing is left
		q.drop(l.slot)
	}
	kids := l.kids
	l.kids = nil
	if l.slot == 0 {
		q.rest()
	}
	return kids
}

// kidKeep bounds the frames of split-off ranges that a P keeps.
const kidKeep = 64

// kidGet returns a frame for a split-off range.
func (p *P) kidGet() *forFrame {
	f := p.kids
	if f == nil {
		return newForFrame()
	}
	p.kids, f.link = f.link, nil
	p.nKids--
	return (*forFrame)(unsafe.Pointer(f))
}

// kidPut takes a frame back that has been awaited.
func (p *P) kidPut(f *frame) {
	f.reset()
	if p.nKids < kidKeep {
		f.link, p.kids = p.kids, f
		p.nKids++
	}
}

// forApart is For with a task for each piece; see joinApart.
func forApart(n, grain int, fn func(lo, hi int)) {
	if grain < 1 {
		grain = max(1, n/forPieces/currentProcs())
	}
	forFrom(0, n, grain, fn)
}

// currentProcs returns the number of Ps of the caller's scheduler.
func currentProcs() int {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return int(Current().procs.Load())
}

// forFrom is forApart from lo on, some pieces at a time, however they end.
func forFrom(lo, n, grain int, fn func(lo, hi int)) {
	const atOnce = 1000
	var fns []func()
	for lo < n && len(fns) < atOnce {
		from, to := lo, n
		if n-from-grain >= grain {
			to = from + grain
		}
		fns = append(fns, func() { fn(from, to) })
		lo = to
	}
	if lo < n {
		defer forFrom(lo, n, grain, fn)
	}
	joinApart(fns, 0)
}

// forNative is For for a caller that has no stack for thieves to watch: it does the first piece.
func forNative(n, grain int, fn func(lo, hi int)) {
	l := newForFrame()
	l.fn, l.grain = fn, grain
	first := l.pieceEnd(0, n)
	var j join
	if first < n {
		l.setRange(first, n)
		j.spawn(&l.frame)
	}
	j.run(func() { fn(0, first) })
}
