// A pair for stealing: all the work begins on one processor.
//
// After the Unbalanced Tree Search of Olivier and others (2006): a tree whose subtrees differ so much in size
// that no fixed division of the work is a fair one; here its shape follows from a node's number.

package main

import (
	"sync"
	"sync/atomic"

	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

const (
	treeHeight = 68
	treeNodes  = 12_101 // nodesOf(treeHeight)
	nodeSpins  = 400    // rounds of the work in each node: about half a microsecond
)

func unbalanced() Pair {
	return Pair{
		Name: "sched/unbalanced", Unit: nsPerOp, Step: treeNodes,
		Doc:    "a lopsided tree of 12,101 tasks of half a microsecond, all from one; per task",
		Native: unbalancedNative, Userrt: unbalancedUserrt,
	}
}

// A node of height h has two children, of heights h-1 and h/2-1, as far as those are positive.
func nodesOf(h int) int {
	if h <= 0 {
		return 0
	}
	return 1 + nodesOf(h-1) + nodesOf(h/2-1)
}

// nodeWork is what a node does; the result is checked so that the compiler keeps it.
func nodeWork(h int) uint64 {
	x := uint64(h)
	for range nodeSpins {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

// sumOf is what the nodes of a tree add up to.
func sumOf(h int) uint64 {
	if h <= 0 {
		return 0
	}
	return nodeWork(h) + sumOf(h-1) + sumOf(h/2-1)
}

var treeSum = sync.OnceValue(func() int64 { return int64(sumOf(treeHeight)) })

func unbalancedNative(r *Round) error {
	var wg sync.WaitGroup
	var sum atomic.Uint64
	var node func(h int)
	node = func(h int) {
		for _, child := range [2]int{h - 1, h/2 - 1} {
			if child > 0 {
				wg.Add(1)
				go node(child)
			}
		}
		sum.Add(nodeWork(h))
		wg.Done()
	}
	for range r.N / treeNodes {
		sum.Store(0)
		wg.Add(1)
		go node(treeHeight)
		wg.Wait()
		if err := mismatch("sum", int64(sum.Load()), treeSum()); err != nil {
			return err
		}
	}
	return nil
}

func unbalancedUserrt(r *Round) error {
	var wg waitgroup.WaitGroup
	var sum atomic.Uint64
	var node func(h int)
	node = func(h int) {
		for _, child := range [2]int{h - 1, h/2 - 1} {
			if child > 0 {
				wg.Add(1)
				sched.Go(func() { node(child) })
			}
		}
		sum.Add(nodeWork(h))
		wg.Done()
	}
	for range r.N / treeNodes {
		sum.Store(0)
		wg.Add(1)
		sched.Go(func() { node(treeHeight) })
		wg.Wait()
		if err := mismatch("sum", int64(sum.Load()), treeSum()); err != nil {
			return err
		}
	}
	return nil
}
