package main

import (
	"errors"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/sched"
)

// mayRunOn is cpusOf where it is known to work.
func mayRunOn(t *testing.T, tid int) []int {
	cpus, err := cpusOf(tid)
	require.NoError(t, err)
	return cpus
}

// TestBothSidesOfATurnRunOnOneCPU looks, in rounds of goroutines and of tasks, where they may run, and the client.
func TestBothSidesOfATurnRunOnOneCPU(t *testing.T) {
	all, err := cpusOf(0)
	if err != nil {
		require.ErrorIs(t, err, errors.ErrUnsupported)
		require.Zero(t, bindRounds(Pair{}, 1))
		return
	}
	c := new(client)
	require.NoError(t, c.start())
	defer func() { require.NoError(t, c.stop()) }()
	for _, how := range []struct {
		procs    int
		pingPong bool
	}{{1, false}, {1, true}, {2, false}} {
		procs := how.procs
		before := runtime.GOMAXPROCS(procs)
		s, err := sched.New(sched.Config{Procs: procs})
		require.NoError(t, err)
		var seen, clients [][]int
		look := func(r *Round) error {
			r.Took = roundTarget
			clients = append(clients, mayRunOn(t, c.pid()))
			seen = append(seen, mayRunOn(t, 0))
			done := make(chan []int)
			go func() { // most likely on another thread, which this one waits for
				runtime.LockOSThread()
				done <- mayRunOn(t, 0)
			}()
			seen = append(seen, <-done)
			return nil
		}
		sides := [2]side{
			{body: func(n int) (*Round, error) { return runNative(look, n) }},
			{body: func(n int) (*Round, error) { return runUserrt(s, look, n) }},
		}
		const rounds = 5
		err = takeTurns(Pair{Step: 1, Client: c.pid, PingPong: how.pingPong}, &sides, rounds, func(int) {}, func() { seen, clients = nil, nil })
		runtime.GOMAXPROCS(before)
		require.NoError(t, err)
		require.Len(t, seen, rounds*4)
		for i, cpus := range seen {
			ours, others := all, all
			if at := i / 8 % len(all); procs == 1 && len(all) > 1 {
				ours, others = all[at:at+1], slices.Concat(all[:at], all[at+1:])
			}
			if how.pingPong {
				others = ours
			}
			require.Equal(t, ours, cpus, "turn %d", i/4)
			require.Equal(t, others, clients[i/2], "turn %d", i/4)
		}
		require.Equal(t, all, mayRunOn(t, 0))
		require.Equal(t, all, mayRunOn(t, c.pid()))
		require.NoError(t, s.Run(func() { require.Equal(t, all, mayRunOn(t, 0)) }))
		require.NoError(t, s.Close())
	}
	require.Zero(t, bindRounds(Pair{Rounds: 1}, 1))
}
