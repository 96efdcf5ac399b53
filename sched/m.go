package sched

import (
	"unsafe"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/futex"
	"github.com/userrt/userrt/internal/getg"
	"github.com/userrt/userrt/internal/rawlock"
)

// M is a worker: a goroutine wired to an OS thread, which runs tasks while it holds a P.
// The same in Go: runtime/runtime2.go, m.
//
// Only the worker itself touches a field, unless noted.
type M struct {
	g0 stack // the worker's own goroutine: it runs when no task does
	s  *Scheduler
	p  *P // what it holds; set before it is woken

	// What the stack that has left asks of the one that continues; see settle.
	act     int
	left    *G
	leftStk *stack
	commit  func(*G, unsafe.Pointer) bool
	arg     unsafe.Pointer
	lock    *rawlock.Mutex

	nextg    *G   // for g0 to run next
	spinning bool // searches for work, and is counted in s.nmspinning; set by startm before the M is woken
	exit     bool // to end; set under s.lock before the M is woken

	link *M // next idle M; s.lock
	note note
}

// note is a one-time event, reusable after sleep has returned. The same in Go:
// runtime/lock_futex.go, notesleep and notewakeup.
type note struct{ key atom.Uint32 }

func (n *note) wakeup() {
	n.key.Store(1)
	futex.Wake(n.key.Addr(), 1)
}

func (n *note) sleep() {
	for n.key.Load() == 0 {
		futex.Wait(n.key.Addr(), 0, -1)
	}
	n.key.Store(0)
}

// starter makes goroutines that inherit nothing of a user: it was born before any user code ran. A
// worker born of a goroutine with pprof labels or in a synctest bubble would keep them, and hand
// them on to every task.
var starter = make(chan func(), 64)

func init() {
	go func() {
		for f := range starter {
			go f()
		}
	}()
}

// startWorker runs f on a new goroutine without labels or bubble.
func startWorker(f func()) {
	if self() != nil {
		go f() // a worker's child: no bubble, and f clears the labels
		return
	}
	starter <- f
}

// startm makes a worker run p, which the caller has taken from the idle list and counted as
// spinning if spinning: one from the cache of idle Ms, or a new one. Must not hold s.lock. The same
// in Go: runtime/proc.go, startm.
func (s *Scheduler) startm(p *P, spinning bool) {
	s.lock.Lock()
	m := s.midle
	if m != nil {
		s.midle = m.link
		m.link = nil
		s.lock.Unlock()
		m.spinning = spinning
		m.acquirep(p)
		m.note.wakeup()
		return
	}
	s.nm++
	s.workersUp.Add(1)
	s.sysmonStart()
	s.lock.Unlock()
	m = &M{s: s, spinning: spinning}
	m.acquirep(p)
	startWorker(m.main)
}

// stopm puts m, which has no P, into the cache and sleeps until startm gives it one. False means
// that m is to end. The same in Go: runtime/proc.go, stopm.
func (m *M) stopm() bool {
	s := m.s
	s.lock.Lock()
	if s.ended {
		s.lock.Unlock()
		return false
	}
	m.link = s.midle
	s.midle = m
	s.lock.Unlock()
	// Before this thread sleeps, and for a while a native P with it, let run what the native
	// scheduler has queued behind us. Not before m is in the cache: that may take 10 ms.
	coro.Gosched()
	m.note.sleep()
	return !m.exit
}

// main is a worker's life on its g0. The same in Go: runtime/proc.go, schedule.
func (m *M) main() {
	getg.SetLabels(nil)
	coro.Bind(&m.g0.Stack)
	m.g0.m = m
	for {
		gp := m.nextg
		m.nextg = nil
		if gp == nil || m.p.attn.Load() != 0 {
			if gp = m.attend(gp); gp == nil {
				if gp = m.findRunnable(); gp == nil {
					break
				}
			}
		}
		if m.spinning {
			m.resetspinning()
		}
		m.execute(gp)
	}
	m.s.lastOut(m)
	coro.Unbind(&m.g0.Stack)
	// Returning with the thread wired ends the thread too. The last word is mexit's: after it the
	// scheduler counts the worker as gone.
	m.s.workerGone()
}

// attend sees to what others have asked of m's P. gp, if not nil, is a task that m was about to run,
// which it may still do.
func (m *M) attend(gp *G) *G {
	p := m.p
	bits := p.attn.Load()
	if bits&attnNative != 0 {
		p.attn.And(^uint32(attnNative))
		coro.Gosched()
		p.nativeTime = clock.Nanotime() // not before: others may just have had a slice of 10 ms
	}
	if bits&attnRetire != 0 {
		m.retire(gp)
		return nil
	}
	return gp
}

// resetspinning ends m's search, because it has found something, and lets the next M search: there
// may be more where that came from. The same in Go: runtime/proc.go, resetspinning.
func (m *M) resetspinning() {
	m.spinning = false
	m.s.nmspinning.Add(-1)
	m.s.wakep()
}
