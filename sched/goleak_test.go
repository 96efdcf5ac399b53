package sched

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// starterName is what the README tells users of leak checkers to ignore.
const starterName = "github.com/userrt/userrt/sched.startLoop"

// TestLeakCheckerSeesTheStarterOnly: nothing else is left of Schedulers that have ended.
func TestLeakCheckerSeesTheStarterOnly(t *testing.T) {
	before := goleak.IgnoreCurrent() // Default and the tests' own; the starter too
	for range 10 {
		s, err := New(Config{Procs: 2, DetectDeadlock: true})
		require.NoError(t, err)
		run(t, s, func() { Join(Yield, Yield) })
		s.Go(parkForever)
		require.Error(t, shutdown(t, s, canceled()))
		s, err = New(Config{Procs: 2})
		require.NoError(t, err)
		run(t, s, func() { Join(Yield, Yield) })
		require.NoError(t, shutdown(t, s, context.Background()))
		for _, busy := range []bool{true, false} {
			s, err = New(Config{Procs: 2})
			require.NoError(t, err)
			run(t, s, func() { Join(Yield, Yield) })
			if busy {
				s.Go(parkForever)
				s.Go(func() { Yield(); parkForever() })
			}
			within(t, func() { err = s.Close() }, s)
			require.NoError(t, err)
		}
	}
	require.NoError(t, goleak.Find(before))
	require.ErrorContains(t, goleak.Find(), starterName+" on top of the stack")
}
