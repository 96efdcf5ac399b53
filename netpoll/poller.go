//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"sync/atomic"

	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/sched"
)

// poller is a Scheduler's sched.Poller: it finds the Gs whose descriptors have become ready.
//
// The pollDescs live in blocks that stay where they are. The table of blocks only grows and is
// replaced as a whole, so Poll reads it without a lock. Order: an index is in the table before the
// kernel is told of it, so an event's index is always found.
//
// The kernel's queue stays open until the poller is closed and the last descriptor has gone, so
// nobody ever touches its number after it has been given to somebody else.
//
// Lock order: mu is a leaf; nothing is called under it but the allocator.
//
// The same in Go: runtime/netpoll_epoll.go and runtime/netpoll_kqueue.go, netpollinit; runtime/netpoll.go, poll_runtime_pollOpen, netpollready, pollCache.
type poller struct {
	s       *sched.Scheduler
	kernel  osPoller
	waiting atomic.Int32 // Gs parked in words of ours; see waitCommit
	table   atomic.Pointer[[]*pollBlock]
	events  [128]osEvent // Poll's, which one worker at a time calls; on its stack they would be zeroed by each call

	mu     rawlock.Mutex // guards what follows, and replacing the table
	free   *pollDesc
	live   int // pollDescs in use
	closed bool
}

// pollBlock is the unit in which pollDescs are made.
type pollBlock [32]pollDesc

var _ sched.Poller = (*poller)(nil)

// pollerOf returns s's poller and opens it when this is the first call.
func pollerOf(s *sched.Scheduler) (*poller, error) {
	p, err := s.Poller(func() (sched.Poller, error) { return openPoller(s) })
	if err != nil {
		return nil, err
	}
	return p.(*poller), nil
}

func openPoller(s *sched.Scheduler) (sched.Poller, error) {
	p := &poller{s: s}
	p.table.Store(new([]*pollBlock))
	if err := p.kernel.open(); err != nil {
		return nil, err
	}
	return p, nil
}

// Poll pushes to ready the Gs whose wait has ended. With delayNS 0 it does not block, with a positive
// one it waits at most so many nanoseconds for an event, and with a negative one until it has a G or
// Break is called: an event that nobody waits for is no reason to send the worker round.
func (p *poller) Poll(delayNS int64, ready *sched.GList) {
	for {
		n := p.kernel.wait(p.events[:], delayNS)
		found, broken := p.deliver(p.events[:n], ready)
		if broken {
			if delayNS == 0 {
				p.kernel.leave() // for who blocks
			} else {
				p.kernel.drain()
			}
		}
		if found || broken || delayNS >= 0 {
			return
		}
	}
}

// deliver hands events out. It reports whether there was a G for ready, and whether Break was called.
func (p *poller) deliver(events []osEvent, ready *sched.GList) (found, broken bool) {
	table := *p.table.Load()
	for i := range events {
		t, readable, writable, special := decode(&events[i])
		if t == wakeTag {
			broken = true
			continue
		}
		pd := &table[t.index/uint32(len(pollBlock{}))][t.index%uint32(len(pollBlock{}))]
		if pd.seq.Load() != t.seq {
			continue
		}
		if special {
			pd.special.Or(seenSpecial)
		}
		if readable && pushReady(ready, &pd.r) {
			found = true
		}
		if writable && pushReady(ready, &pd.w) {
			found = true
		}
	}
	return found, broken
}

// pushReady makes w ready and reports whether that gave a G to push.
func pushReady(ready *sched.GList, w *waitWord) bool {
	g, _ := w.notify()
	if g != nil {
		ready.Push(g)
	}
	return g != nil
}

// Break makes the Poll that blocks now, or else the next one that would, return at once.
func (p *poller) Break() { p.kernel.wake() }

// Waiting reports whether any G is parked on p.
func (p *poller) Waiting() bool { return p.waiting.Load() > 0 }

// Close ends all waits with net.ErrClosed, now and later; plain goroutines may be among them. The
// descriptors stay open until their owners close them.
func (p *poller) Close() error {
	p.mu.Lock()
	p.closed = true
	idle := p.live == 0 // else the last release closes the kernel's side
	blocks := *p.table.Load()
	p.mu.Unlock()
	// A pollDesc on the free list can be evicted like any other: from now on none is handed out.
	for _, b := range blocks {
		for i := range b {
			b[i].evict()
		}
	}
	if idle {
		return p.kernel.close()
	}
	return nil
}

// register tells the kernel of sysfd, for both directions and for as long as it is open.
func (p *poller) register(sysfd int) (*pollDesc, error) {
	pd := p.alloc()
	if pd == nil {
		return nil, schedulerClosed{}
	}
	if err := p.kernel.add(sysfd, tag{pd.index, pd.seq.Load()}); err != nil {
		p.release(pd)
		return nil, err
	}
	return pd, nil
}

// unregister undoes register. The caller has closed pd for everybody else, and closes sysfd next.
func (p *poller) unregister(pd *pollDesc, sysfd int) {
	pd.dropDeadlines()
	p.kernel.remove(sysfd)
	p.release(pd)
}

// alloc returns a pollDesc that nobody waits on, or nil once p is closed.
func (p *poller) alloc() *pollDesc {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	if p.free == nil {
		p.grow()
	}
	pd := p.free
	p.free = pd.link
	p.live++
	pd.link = nil
	pd.stop.Store(0)
	pd.special.Store(0)
	pd.r.reset()
	pd.w.reset()
	return pd
}

// grow makes a block of pollDescs; p.mu is held.
func (p *poller) grow() {
	old := *p.table.Load()
	b := new(pollBlock)
	for i := range b {
		pd := &b[i]
		pd.index = uint32(len(old)*len(b) + i)
		pd.r.p, pd.w.p = p, p
		pd.link, p.free = p.free, pd
	}
	// Append may write behind the end of old, where no reader of old looks.
	blocks := append(old, b)
	p.table.Store(&blocks)
}

// release puts pd, which nobody uses any more, back on the free list; events that are still under way
// do not concern its next owner.
func (p *poller) release(pd *pollDesc) {
	pd.seq.Store((pd.seq.Load() + 1) & maxSeq)
	p.mu.Lock()
	pd.link, p.free = p.free, pd
	p.live--
	last := p.closed && p.live == 0
	p.mu.Unlock()
	if last {
		_ = p.kernel.close() // nobody is left to tell
	}
}
