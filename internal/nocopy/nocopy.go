// Package nocopy marks a struct as one that must not be copied after its first use, so that go vet
// complains about copies (its copylocks check looks for a Lock and an Unlock method).
//
// The same in Go: sync/cond.go, noCopy.
package nocopy

// NoCopy is the mark: put a field `_ nocopy.NoCopy` first in the struct. It takes no space there, and
// does nothing at run time.
type NoCopy struct{}

// Lock does nothing; go vet looks for it.
func (*NoCopy) Lock() {}

// Unlock does nothing; go vet looks for it.
func (*NoCopy) Unlock() {}
