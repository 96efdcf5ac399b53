// Package copies copies a marked struct in each way that go vet knows of.
package copies

import "github.com/userrt/userrt/internal/nocopy"

type marked struct {
	_ nocopy.NoCopy
	n int
}

func byValue(m marked) int { return m.n }

func copies(m *marked) int {
	assigned := *m
	return assigned.n + byValue(*m)
}

var _ = copies
