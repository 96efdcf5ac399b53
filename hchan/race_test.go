//go:build race

// The race detector's rules hold for tests too: no close beside a send.

package hchan

const raceEnabled = true
