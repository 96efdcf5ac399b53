package waitgroup_test

import (
	"context"
	"fmt"
	"time"

	"github.com/userrt/userrt/waitgroup"
)

// A task for each part of the work, and a wait for all of them.
func ExampleWaitGroup() {
	words := []string{"park", "ready", "steal"}
	lengths := make([]int, len(words))

	var wg waitgroup.WaitGroup
	for i, word := range words {
		wg.Go(func() { lengths[i] = len(word) })
	}
	wg.Wait()

	for i, word := range words {
		fmt.Println(word, lengths[i])
	}
	// Output:
	// park 4
	// ready 5
	// steal 5
}

// Add and Done count by hand what is not a task of its own.
func ExampleWaitGroup_Add() {
	var wg waitgroup.WaitGroup
	wg.Add(2)
	finish := func(part string) {
		fmt.Println(part)
		wg.Done()
	}
	finish("first half")
	finish("second half")
	wg.Wait()
	fmt.Println("all")
	// Output:
	// first half
	// second half
	// all
}

// WaitContext waits for no longer than a context lasts. What it waited for goes on.
func ExampleWaitGroup_WaitContext() {
	var wg waitgroup.WaitGroup
	wg.Add(1)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println(wg.WaitContext(ctx))
	wg.Done()
	fmt.Println(wg.WaitContext(ctx)) // need not wait
	// Output:
	// context deadline exceeded
	// <nil>
}
