package main

import "testing"

// TestNoSleepIsShort runs the program, which ends the process if one was.
func TestNoSleepIsShort(t *testing.T) {
	sleeps = 20
	main()
}
