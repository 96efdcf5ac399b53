// Package pointers uses a marked struct as it should be used.
package pointers

import "github.com/userrt/userrt/internal/nocopy"

type marked struct {
	_ nocopy.NoCopy
	n int
}

func byPointer(m *marked) int { return m.n }

var (
	zero marked
	_    = byPointer(&zero)
)
