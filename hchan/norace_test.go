//go:build !race

// Without the race detector a test may close a channel beside sends.

package hchan

const raceEnabled = false
