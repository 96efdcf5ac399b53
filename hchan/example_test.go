package hchan_test

import (
	"fmt"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
)

// A pipeline: each stage is a task, and the caller, here a plain goroutine, takes what comes out.
// Each stage closes its output when its input has ended.
func ExampleMake() {
	numbers := hchan.Make[int](0)
	sched.Go(func() {
		defer numbers.Close()
		for n := range 5 {
			numbers.Send(n)
		}
	})

	squares := hchan.Make[int](2) // the stage before may be two ahead
	sched.Go(func() {
		defer squares.Close()
		for n := range numbers.All() {
			squares.Send(n * n)
		}
	})

	for square := range squares.All() {
		fmt.Println(square)
	}
	// Output:
	// 0
	// 1
	// 4
	// 9
	// 16
}

// A channel with room for n elements lets at most n tasks into a section.
func ExampleChan_TrySend() {
	tickets := hchan.Make[string](2)
	for _, name := range []string{"Ada", "Grace", "Barbara"} {
		if tickets.TrySend(name) {
			fmt.Println(name, "is in")
		} else {
			fmt.Println(name, "would have to wait")
		}
	}
	// Output:
	// Ada is in
	// Grace is in
	// Barbara would have to wait
}

// After Close the rest is received, then ok is false for ever.
func ExampleChan_Close() {
	c := hchan.Make[string](1)
	c.Send("last words")
	c.Close()
	for range 2 {
		v, ok := c.Recv()
		fmt.Printf("%q %v\n", v, ok)
	}
	// Output:
	// "last words" true
	// "" false
}
