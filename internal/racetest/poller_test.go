//go:build race

package racetest

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/userrt/userrt/sched"
)

// userPoller is a Poller as users make it: each wait ends at the next Poll. Its functions, if not nil, are called
// by the methods of the same names.
type userPoller struct {
	open, poll, waiting, closed func()

	begun atomic.Int32 // waits so far
	n     atomic.Int32 // len(queue)
	mu    sync.Mutex   // of queue; held across the leaving of a stack
	queue []*pollWait
}

type pollWait struct {
	g     *sched.G
	ended func() // called by the Poll that ends it
}

// scheduler makes a Scheduler with p as its Poller.
func (p *userPoller) scheduler(procs int) *sched.Scheduler {
	s := newScheduler(procs)
	p.openOn(s)
	return s
}

func (p *userPoller) openOn(s *sched.Scheduler) *userPoller {
	got, err := s.Poller(func() (sched.Poller, error) { call(p.open); return p, nil })
	must(err)
	return got.(*userPoller)
}

// wait parks the calling task until the next Poll.
func (p *userPoller) wait() { p.waitFor(nil) }

func (p *userPoller) waitFor(ended func()) {
	w := &pollWait{sched.Self(), ended}
	p.mu.Lock()
	p.queue = append(p.queue, w)
	p.n.Add(1)
	p.begun.Add(1)
	sched.Park(sched.WaitReasonIOWait, func(_ *sched.G, arg unsafe.Pointer) bool {
		(*userPoller)(arg).mu.Unlock()
		return true
	}, unsafe.Pointer(p))
}

// Poll implements sched.Poller. Who waits is there already, so it need not block.
func (p *userPoller) Poll(_ int64, ready *sched.GList) {
	p.mu.Lock()
	queue := p.queue
	p.queue = nil
	p.n.Store(0)
	p.mu.Unlock()
	call(p.poll)
	for _, w := range queue {
		if w.g.Claim() {
			call(w.ended)
			ready.Push(w.g)
		}
	}
}

// Break implements sched.Poller.
func (p *userPoller) Break() {}

// Waiting implements sched.Poller.
func (p *userPoller) Waiting() bool {
	call(p.waiting)
	return p.n.Load() > 0
}

// Close implements sched.Poller.
func (p *userPoller) Close() error {
	call(p.closed)
	return nil
}

func call(f func()) {
	if f != nil {
		f()
	}
}
