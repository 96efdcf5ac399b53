//go:build !linux

// Threads elsewhere: nothing is known.

package thread

import "errors"

// Exists reports whether ID tells threads apart and affinity can be set here.
const Exists = false

// Mask is a set of CPUs.
type Mask struct{}

// ID returns 0.
func ID() int { return 0 }

// Of returns errors.ErrUnsupported.
func Of(int) (Mask, error) { return Mask{}, errors.ErrUnsupported }

// Set returns errors.ErrUnsupported.
func Set(int, Mask) error { return errors.ErrUnsupported }

// Only returns an empty mask.
func Only(int) Mask { return Mask{} }

// Has is false.
func (Mask) Has(int) bool { return false }

// Initial returns errors.ErrUnsupported.
func Initial() (Mask, error) { return Mask{}, errors.ErrUnsupported }
