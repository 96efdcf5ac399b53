package sched

import "github.com/userrt/userrt/internal/hb"

// What the race detector is told of a Scheduler's poller. One that a package of ours has made, which has called Poller
// in a call of its own, is our own code. A user's is not, and then this is the order of its calls:
//
//	open ----> Waiting, Break, and the return of Poller
//	     \---> Poll ----> the next Poll ----> Close ----> Close and Shutdown of the Scheduler return
//	       the tasks' ends, calls of Close and Shutdown --^
//
// and what Poll has done before it pushes a G comes before what that does next, as with Ready. The runtime has no
// counterpart.

// callOpen calls open, which is the user's if theirs.
func callOpen(open func() (Poller, error), theirs bool) (Poller, error) {
	if hb.On && theirs {
		hb.Out()
		defer hb.Back()
	}
	return open()
}

// madePoller notes that the caller has opened the poller that s is about to get. Needs s.lock.
func (s *Scheduler) madePoller(theirs bool) {
	if hb.On {
		s.theirs = theirs
		hb.Release(s.opened.Addr())
		hb.Release(s.polled.Addr())
	}
}

// acquireOpened orders the caller after whoever has opened the poller.
func (s *Scheduler) acquireOpened() { hb.Acquire(s.opened.Addr()) }

// dropPoller closes a poller of the caller's that s does not get.
func dropPoller(p Poller, theirs bool) {
	if hb.On && theirs {
		hb.Out()
		defer hb.Back()
	}
	_ = p.Close()
}

func (s *Scheduler) callPoll(p Poller, delayNS int64, ready *GList) {
	if hb.On && s.theirs {
		hb.OutFor(s.polled.Addr())
		defer hb.BackFor()
	}
	p.Poll(delayNS, ready)
}

func (s *Scheduler) asksWaiting(p Poller) bool {
	if hb.On && s.theirs {
		hb.OutAfter(s.opened.Addr())
		defer hb.BackFor()
	}
	return p.Waiting()
}

func (s *Scheduler) callBreak(p Poller) {
	if hb.On && s.theirs {
		hb.OutAfter(s.opened.Addr())
		defer hb.BackFor()
	}
	p.Break()
}

func (s *Scheduler) closePoller(p Poller) {
	if hb.On && s.theirs {
		hb.OutFor(s.polled.Addr())
		defer hb.BackFor()
		hb.Acquire(s.allEnds())
		hb.Acquire(s.endCalls())
		defer s.releaseEnds()
	}
	_ = p.Close()
}

// releaseEnds makes what the caller has done happen before Close and Shutdown return.
func (s *Scheduler) releaseEnds() { hb.Release(s.allEnds()) }
