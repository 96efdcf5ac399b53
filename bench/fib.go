//go:build !race

package main

// The tree of sched/forkjoin: fib(27), in which every call forks.
const (
	fibArg    = 27
	fibForks  = 317_810
	fibResult = 196_418
)
