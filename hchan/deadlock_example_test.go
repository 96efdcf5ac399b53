package hchan_test

import (
	"errors"
	"fmt"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
)

// A search asks two servers and takes the first answer. Nobody will ever receive the other one, so the task that
// has it waits for ever: a leak. Natively nobody notices. Here it is named as soon as nothing else can run.
func Example_leakedTask() {
	s, err := sched.New(sched.Config{Procs: 1, DetectDeadlock: true})
	if err != nil {
		panic(err)
	}
	first := func(servers ...string) string {
		answers := hchan.Make[string](0) // room for len(servers) would cure it
		for _, name := range servers {
			sched.Go(func() { answers.Send("from " + name) })
		}
		answer, _ := answers.Recv()
		return answer
	}
	var never hchan.Chan[int]
	err = s.Run(func() {
		first("a", "b")
		never.Recv() // the program is over, but for this
	})
	var dead *sched.DeadlockError
	if errors.As(err, &dead) {
		for _, task := range dead.Tasks {
			fmt.Println(task.Reason)
		}
	}
	fmt.Println(s.Close()) // unwinds them
	// Unordered output:
	// chan receive
	// chan send
	// <nil>
}
