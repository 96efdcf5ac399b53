//go:build race

package main

// The tree of sched/forkjoin under the race detector, where a fork takes 50 times as long.
const (
	fibArg    = 19
	fibForks  = 6_764
	fibResult = 4_181
)
