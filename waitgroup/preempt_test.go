package waitgroup

import (
	"context"
	"testing"

	"github.com/userrt/userrt/internal/testsched"
)

// TestWaitGroupGivesWay: a task that does nothing but count, or wait for what is over, gives way when its time slice is over.
func TestWaitGroupGivesWay(t *testing.T) {
	var up, down, zero, tasks WaitGroup
	down.Add(1 << 30)
	testsched.GivesWay(t, map[string]func(){
		"WaitGroup.Add":                  func() { up.Add(1); up.state.Store(0) },
		"WaitGroup.Done":                 down.Done,
		"WaitGroup.Wait, at zero":        zero.Wait,
		"WaitGroup.WaitContext, at zero": func() { _ = zero.WaitContext(context.Background()) },
		"WaitGroup.Go":                   func() { tasks.Go(func() {}) },
	}, nil)
}
