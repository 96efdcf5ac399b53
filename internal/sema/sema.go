// Package sema is the native scheduler's semaphore: how a goroutine sleeps that is no task of ours.
//
// A channel would do as well, but one made in a synctest bubble must not be used outside of it; and so would a sync.Mutex
// that is always held, but that reads the clock twice and makes five atomic steps for each sleep: 0.3 µs of
// the 1.2 µs that a value takes from a goroutine to a task and back.
//
// The same in Go: runtime/sema.go, semacquire and semrelease, which package sync builds its locks on.
package sema

import _ "unsafe" // for go:linkname

// Sema counts wake-ups that nobody has taken yet. The zero value has none.
type Sema struct{ n uint32 }

// Acquire takes a wake-up, and sleeps until there is one.
func (s *Sema) Acquire() {
	semacquire(&s.n)
	acquired(s)
}

// Release leaves a wake-up and wakes a sleeper, if there is one. It does not block.
func (s *Sema) Release() {
	releases(s)
	semrelease(&s.n, false, 0)
}

// The runtime leaves both open to other packages, by name, and says so where they stand.

//go:linkname semacquire sync.runtime_Semacquire
func semacquire(n *uint32)

//go:linkname semrelease sync.runtime_Semrelease
func semrelease(n *uint32, handoff bool, skipframes int)
