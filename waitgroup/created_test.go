package waitgroup

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/callerpc"
	"github.com/userrt/userrt/sched"
)

// TestGoIsWhereItsTaskWasMade: a panic tells the line of the call of Go, not one of this package.
func TestGoIsWhereItsTaskWasMade(t *testing.T) {
	if !callerpc.Known {
		t.Skip("no place is known on this processor")
	}
	stacks := make(chan string, 1)
	s, err := sched.New(sched.Config{Procs: 2, PanicHandler: func(e *sched.PanicError) { stacks <- string(e.Stack) }})
	require.NoError(t, err)
	var line int
	require.NoError(t, s.Run(func() {
		var wg WaitGroup
		wg.Go(func() { panic("boom") })
		_, _, line, _ = runtime.Caller(0)
		wg.Wait()
	}))
	stack := <-stacks
	require.Contains(t, stack, fmt.Sprintf("/waitgroup/created_test.go:%d +", line-1))
	require.Regexp(t, `created by .*TestGoIsWhereItsTaskWasMade.* in task \d+\n`, stack)
	require.NoError(t, s.Close())
}
