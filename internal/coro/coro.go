// Package coro gives a library what only the runtime can make: a stack of one's own that grows, that
// the collector scans and a traceback walks, and a switch from one such stack to another in which
// the native scheduler takes no part.
//
// # The trick
//
// iter.Pull makes a goroutine and keeps it in a cell (runtime/coro.go, coro). Its next and yield both end in the same
// call of the runtime's, coroswitch: the running goroutine and the one that lies in the cell change places. That asks neither who
// calls it, nor whose cell it is:
//
//	         running          cell 1     cell 2
//	         g0               A          B
//	enter 1  A                g0         B          g0 and A changed places
//	enter 2  B                g0         A          A went straight to B: one switch, no g0 between
//
// So a cell belongs to nobody. A stack notes in which cell it lies (at), and whoever wants to run it
// changes places with it there. swap.go gets hold of that call; what iter.Pull wraps around it is left out.
//
// # Rules for callers
//
//   - Switch(me, to) needs the right to run to: nobody else may switch to it meanwhile.
//   - A stack may be switched to only when it has wholly left: whoever runs next says so (Switch has
//     returned there, or a fresh stack's body has begun), never the leaver itself.
//   - All stacks run wired to their thread, by one LockOSThread each. It is released for the instant
//     of the switch, since the runtime demands the lock state in which the cell was made (none).
//   - Before switching to a stack that lies there since before somebody else ended, look at Marked;
//     see Bury.
//
// Two files implement this behind the same functions (New, Bind, Unbind, Switch, Gosched, Marked,
// Clear and Bury): cell.go with the trick, on swap.go, goroutine.go with one goroutine a stack that sleeps natively, for
// processors without an assembly getg, for Go versions on which the trick has not been proved, and
// for the build tag userrt_goroutine. canary_test.go shows each thing that the trick takes for granted;
// CONTRIBUTING.md, "A new Go version", tells when to run it and what then.
package coro

import (
	"sync"

	"github.com/userrt/userrt/internal/getg"
)

// Self returns what the calling goroutine was entered as, by New, Bind or Adopt; nil for nothing.
func Self() *Stack { return lookup() }

// Adopt enters the calling goroutine, a plain one, as st, so that Self finds it. Nobody may switch to
// or from st. Nothing tells when a plain goroutine ends, so the entry stays until a sweep, and is found by
// a goroutine that the runtime gives the same g before that: ask Mine, and if not, Adopt another.
func Adopt(st *Stack) {
	st.guest = true
	adopting.Lock()
	register(st)
	adopting.Unlock()
}

// adopting keeps plain goroutines from waiting for the table's lock in their thousands, each with a thread
// of its own, while a sweep holds it for a millisecond.
var adopting sync.Mutex

// Mine reports whether st, the Self of the caller, was adopted by the caller and not by an earlier goroutine.
func (st *Stack) Mine() bool { return !getg.Reused || st.goid == getg.Goid() }

// Goid returns the id of the goroutine that st is, by which its traceback can be found. A
// reader that may come too early for it is not watched by the race detector.
//
//go:norace
func (st *Stack) Goid() uint64 { return st.goid }

// Adopted calls f for every stack that Adopt has entered and that is still in the table, its goroutine alive
// or not. It takes no lock: what is entered or taken out meanwhile may be left out.
func Adopted(f func(*Stack)) {
	t := stacks.Load()
	for i := range t.entries {
		e := &t.entries[i]
		if e.key.Load() <= tombstone {
			continue
		}
		if st := e.st.Load(); st != nil && st.guest {
			f(st)
		}
	}
}
