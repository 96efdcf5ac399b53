// Whether the race detector is on.

//go:build race

package main

const raceEnabled = true
