// Whether the race detector is on.

//go:build !race

package sched

const raceEnabled = false
