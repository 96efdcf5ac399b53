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
// store a call of fn. The runtime has nothing like it.

// forFrame is the frame of a For: [lo, hi) is left. The owner takes pieces from the lower end, thieves halves from
// the upper one. Who may take what is decided as in forkq, with lo in the place of bottom:
//
//	owner:  lo = end of the piece, fenced; if limit <= slot and hi is unchanged { it's mine }
//	        else { choose again under lock }
//	thief, under lock:  limit = noLimit, fenced; read hi, lo, hi; hi = middle; limit = top
//
// Either the thief sees the new lo, or the owner the thief's limit, or the hi that it has left behind. Here each side pays for its own fence: 5 ns
// for a piece, which should take a microsecond; where the thief paid for both it was 2 to 50 µs a theft (fence.Heavy), for as long as which
// the owner waited under lock, and a loop of 200 µs on two Ps took twice as long as on one.
//
// Without that fence a thief may come by an old view of the queue, upon a frame whose loop is over, or that is being given the next one. It
// splits nothing of the former, as lo == hi, and never puts bounds of two loops together: see setRange. If what it splits is the next loop it has
// as much right to that, and the owner of it sees limit or hi like any other.
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
// than twice as large. A piece should take a microsecond or more, and there should be many for each
// processor. With grain < 1 For makes about 64 for each. With n <= 0 it does nothing.
//
// The range is split only when another worker comes for a part of it: that takes the upper half of
// what is left, and splits it in turn when others come. So it does not matter whether all pieces take
// equally long. All else is as with Join: the rest runs even if one call panics or exits; the first
// panic is raised again in the caller as a *PanicError, a Goexit goes on in the caller. On a plain
// goroutine, and within Block, all but the first piece run in tasks of Current(). For panics with "sched:
// For of nil func".
//
// In a task it allocates nothing, but for the closure that the caller makes. It costs about 30 ns, and
// 5 to 10 ns for each piece.
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
	j := join{q: q, base: q.bottom.Load()}
	j.loop = q.pushFor(lo, hi, grain, fn)
	j.finish()
}

// pushFor offers a loop in the innermost slot. Owner only.
func (q *forkq) pushFor(lo, hi, grain int, fn func(lo, hi int)) *forFrame {
	i := q.bottom.Load()
	var l *forFrame
	if f := q.fit(i, forTag); f.tag == forTag {
		l = (*forFrame)(unsafe.Pointer(f))
	} else {
		l = newForFrame()
		q.slots[i] = &l.frame
	}
	l.fn, l.grain, l.slot, l.labels, l.used = fn, grain, i, getg.Labels(), true
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

// setRange gives l a new range. A thief reads hi, lo and hi again: if both hi are the old one, what it has read between is the old lo or MaxInt, as the
// new lo is stored after the new hi; if both are the new one, it is MaxInt or the new lo. In no case but the last is anything left.
func (l *forFrame) setRange(lo, hi int) {
	l.at = lo
	l.lo.StoreRel(math.MaxInt)
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
	l.lo.Store(uintptr(end))
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
// owner will await. The caller has the lock of l's queue and has set limit, and holds p.
func (l *forFrame) split(p *P) *frame {
	hi := int(l.hi.Load())
	lo := int(l.lo.Load())
	if lo >= hi || int(l.hi.Load()) != hi {
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
