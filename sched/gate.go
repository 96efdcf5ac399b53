package sched

import (
	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/fence"
)

// gate lets the owner of a P take from its queues by plain loads and stores for as long as no thief is
// there. The runtime's owner and thieves compete by CAS each time (runtime/proc.go, runqget), which is
// 6 ns for each task chosen, although thieves are rare.
//
//	owner:  taking = 1; if thieves == 0 { take by plain stores }    thief:  thieves++; Heavy()
//	        taking = 0; else { take by CAS }                                if taking == 0 { take by CAS }
//	                                                                        thieves--
//
// The owner's store and load are not fenced; the thief's Heavy does it for both. After it, either
// the thief sees taking, and goes away; or the owner, whenever it begins to take next, sees the thief,
// and then both use CAS. Several thieves may be inside together: they use CAS in any case.
//
// One is counted in thieves from the start and leaves when package fence is ready, which the owner looks
// up now and then. Where it never is, owner and thieves use CAS, as in the runtime.
type gate struct {
	thieves atom.Uint32
	taking  atom.Uint32
	fenced  bool // the one that was counted at the start has left; the owner's
}

func (g *gate) init() { g.thieves.Store(1) }

// enter is called by a thief; false means that it must try another time. A true one wants a leave.
func (g *gate) enter() bool {
	g.thieves.Add(1)
	heavy := fence.Heavy()
	if heavy && g.taking.Load() != 0 || !heavy && fence.Ready() { // the latter: refused, by a filter or for want of memory
		g.leave()
		return false
	}
	return true
}

func (g *gate) leave() { g.thieves.Add(^uint32(0)) }

// lookUp is called by the owner now and then.
func (g *gate) lookUp() {
	if !g.fenced && fence.Ready() {
		g.fenced = true
		g.leave()
	}
}
