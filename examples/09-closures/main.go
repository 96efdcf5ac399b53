// Closures: what a task's function keeps of the function that made it.
//
// You will see: a variable that two tasks go on using when the function it was declared in has
// returned; three tasks started in a loop, which see 0, 1 and 2; the same loop in old.go, whose build
// line asks for the language of Go 1.21, where all three share one variable and see 3.
//
// Concepts: a captured variable is moved to the heap and outlives its function; since Go 1.22
// each iteration of a loop has a variable of its own.
// Read next: old.go beside this file; sched/task.go, spawnTask, where a closure becomes a task.
package main

import (
	"fmt"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
)

func main() {
	fmt.Println("counted after the counter's function has returned:", outlives())
	fmt.Println("a variable for each iteration:", values(newLoop))
	fmt.Println("one variable for the loop:", values(oldLoop))
}

// counter returns a function that counts. n is captured by it, so the compiler puts n on the heap: it
// lives for as long as somebody can still call the function.
func counter() (next func() int) {
	n := 0
	return func() int { n++; return n }
}

// outlives hands a counter from one task to another, and to a third.
func outlives() int {
	next := counter() // counter's stack frame is gone from here on
	for range 2 {
		// Wait orders the tasks: without it two of them would change n at the same time.
		_, _ = sched.Spawn(func() (int, error) { return next(), nil }).Wait()
	}
	return next()
}

// newLoop starts three tasks that look at the loop's variable when the loop is over.
func newLoop(over *hchan.Chan[int]) (tasks []*sched.Task[int]) {
	for i := 0; i < 3; i++ {
		tasks = append(tasks, sched.Spawn(func() (int, error) {
			over.Recv() // closed after the loop
			return i, nil
		}))
	}
	return tasks
}

// values runs one of the loops and returns what its tasks have seen.
func values(loop func(over *hchan.Chan[int]) []*sched.Task[int]) (seen []int) {
	over := hchan.Make[int](0)
	tasks := loop(over)
	over.Close()
	for _, t := range tasks {
		v, _ := t.Wait()
		seen = append(seen, v)
	}
	return seen
}
