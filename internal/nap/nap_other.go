//go:build !linux

package nap

import "time"

// Napper sleeps for one goroutine.
type Napper struct{}

// New returns a Napper, which wants Close.
func New() *Napper { return &Napper{} }

// Sleep sleeps for d ns.
func (*Napper) Sleep(d int64) { time.Sleep(time.Duration(d)) }

// Close does nothing.
func (*Napper) Close() {}
