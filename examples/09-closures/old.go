//go:build go1.21

// This file is compiled in the language of Go 1.21, since its build line says so, although the module's
// go.mod says 1.26: that is how code from before the change of loops keeps its meaning, file by file.

package main

import (
	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
)

// oldLoop is newLoop, word for word. There is one i for all iterations; when the tasks look at it, the loop
// has counted it to 3. Until Go 1.21 the usual cure was a line "i := i" at the top of the body.
func oldLoop(over *hchan.Chan[int]) (tasks []*sched.Task[int]) {
	for i := 0; i < 3; i++ {
		tasks = append(tasks, sched.Spawn(func() (int, error) {
			over.Recv() // closed after the loop
			return i, nil
		}))
	}
	return tasks
}
