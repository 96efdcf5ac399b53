package locks

import (
	"context"
	"sync/atomic"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/nocopy"
	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/sched"
)

// Semaphore is a weighted semaphore: so much of something, of which each takes some and gives it back. Who has to wait is
// served in turn: nobody gets a little before one who wants much and came first. The same in Go:
// golang.org/x/sync/semaphore, Weighted.
//
// What is done before a Release happens before the return of an Acquire that comes after it.
type Semaphore struct {
	_    nocopy.NoCopy
	word hb.Word // for the race detector: where the edges are stated

	size int64         // never changes
	cur  atomic.Int64  // how much is taken; written under lock
	lock rawlock.Mutex // guards cur and what follows
	// queue has those that wait for Waiter.N each. Invariant: the first one wants more than is left.
	queue sched.WaitQueue
}

// NewSemaphore returns a Semaphore of which n may be taken at a time. It panics with "semaphore: size < 0" if n is
// negative.
func NewSemaphore(n int64) *Semaphore {
	if n < 0 {
		panic("semaphore: size < 0")
	}
	s := &Semaphore{}
	s.size = n
	return s
}

const negative = "semaphore: n < 0"

// Acquire takes n of s, which must not be negative. It blocks until so much is left and its turn has come, or until ctx
// ends: then it takes nothing and returns ctx.Err(), also if ctx had ended before the call. An n larger than all of s is
// waited for without holding up others.
func (s *Semaphore) Acquire(ctx context.Context, n int64) error {
	if n < 0 {
		panic(negative)
	}
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if err := ended(ctx); err != nil {
		return err
	}
	if !s.take(n) {
		if err := s.acquire(ctx, n); err != nil {
			return err
		}
	}
	if hb.On {
		hb.Acquire(s.word.Addr())
	}
	return nil
}

// TryAcquire takes n of s, which must not be negative, if so much is left and nobody waits, and reports whether it did.
func (s *Semaphore) TryAcquire(n int64) bool {
	if n < 0 {
		panic(negative)
	}
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if !s.take(n) {
		return false
	}
	if hb.On {
		hb.Acquire(s.word.Addr())
	}
	return true
}

// take takes n if that is possible at once.
func (s *Semaphore) take(n int64) bool {
	giveWay() // before: as much as is taken others can't have meanwhile
	s.lock.Lock()
	ok := s.queue.Empty() && s.fits(n)
	if ok {
		s.cur.Store(s.cur.Load() + n)
	}
	s.lock.Unlock()
	return ok
}

func (s *Semaphore) fits(n int64) bool { return s.size-s.cur.Load() >= n }

// Release gives n back, which must not be negative and may be another part than was taken. It panics with
// "semaphore: released more than held" if more would be given back than is taken.
func (s *Semaphore) Release(n int64) {
	if n < 0 {
		panic(negative)
	}
	if hb.On {
		hb.Enter()
		defer hb.Leave()
		hb.Release(s.word.Addr())
	}
	s.lock.Lock()
	cur := s.cur.Load()
	if cur < n {
		s.lock.Unlock()
		panic("semaphore: released more than held")
	}
	s.cur.Store(cur - n)
	woken := s.grant()
	s.lock.Unlock()
	woken.ReadyAll()
	giveWay()
}

// grant gives those their shares whose turn it is, and returns them, claimed. Needs lock.
func (s *Semaphore) grant() (woken sched.WaitQueue) {
	for w := s.queue.First(); w != nil && s.fits(w.N); w = s.queue.First() {
		w.Remove()
		if w.G.Claim() {
			s.cur.Store(s.cur.Load() + w.N)
			w.Given = true
			woken.Chain(w)
		}
	}
	return woken
}

// acquire is Acquire when n was not to be had at once.
func (s *Semaphore) acquire(ctx context.Context, n int64) error {
	w, stop := waiter(ctx, &s.lock)
	r := s.await(w, n)
	stop()
	if err := r.err(ctx); err != nil {
		return err
	}
	if err := ended(ctx); err != nil { // both at the same time: as if it had come too late
		s.Release(n)
		return err
	}
	return nil
}

// await waits for n.
func (s *Semaphore) await(w *sched.Waiter, n int64) result {
	s.lock.Lock()
	switch {
	case w.Cancelled:
		s.lock.Unlock()
		return gaveUp
	case n > s.size:
		return s.never(w)
	case s.queue.Empty() && s.fits(n):
		s.cur.Store(s.cur.Load() + n)
		s.lock.Unlock()
		return got
	}
	w.N, w.Given = n, false
	s.queue.PushBack(w)
	leave := w.G.BeginPark(semaphoreWait, &s.lock)
	leave()
	alive := w.G.EndPark()
	if alive && w.Given {
		return got
	}
	s.lock.Lock()
	w.Remove()
	woken := s.grant() // whoever stood behind may be content with less
	s.lock.Unlock()
	woken.ReadyAll()
	if !alive {
		return unwound
	}
	return gaveUp
}

// never waits for the end of the context of w, who wants more than there is: in a queue of its own, which nobody serves. It is
// called with lock held.
func (s *Semaphore) never(w *sched.Waiter) result {
	alone := new(sched.WaitQueue)
	alone.PushBack(w)
	leave := w.G.BeginPark(semaphoreWait, &s.lock)
	leave()
	if w.G.EndPark() {
		return gaveUp
	}
	s.lock.Lock()
	w.Remove()
	s.lock.Unlock()
	return unwound
}
