//go:build go1.26 && !go1.28 && (amd64 || arm64) && !userrt_goroutine && !userrt_nogetg && !race

// Fetching what a switch will touch before it comes. A switch to a stack that has lain still for a while touches some thirteen cache
// lines: its G and Stack, the cell in which it lies and the runtime.coro there, five lines of the native g, and the top of
// the stack itself. A thousand of them don't fit the second-level cache, and most can't be asked for before the one
// that points to them has come. So they are asked for in steps, one further with each switch, by the processor's prefetch, for which
// nobody waits: a mere load would hold up the compare-and-swaps of the next switch.
//
// Nothing here has an effect but on time. A stack that a thief takes between two steps has been fetched in vain.
//
// The runtime does nothing of the kind: a goroutine's lines are missed one after the other.

package coro

import "unsafe"

// FetchesAhead tells whether FetchAhead does anything. Under the race detector, where time is no matter, it does not.
const FetchesAhead = true

// FetchAhead fetches for the switches that are to come: the line at line, which holds a G; of far, a Stack whose G has been fetched, its own lines;
// of mid, whose far it has been before, the cell, the native g and the place in the table of stacks; of near, whose mid it has been, what the
// cell and the native g point to. Each may be nil; mid
// and near have run before, so they have a cell and a key.
//
//go:noescape
func FetchAhead(line unsafe.Pointer, far, mid, near *Stack)

// gSP is where in a native g the stack pointer stands with which it left: runtime/runtime2.go, g.sched.sp.
const gSP = 56
